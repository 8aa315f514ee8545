"""Turn what `scan` wrote into the arrays of the development and the test set."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from pipeline.core import artifacts
from pipeline.core.errors import DataError
from pipeline.core.mapped_rows import select
from pipeline.core.parallel import run_parallel
from pipeline.core.params_models import TaskParams
from pipeline.data import tables, uploads
from pipeline.data.columns.negative_class import negative_of
from pipeline.data.dataset import FORMATS, PIXEL_RULE, VECTOR_NAMES, Dataset
from pipeline.data.folders.archives import folder_of
from pipeline.data.images import decoding, image_file
from pipeline.data.images.pixel_rule import PixelRule, rule_of
from pipeline.data.images.squares import SIZE
from pipeline.data.tabular import formats
from pipeline.data.tabular.formats import ColumnFormat, Source
from pipeline.data.tabular.learning import learn


def order_classes(labels: pd.Series, positive: str | None, name: str) -> list[str]:
    """Return the classes sorted; if there are two, the positive one last (where `positive` is None, the one that is
    not normal, benign or the like, else the rarer).

    Raises DataError where `positive` is no class, or is given for more than two classes.
    """
    classes = sorted(set(labels))
    if positive is not None and (positive not in classes or len(classes) != 2):
        raise DataError(
            f"tasks.{name}.preprocess.positive: found {positive!r}; expected one of two classes; there are: {', '.join(classes)}"
        )
    if len(classes) != 2:
        return classes
    negative = negative_of(*classes)
    if positive is None and negative is not None:
        return [negative, next(label for label in classes if label != negative)]
    positive = positive or min(classes, key=lambda label: ((labels == label).sum(), label))
    return [label for label in classes if label != positive] + [positive]


def take(
    split: pd.DataFrame, subset: str, classes: list[str], features: dict[str, np.ndarray], row_of: dict
) -> Dataset:
    """Return the samples of one subset with their rows of every feature array."""
    part = split[split["subset"] == subset]
    rows = np.array([row_of[path] for path in part["path"]], dtype=int)
    code = {label: index for index, label in enumerate(classes)}
    again = [name for name in part if name.startswith("fold_")] if subset == "dev" else []
    return Dataset(
        id=part["id"].to_numpy(dtype=str),
        path=part["path"].to_numpy(dtype=str),
        group=part["group"].to_numpy(dtype=str),
        y=np.array([code[label] for label in part["label"]]),
        fold=np.array([int(fold) if fold != "" else -1 for fold in part["fold"]]),
        classes=classes,
        arrays={
            name: array if name in (FORMATS, PIXEL_RULE, VECTOR_NAMES) else select(array, rows)
            for name, array in features.items()
        }
        | {name: part[name].astype(int).to_numpy() for name in again},
    )


def load_features(scan: Path, task: TaskParams) -> dict[str, np.ndarray]:
    """Return the arrays that the scan wrote, a row per sample of samples.csv; images' are mapped, not read.

    Image tasks may have clinical columns as well, those that `preprocess.columns` names.
    """
    if task.kind == "table":
        arrays = column_arrays(pd.read_csv(scan / "columns.csv", dtype=str, keep_default_na=False))
        return arrays | format_array(read_formats(scan))
    arrays = {name: np.load(scan / f"{file}.npy", mmap_mode="r") for name, file in FILES.items()}
    rule = rule_of(task.read).to_json()
    arrays |= {PIXEL_RULE: np.array(json.dumps(rule))} if rule else {}
    names = scan / "vector_names.json"
    arrays |= {VECTOR_NAMES: np.array(names.read_text(encoding="utf-8"))} if names.exists() else {}
    if not task.preprocess.columns:
        return arrays
    samples = pd.read_csv(scan / "samples.csv", dtype=str, keep_default_na=False)
    learnt = learn(samples[task.preprocess.columns], Source(Path(task.raw), np.arange(1, len(samples) + 1), "row"))
    return arrays | column_arrays(learnt.table) | format_array(learnt.formats)


def read_formats(scan: Path) -> dict[str, ColumnFormat]:
    """Return how the columns of a table that are not plain are written, as the scan found it."""
    file = scan / "formats.json"
    return formats.from_json(json.loads(file.read_bytes())) if file.exists() else {}


def format_array(known: dict[str, ColumnFormat]) -> dict[str, np.ndarray]:
    """Return the formats of columns as an array for a Dataset; nothing where all columns are plain."""
    unusual = formats.to_json(known)
    return {FORMATS: np.array(json.dumps(unusual))} if unusual else {}


def column_arrays(text: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return columns of text as arrays, `column:<name>`: of numbers float64, else str."""
    columns = tables.typed(text)
    return {
        f"column:{name}": columns[name].to_numpy(dtype=np.float64 if tables.is_number(columns[name]) else str)
        for name in columns
    }


FILES = {"embedding": "embeddings", "classical": "classical", "ood": "ood"}


def read_square(path: str, root: Path, rule: PixelRule) -> np.ndarray:
    """Return a raw file as the model sees it: uint8 RGB (224, 224, 3). Raises DataError if it was another at the scan."""
    file = uploads.locate(root, path)
    with as_scanned(file):
        return decoding.square(image_file.read(file), rule)


@contextmanager
def as_scanned(file: Path) -> Iterator[None]:
    """Raise DataError, naming the file, where it can no longer be read."""
    try:
        yield
    except DataError as error:
        raise DataError(f"{file.as_posix()}: has changed since the scan: {error}. Run 'dvc repro' again") from None


def write_pixels(paths: np.ndarray, task: TaskParams, name: str, out: Path, workers: int) -> None:
    """Write the images at `paths` to `out` one by one, in constant memory."""
    squares = run_parallel(partial(read_square, root=folder_of(task.raw), rule=rule_of(task.read)), paths, workers)
    with artifacts.writing_npy(out, np.uint8, (len(paths), SIZE, SIZE, 3)) as add:
        for square in tqdm(squares, f"preprocess {name}", total=len(paths), unit=" images", delay=3):
            add(square)
