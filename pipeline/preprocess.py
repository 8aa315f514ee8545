"""Stage `preprocess@task`: the development and the test set as two files, so that nothing before the selection opens test.

Writes `data/<task>/dev.npz` and `test.npz` (see `dataset`), dev_columns.csv and test_columns.csv (path, and what the task's
CSV has besides), and dev_pixels.npy: uint8 RGB (n_dev, 224, 224, 3) where the task
keeps pixels for fine-tuning, else of no rows.
"""

import sys
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from pipeline import artifacts, images, included, params, subgroups, tables
from pipeline.dataset import Dataset
from pipeline.layout import COLUMNS
from pipeline.operating_point import check_classes
from pipeline.parallel import run_parallel
from pipeline.params import TaskParams
from pipeline.split import read_samples
from pipeline.stage import DataError, require, run


def order_classes(labels: pd.Series, positive: str | None, name: str) -> list[str]:
    """Return the classes sorted; of two, the positive one last (the rarer where `positive` is None).

    Raises DataError where `positive` is no class, or is given for more than two classes.
    """
    classes = sorted(set(labels))
    if positive is not None and (positive not in classes or len(classes) != 2):
        raise DataError(
            f"tasks.{name}.preprocess.positive: found {positive!r}; expected one of two classes; there are: {', '.join(classes)}"
        )
    if len(classes) != 2:
        return classes
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
        arrays={name: array[rows] for name, array in features.items()}
        | {name: part[name].astype(int).to_numpy() for name in again},
    )


def load_features(scan: Path, task: TaskParams) -> dict[str, np.ndarray]:
    """Return the arrays that the scan wrote, a row per sample of samples.csv; images' are mapped, not read.

    Beside the pictures stand the columns that `preprocess.columns` names.
    """
    if task.kind == "table":
        return column_arrays(pd.read_csv(scan / "columns.csv", dtype=str, keep_default_na=False))
    arrays = {name: np.load(scan / f"{file}.npy", mmap_mode="r") for name, file in FILES.items()}
    if not task.preprocess.columns:
        return arrays
    samples = pd.read_csv(scan / "samples.csv", dtype=str, keep_default_na=False)
    return arrays | column_arrays(samples[task.preprocess.columns])


def column_arrays(text: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return columns of text as arrays, `column:<name>`: of numbers float64, else str."""
    columns = tables.typed(text)
    return {
        f"column:{name}": columns[name].to_numpy(dtype=np.float64 if tables.is_number(columns[name]) else str)
        for name in columns
    }


FILES = {"embedding": "embeddings", "classical": "classical"}


def read_square(path: str, root: Path) -> np.ndarray:
    """Return a raw file as the model sees it: uint8 RGB (224, 224, 3). Raises DataError if it was another at the scan."""
    file = included.locate(root, path)
    try:
        return images.resize(images.decode(file.read_bytes()).pixels)
    except (DataError, OSError) as error:
        raise DataError(f"{file.as_posix()}: has changed since the scan: {error}. Run 'dvc repro' again") from None


def write_pixels(paths: np.ndarray, task: TaskParams, name: str, out: Path, workers: int) -> None:
    """Write the pictures at `paths` to `out` one by one, in constant memory."""
    squares = run_parallel(partial(read_square, root=Path(task.raw)), paths, workers)
    with artifacts.writing_npy(out, np.uint8, (len(paths), images.SIZE, images.SIZE, 3)) as add:
        for square in tqdm(squares, f"preprocess {name}", total=len(paths), unit=" images", delay=3):
            add(square)


def main(name: str) -> None:
    task, folder = params.task(name), Path(f"data/{name}")
    split = pd.read_csv(require(folder / "split.csv", f"split@{name}"), dtype=str, keep_default_na=False)
    samples = read_samples(name)
    row_of = {path: row for row, path in enumerate(samples["path"])}
    known = list(pd.read_csv(folder / "scan/columns.csv", nrows=0)) if task.kind == "table" else list(samples)
    known = [column for column in known if column not in COLUMNS]
    subgroups.check(known, task.select.bands, f"{name}.select.subgroups")
    subgroups.check(known, [task.select.site] if task.select.site else [], f"{name}.select.site")
    subgroups.check(known, task.preprocess.columns, f"{name}.preprocess.columns")
    features = load_features(folder / "scan", task)
    counted = (split["subset"] == "dev") & ~split["path"].map(
        included.is_upload
    )  # uploads must not turn the classes round
    classes = order_classes(split.loc[counted, "label"], task.preprocess.positive, name)
    check_classes(classes, task.select.operating_point, name)
    dev = take(split, "dev", classes, features, row_of)
    dev.save(folder / "dev.npz")
    test = take(split, "test", classes, features, row_of)
    test.save(folder / "test.npz")
    for subset, data in (("dev", dev), ("test", test)):
        subgroups.write(folder, subset, data.path, samples)
    write_pixels(
        dev.path if task.preprocess.pixels else dev.path[:0], task, name, folder / "dev_pixels.npy", params.workers()
    )
    if dev.positive:
        print(f"preprocess {name}: the positive class is {dev.positive!r}", file=sys.stderr)


if __name__ == "__main__":
    run(main)
