"""Labelled samples that are handed in: checked, and stored once, until somebody decides what becomes of their batch.

    python -m pipeline.collect TASK FILE... [--label LABEL] [--group GROUP] [--batch ID]

FILE is a picture, or for a table task a CSV, which may have the task's columns of label and group itself. A picture is stored
as a PNG of its pixels: without EXIF, so without place and date, and without its name. Nothing is trained (see `retrain`).
"""

import argparse
import getpass
import sys

from pipeline.core.stage import run
from pipeline.retraining.intake import collect, new_batch, read_file


def main(*arguments: str) -> None:
    parser = argparse.ArgumentParser("python -m pipeline.collect", description="Hand in labelled samples.")
    parser.add_argument("task")
    parser.add_argument("files", nargs="+", metavar="FILE", help="a picture, or for a table a CSV")
    parser.add_argument("--label", help="the class of all of them; a CSV may have it in a column")
    parser.add_argument("--group", default="", help="what they share, for instance the patient: never divided")
    parser.add_argument("--batch", default=new_batch(), metavar="ID", help="decided as a whole; today's if left out")
    asked = parser.parse_args(arguments)
    offers = [one for file in asked.files for one in read_file(asked.task, file, asked.label, asked.group)]
    found = collect(asked.task, offers, asked.batch, getpass.getuser(), "command line")
    for item in found:
        print(f"{item['file']}: {'stored as ' + item['id'] if item['accepted'] else 'refused: ' + item['reason']}")
    n_bad = sum(not item["accepted"] for item in found)
    print(f"batch {asked.batch}: {len(found) - n_bad} stored, {n_bad} refused", file=sys.stderr)
    if n_bad < len(found):
        print(f"What they are worth: python -m pipeline.retrain {asked.task} --batch {asked.batch}", file=sys.stderr)
    if n_bad:
        sys.exit(2)


if __name__ == "__main__":
    run(main)
