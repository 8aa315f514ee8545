"""Predict files with a bundle.

    python -m pipeline.predict BUNDLE FILE... [--column NAME=VALUE]... [--format table|json|csv] [--explain FOLDER]

Prints each input with its prediction or the reason why there is none. The exit code is 2 if an input could not be used.
"""

import argparse
import sys
from pathlib import Path

from pipeline.core.errors import DataError
from pipeline.core.stage import run
from pipeline.prediction.predictor import Predictor


def main(*arguments: str) -> None:
    parser = argparse.ArgumentParser("python -m pipeline.predict", description="Predict files with a bundle.")
    parser.add_argument("bundle", help="a bundle's folder, for instance models/lesions/best")
    parser.add_argument("files", nargs="+", help="images, or CSV files whose rows are samples")
    parser.add_argument(
        "--column", metavar="NAME=VALUE", action="append", default=[], help="clinical columns of the images"
    )
    parser.add_argument("--format", choices=("table", "json", "csv"), default="table")
    parser.add_argument(
        "--explain", metavar="FOLDER", help="write an explanation of each prediction there, as PNG or CSV"
    )
    given = parser.parse_args(arguments)
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
