"""Print each task's leaderboard and the reason for its champion: `python -m pipeline.leaderboard [TASK ...]`."""

import argparse
import csv
from pathlib import Path

from pipeline.core import artifacts, command_line, params
from pipeline.core.paths import TaskPaths
from pipeline.core.stage import run
from pipeline.core.text_table import aligned
from pipeline.duplicates import summary
from pipeline.evaluation.metric_names import PROMISE
from pipeline.evaluation.new_data import test_set_evaluations


def board(task: str, root: Path = Path()) -> str:
    """Return a task's leaderboard as text, or a message that the task has not been run."""
    path = TaskPaths(task, root).leaderboard
    if not path.exists():
        return f"{task}: not run yet: assay run {task}\n"
    rows = list(csv.DictReader(artifacts.read_text(path).splitlines()))
    selection = artifacts.read_json(TaskPaths(task, root).selection)
    metric = selection["metric"]
    seen = test_set_evaluations.count(task, selection["winner"], root)
    last = f"test {metric}" + (f" ({test_set_evaluations.in_words(seen)})" if seen else "")
    shown = [["", "model", "features", f"{metric} (out of fold)", "95 % interval", "brier", last]]
    groups = f"by_group_{metric}" if rows and f"by_group_{metric}" in rows[0] else ""
    if groups:
        unit = artifacts.read_json(TaskPaths(task, root).cv(selection["winner"]))["by_group"]["unit"]
        shown[0] += [f"{metric} by {unit}", "95 % interval", "test"]
    for row in rows:
        interval = f"{number(row[f'{metric}_low'])} to {number(row[f'{metric}_high'])}"
        star = "*" if row["champion"] else ""
        figures = [number(row[metric]), interval, number(row["brier"]), number(row[f"test_{metric}"])]
        if groups:
            ends = f"{number(row[f'{groups}_low'])} to {number(row[f'{groups}_high'])}"
            figures += [number(row[groups]), ends, number(row[f"test_{groups}"])]
        shown.append([star, row["model"], row["features"], *figures])
    promised = [text for text in (selection.get("promise"), f"95 % intervals are for {PROMISE}") if text]
    notes = [selection["reason"], *promised, *summary.warnings(task, root)]
    return "\n".join([f"{task}", *(f"  {line}" for line in [*aligned(shown), *notes]), ""])


def number(text: str) -> str:
    """Return a number with three decimals, or a dash."""
    return f"{float(text):.3f}" if text else "-"


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command."""
    parser = command_line.parser(
        "pipeline.leaderboard", "Print the models and the champion of each task.", "", "lesions"
    )
    parser.add_argument("tasks", nargs="*", metavar="TASK", help="a task of params.yaml; default: all")
    return parser


def main(*arguments: str) -> None:
    tasks = build_parser().parse_args(arguments).tasks
    for task in tasks:
        params.task(task)  # raises for a task that there is not
    print("\n".join(board(task) for task in tasks or params.load()["tasks"]))


if __name__ == "__main__":
    run(main)
