"""Submit labelled samples, which are checked and stored until their batch is promoted or rejected.

    python -m pipeline.collect TASK FILE... [--label LABEL] [--group GROUP] [--batch ID]

FILE is an image, or for a table task a CSV, which may have the task's columns of label and group. An image is stored as a PNG of
its pixels, without its name and without EXIF data such as location and date. Nothing is trained (see `retrain`).
"""

import argparse
import sys

from pipeline.core import command_line
from pipeline.core.stage import run
from pipeline.retraining.intake import collect, new_batch, read_file


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command."""
    parser = command_line.parser(
        "pipeline.collect", "Submit labelled samples.", 'lesions a.jpg --label malignant --group "patient 7"'
    )
    parser.add_argument("task")
    parser.add_argument(
        "files", nargs="+", type=command_line.path, metavar="FILE", help="an image, or for a table a CSV"
    )
    parser.add_argument("--label", help="the class of all samples; a CSV may have it in a column")
    parser.add_argument(
        "--group", default="", help="what the samples share, for instance the patient; a group is never split"
    )
    parser.add_argument(
        "--batch",
        default=new_batch(),
        metavar="ID",
        help="id of the batch, which is promoted or rejected as a whole; default: today's",
    )
    return parser


def main(*arguments: str) -> None:
    asked = build_parser().parse_args(arguments)
    offers = [offer for file in asked.files for offer in read_file(asked.task, file, asked.label, asked.group)]
    outcomes = collect(asked.task, offers, asked.batch, command_line.user(), "command line")
    for item in outcomes:
        note = f" ({item['reason']})" if item["reason"] else ""
        print(
            f"{item['file']}: {'stored as ' + item['id'] + note if item['accepted'] else 'refused: ' + item['reason']}"
        )
    n_bad = sum(not item["accepted"] for item in outcomes)
    print(f"batch {asked.batch}: {len(outcomes) - n_bad} stored, {n_bad} refused", file=sys.stderr)
    if n_bad < len(outcomes):
        print(f"To try the batch: python -m pipeline.retrain {asked.task} --batch {asked.batch}", file=sys.stderr)
    if n_bad:
        sys.exit(2)


if __name__ == "__main__":
    run(main)
