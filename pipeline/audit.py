"""Find samples that are the same image, even if edited, and shortcuts: acquisition properties that predict the label.

    python -m pipeline.audit PATH [--json] [--sheet FILE.png] [--copies]

audits a folder of images or a CSV without a task. With the name of a task this is the stage `audit@task`, which reads the results
of `scan` and writes `data/<task>/audit.json`. The audit removes nothing: `split` decides which samples are excluded.
"""

import argparse
import json
import os
import sys
from pathlib import Path

from pipeline.core import artifacts, command_line, params
from pipeline.core.errors import DataError
from pipeline.core.paths import TaskPaths
from pipeline.core.stage import run
from pipeline.data import raw_changes
from pipeline.duplicates import summary
from pipeline.duplicates.audit import audit_path, audit_task
from pipeline.duplicates.images import contact_sheet

MOST_WORKERS = 8  # threads without a params.yaml; more would wait for the GIL


def run_stage(name: str) -> None:
    """Write a task's audit.json and print a summary; raise DataError for findings that the task does not tolerate."""
    task = params.task(name)
    with raw_changes.as_scanned(name, task.raw, "audit"):
        result, _, root = audit_task(name)
        artifacts.write_json(TaskPaths(name).audit, result.to_json())
    what = "image" if root else "row"
    lines = [*summary.summary(result, what, done=True), *summary.about_unknown_groups(task.read, what)]
    print(*[f"audit {name}: {line}" for line in lines], sep="\n", file=sys.stderr)
    summary.refuse(result, task.audit, task.raw, name)
    summary.require_groups(result, task.read, task.raw, name)


def run_alone(path: Path, as_json: bool, sheet: Path | None, copies: bool) -> int:
    """Audit a folder or CSV, print the result, and return the exit code."""
    result, samples, root, rule = audit_path(path, copies, min(os.cpu_count() or 1, MOST_WORKERS))
    if result.n_unreadable == result.n_files:
        first = result.unreadable[0]
        raise DataError(f"{path.as_posix()}: no file can be read; the first is {first.path}: {first.reason}")
    if as_json:
        print(json.dumps(artifacts.rounded(result.to_json()), indent=1, sort_keys=True))
    else:
        print(*summary.summary(result, "image" if root else "row"), sep="\n")
        print(*summary.table(result, samples), sep="\n")
    if sheet:
        if root is None:
            raise DataError(f"{path.as_posix()}: has rows, not images, so there is nothing to draw on {sheet}")
        contact_sheet.write(sheet, summary.ranked(result, samples), root, rule)
        print(f"{sheet}: {min(len(result.pairs), contact_sheet.MOST)} pairs", file=sys.stderr)
    return summary.exit_code(result, *((samples[column] != "").any() for column in ("shipped", "group")))


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command."""
    parser = command_line.parser(
        "pipeline.audit", "Find copies of images or rows.", "~/images/skin", "~/images/skin --sheet pairs.png"
    )
    parser.add_argument(
        "path", metavar="PATH", help="a folder, a CSV with a column path, a CSV of rows; or a task's name"
    )
    parser.add_argument("--json", action="store_true", help="print everything as JSON instead of a table")
    parser.add_argument("--sheet", metavar="FILE.png", type=command_line.path, help="draw the pairs side by side")
    parser.add_argument("--copies", action="store_true", help="report only certain copies")
    return parser


def main(*arguments: str) -> None:
    """Run the stage for the name of a task without options; otherwise audit a path."""
    options = build_parser().parse_args(arguments)
    sheet = Path(options.sheet) if options.sheet else None
    if len(arguments) == 1 and is_task(options.path):
        run_stage(options.path)
    else:
        sys.exit(run_alone(Path(command_line.path(options.path)), options.json, sheet, options.copies))


def is_task(word: str) -> bool:
    """Return whether `word` is a task of params.yaml, which has priority over a file of that name; ./NAME is always a path."""
    return params.PARAMS.exists() and word in (params.load().get("tasks") or {})


if __name__ == "__main__":
    run(main)
