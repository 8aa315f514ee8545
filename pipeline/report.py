"""Stage `report@task`: all that is known of a task in one file that can be handed over, `reports/<task>/report.html`.

    python -m pipeline.report TASK                            writes it, images of samples included
    python -m pipeline.report TASK --no-images [--out FILE]   one to share: no image, name or row of any sample

The file needs no network and no script. It says what stages wrote, the same bytes every time; nothing in it is typed by hand.
"""

import argparse
import sys
from pathlib import Path

from pipeline.core import artifacts
from pipeline.core.paths import TaskPaths
from pipeline.core.stage import run
from pipeline.reporting.page import render


def main(*arguments: str) -> None:
    parser = argparse.ArgumentParser("python -m pipeline.report", description="Write the report of a task.")
    parser.add_argument("task", help="a task of params.yaml")
    parser.add_argument("--no-images", action="store_true", help="leave out whatever is of a single sample")
    parser.add_argument("--out", metavar="FILE.html", type=Path, help="where to write it; with --no-images else stdout")
    given = parser.parse_args(arguments)
    page = render(given.task, images=not given.no_images)
    if given.no_images and not given.out:
        sys.stdout.write(page)
        return
    artifacts.write_bytes(given.out or TaskPaths(given.task).page, page.encode())


if __name__ == "__main__":
    run(main)
