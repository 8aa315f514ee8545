"""Evaluate the champion on external data, without samples that the task's own data contain.

    python -m pipeline.external NAME TASK PATH [--label-map FILE] [--label COLUMN] [--group COLUMN]

adds the data at PATH, which are only read, to params.yaml and runs their stage. `external@NAME` audits them against all of the
task's data, development and test, excludes samples that are in both, scores the rest with the serving Predictor, and writes
`reports/<task>/external/<name>.json` and, to `reports/<task>/external/<name>/`, roc.png and reliability.png.
"""

import argparse
import subprocess
import sys

from pipeline.core import artifacts, command_line, dvc_program, params
from pipeline.core.errors import StageError
from pipeline.core.paths import TaskPaths
from pipeline.core.stage import require, run
from pipeline.data import raw_changes
from pipeline.evaluation import by_group, curves, plots, selection
from pipeline.evaluation.new_data import external_data, external_report
from pipeline.evaluation.report import read_test
from pipeline.prediction.predictor import Predictor
from pipeline.tasks import add_external


def run_stage(name: str) -> None:
    """Write the report on the external data set `name`, and its charts."""
    block = params.external(name)
    task = block.task
    winner = selection.read(task).winner
    internal = read_test(task, winner)
    predictor = Predictor(require(TaskPaths(task).best, f"select_best@{task}"))
    with raw_changes.unchanged(block.raw, f"external {name}"):
        samples = external_data.read(name, block, predictor)
        scored = external_report.score_new(name, samples, predictor, block.raw)
    select = params.task(task).select
    report = external_report.report_on(samples, scored, predictor.rule, select, winner, internal)
    drawn, data, proba = TaskPaths(task).external_figures(name), scored.data, scored.proba
    auc = report["roc_auc"]
    plots.roc(data, proba, auc, name, drawn / "roc.png")
    bins, smooth = curves.reliability(data, proba), curves.flexible(data, proba)
    plots.reliability(bins, smooth, data.positive, name, drawn / "reliability.png")
    artifacts.write_json(TaskPaths(task).external(name), report)
    unit = predictor.rule.unit
    outside, inside = report.of_unit(unit), internal.of_unit(unit)
    low, high = (f"{end:.3f}" for end in outside.ci["roc_auc"])
    print(
        f"external {name}: {len(data.y)} samples, {report.overlap['n']} more are in the task's own data and left out: "
        f"roc_auc{by_group.per(unit)} {outside['roc_auc']:.3f} [{low}, {high}], internal test {inside['roc_auc']:.3f}",
        file=sys.stderr,
    )


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command."""
    parser = command_line.parser(
        "pipeline.external", "Evaluate the champion on external data.", "hospital-b skin ~/images/b"
    )
    parser.add_argument("name", help="name of the data set: a-z, 0-9, - and _")
    parser.add_argument("task", nargs="?", help="the task of the champion")
    parser.add_argument("path", nargs="?", type=command_line.path, help="a folder of images or a CSV; only read")
    parser.add_argument(
        "--label-map", metavar="FILE", type=command_line.path, help="lines 'theirs: ours' for labels of other names"
    )
    parser.add_argument("--label", metavar="COLUMN", help="column of the CSV with the class")
    parser.add_argument("--group", metavar="COLUMN", help="column of the CSV with the group")
    return parser


def main(*arguments: str) -> None:
    """Run the stage for a name; with a task and a path, add the data set first."""
    parser = build_parser()
    given = parser.parse_args(arguments)
    if len(arguments) == 1:
        run_stage(given.name)
        return
    if not given.path:
        parser.error("give NAME, TASK and PATH; NAME alone runs the stage of what was added")
    add_external.add(
        given.name, given.task, given.path, add_external.read_words(given.label_map), given.label, given.group
    )
    stage = f"external@{given.name}"
    if subprocess.run([*dvc_program.command(), "--wait-for-lock", "repro", stage], check=False).returncode:
        raise StageError(
            f"{stage} failed, see above; fix the cause and run 'dvc repro {stage}', or delete external.{given.name}"
        )
    print(
        f"reports/{given.task}/external/{given.name}.json: the results. Next: dvc repro, which adds them to the report"
    )


if __name__ == "__main__":
    run(main)
