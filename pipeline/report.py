"""Stage `report@task`: write the results of a task to one file, `reports/<task>/report.html`.

    python -m pipeline.report TASK                            with images of samples
    python -m pipeline.report TASK --no-images [--out FILE]   to share: without image, name or row of any sample

The file needs no network and no script. It is generated from the outputs of the stages, with the same bytes every time.
"""

import argparse
import sys
from pathlib import Path

from pipeline.core import artifacts, command_line, params
from pipeline.core.paths import TaskPaths
from pipeline.core.stage import run
from pipeline.data import raw_changes
from pipeline.reporting.page import render


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command."""
    parser = command_line.parser(
        "pipeline.report", "Write the report of a task.", "lesions --no-images --out shared.html"
    )
    parser.add_argument("task", help="a task of params.yaml")
    parser.add_argument("--no-images", action="store_true", help="leave out everything about single samples")
    parser.add_argument(
        "--out", metavar="FILE.html", type=command_line.path, help="output file; default with --no-images: stdout"
    )
    return parser


def main(*arguments: str) -> None:
    given = build_parser().parse_args(arguments)
    if given.no_images:
        page = render(given.task, images=False)
    else:
        with raw_changes.as_scanned(given.task, params.task(given.task).raw, "report"):
            page = render(given.task, images=True)
    if given.no_images and not given.out:
        sys.stdout.write(page)
        return
    artifacts.write_bytes(Path(given.out) if given.out else TaskPaths(given.task).page, page.encode())


if __name__ == "__main__":
    run(main)
