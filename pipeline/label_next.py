"""Choose which images of a folder to label next.

    python -m pipeline.label_next TASK FOLDER [-n 50]

Prints a CSV: the images whose label would help the champion most, the most useful first, with an empty column for the label.
"""

import argparse
import sys
from pathlib import Path

from pipeline.core import command_line
from pipeline.core.errors import DataError
from pipeline.core.paths import TaskPaths
from pipeline.core.stage import run
from pipeline.data.images.limits import SUFFIXES
from pipeline.prediction import bundle
from pipeline.prediction.answer import Prediction, refused
from pipeline.prediction.predictor import Predictor
from pipeline.retraining import label_next


def predict(predictor: Predictor, path: str) -> Prediction:
    """Return the prediction of an image file; of one that cannot be opened the reason."""
    try:
        return predictor.predict_with_ood(Path(path).read_bytes(), path)
    except OSError as error:
        return Prediction(refused(path, f"cannot be opened ({error.strerror})"))


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command."""
    parser = command_line.parser(
        "pipeline.label_next", "Choose which images of a folder to label next.", "lesions photos/"
    )
    parser.add_argument("task", help="a task of params.yaml whose samples are images")
    parser.add_argument("folder", type=command_line.path, help="a folder of images without labels")
    parser.add_argument("-n", type=int, default=50, help="how many to choose; default: 50")
    return parser


def main(*arguments: str) -> None:
    parser = build_parser()
    given = parser.parse_args(arguments)
    if given.n < 1:
        parser.error(f"-n {given.n}: expected at least 1")
    paths = sorted(str(path) for path in Path(given.folder).rglob("*") if path.suffix.lower() in SUFFIXES)
    if not paths:
        raise DataError(f"{given.folder}: found no image; expected files such as {', '.join(SUFFIXES[:4])}")
    predictor = Predictor(TaskPaths(given.task).best, bundle.expected_sha256(given.task))
    if predictor.info.is_table or predictor.info.clinical_columns:
        raise DataError(f"{given.task}: images to label next are chosen for models that take an image alone")
    predictions = [predict(predictor, path) for path in paths]
    rows = label_next.choose(predictions, given.n)
    n_out = sum(not each.item["class"] for each in predictions)
    print(f"{len(rows)} of {len(paths)} images chosen; {n_out} are refused or cannot be read", file=sys.stderr)
    sys.stdout.write(label_next.as_csv(rows))


if __name__ == "__main__":
    run(main)
