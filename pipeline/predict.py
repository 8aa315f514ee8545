"""Predict files with a bundle.

    python -m pipeline.predict BUNDLE FILE... [--column NAME=VALUE]... [--format table|json|csv] [--explain FOLDER]

Prints each input with its prediction or the reason why there is none. The exit code is 2 if an input could not be used.
"""

import argparse
import sys
from pathlib import Path

from pipeline.core import command_line
from pipeline.core.errors import DataError
from pipeline.core.stage import run
from pipeline.prediction.predictor import Predictor


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command."""
    parser = command_line.parser(
        "predict",
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
    return parser


def main(*arguments: str) -> None:
    given = build_parser().parse_args(arguments)
    from pipeline.prediction import files

    predictor = Predictor(given.bundle)
    inputs = files.read_inputs(predictor, given.files, files.read_columns(predictor, given.column))
    items = files.predict_all(predictor, inputs)
    if given.explain:
        files.explain_all(predictor, inputs, Path(given.explain))
    sys.stdout.write(files.show(items, predictor.classes, given.format))
    bad = [item["file"] for item in items if not item["class"]]
    if bad:
        raise DataError(
            f"{len(bad)} of {len(items)} inputs could not be used: {', '.join(bad[:5])}; see the reasons above"
        )


if __name__ == "__main__":
    run(main)
