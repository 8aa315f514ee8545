"""Predict files with a bundle.

    python -m pipeline.predict BUNDLE FILE... [--column NAME=VALUE]... [--format table|json|csv] [--explain FOLDER]
    python -m pipeline.predict BUNDLE PATH... --by-group [--group-column COLUMN]

Prints each input with its prediction or the reason why there is none. With --by-group, all samples of a patient get one answer:
the files in a folder, DICOM files with one PatientID, or rows with one value in a column. The exit code is 2 if an input, or
a group, could not be used.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from pipeline.core import command_line
from pipeline.core.errors import DataError
from pipeline.core.stage import run
from pipeline.prediction.answer import Item
from pipeline.prediction.predictor import Predictor


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command."""
    parser = command_line.parser(
        "pipeline.predict",
        "Predict files with a bundle.",
        "models/lesions/best a.jpg b.png",
        "models/breast/best rows.csv --format csv",
    )
    parser.add_argument("bundle", type=command_line.path, help="a bundle's folder, for instance models/lesions/best")
    parser.add_argument("files", nargs="+", type=command_line.path, help="images, or CSV files whose rows are samples")
    parser.add_argument(
        "--column", metavar="NAME=VALUE", action="append", default=[], help="clinical columns of the images"
    )
    parser.add_argument("--format", choices=("table", "json", "csv"), default="table")
    parser.add_argument(
        "--explain",
        metavar="FOLDER",
        type=command_line.path,
        help="write an explanation of each prediction there, as PNG or CSV",
    )
    parser.add_argument(
        "--by-group",
        action="store_true",
        help="one answer to all samples of a patient: of a folder, of a PatientID, or of a value of --group-column",
    )
    parser.add_argument(
        "--group-column", metavar="COLUMN", default="", help="the column of CSV files that names the patient"
    )
    return parser


def main(*arguments: str) -> None:
    parser = build_parser()
    given = parser.parse_args(arguments)
    if given.by_group and given.explain:
        parser.error("--explain is for samples one by one: leave --by-group out")
    if given.group_column and not given.by_group:
        parser.error("--group-column goes with --by-group")
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # as in app/api.py; scikit-learn is not loaded yet
    from pipeline.prediction import files

    predictor = Predictor(given.bundle)
    cells = files.read_columns(predictor, given.column)
    items: Sequence[Item]
    if given.by_group:
        from pipeline.prediction import group_files  # pandas, which an image needs not

        items = group_files.predict_groups(
            predictor, group_files.read_groups(predictor, given.files, cells, given.group_column)
        )
    else:
        inputs = files.read_inputs(predictor, given.files, cells)
        items = files.predict_all(predictor, inputs)
        if given.explain:
            files.explain_all(predictor, inputs, Path(given.explain))
    sys.stdout.write(files.show(items, predictor.classes, given.format))
    bad = [item["file"] for item in items if not item["class"]]
    if bad:
        what = "groups" if given.by_group else "inputs"
        raise DataError(
            f"{len(bad)} of {len(items)} {what} could not be used: {', '.join(bad[:5])}; see the reasons above"
        )


if __name__ == "__main__":
    run(main)
