"""Features of images that the user computed, for instance with a foundation model elsewhere: `read.features` of a task.

A Parquet file in the folder of the raw data has a row for each image, named by its path or id, and its features: a column of
numbers each, or one column of lists. They take the place of the network's embedding: audit, folds, heads and out-of-distribution
scores use them, and the bundle answers from such vectors.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.core import artifacts
from pipeline.core.errors import DataError
from pipeline.core.paths import TaskPaths
from pipeline.data.wording import some

KEYS = ("path", "id")
SHOWN = 3  # samples named in a message


@dataclass(frozen=True)
class OwnFeatures:
    """The rows of a file by the value of its column `key`; `names` of the features; `values`, float32 (n, n_features)."""

    file: Path
    key: str
    row_of: dict[str, int]
    names: list[str]
    values: np.ndarray

    def of_samples(self, samples: pd.DataFrame) -> np.ndarray:
        """Return the features, float32 (n, n_features), of samples with the columns path, id and error; zeros of unreadable ones.

        Raises DataError where a readable sample has none.
        """
        rows = [self.row_of.get(name, -1) for name in samples[self.key]]
        missing = samples.loc[(np.array(rows) < 0) & (samples["error"] == ""), "path"]
        if len(missing):
            raise DataError(
                f"{self.file.as_posix()}: has no row for {len(missing)} of {len(samples)} images, by {self.key!r}: "
                f"{some(list(missing), SHOWN)}; compute their features, or leave the images out with read.skip"
            )
        values = self.values[rows]
        values[(samples["error"] != "").to_numpy()] = 0
        return values


def read(file: Path) -> OwnFeatures:
    """Return the features in a file; raise DataError for anything that is not one complete vector of numbers for each key."""
    where = file.as_posix()
    try:
        table = pd.read_parquet(file)
    except FileNotFoundError:
        raise DataError(
            f"{where}: there is no such file; read.features is a path in the folder of the raw data"
        ) from None
    except Exception as error:  # of another project's reader
        raise DataError(f"{where}: is no Parquet file that can be read ({str(error).splitlines()[0]})") from None
    key = next((name for name in KEYS if name in table), None)
    if key is None:
        raise DataError(f"{where}: has neither a column path nor id; it has: {some(list(map(str, table)), 6)}")
    keys = table[key].astype(str)
    if keys.duplicated().any():
        again = keys[keys.duplicated()].unique()
        raise DataError(f"{where}: {len(again)} values of {key!r} are there twice: {some(list(again), SHOWN)}")
    names, values = numbers(table.drop(columns=[name for name in KEYS if name in table]), keys, where)
    wrong = ~np.isfinite(values)
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise DataError(
            f"{where}: {wrong.any(axis=1).sum()} rows have a value that is missing or infinite, the first {keys.iloc[row]!r} in "
            f"{names[column]!r}: compute them again, because a vector cannot be imputed"
        )
    return OwnFeatures(file, key, {name: row for row, name in enumerate(keys)}, names, values)


def numbers(table: pd.DataFrame, keys: pd.Series, where: str) -> tuple[list[str], np.ndarray]:
    """Return names and values, float32 (n, n_features), of a table of numbers, or of one column of lists of equal length."""
    if len(table.columns) == 1 and len(table) and np.ndim(table.iloc[0, 0]) == 1:
        lists = table.iloc[:, 0]
        lengths = np.array([np.size(cell) for cell in lists])
        usual = int(np.bincount(lengths).argmax())
        if (lengths != usual).any():
            row = int(np.flatnonzero(lengths != usual)[0])
            raise DataError(
                f"{where}: {(lengths != usual).sum()} vectors have not {usual} numbers as the others, the first "
                f"{keys.iloc[row]!r} with {lengths[row]}"
            )
        return [f"{table.columns[0]}_{k}" for k in range(usual)], np.stack(lists.tolist()).astype(np.float32)
    text = [str(name) for name in table if not pd.api.types.is_numeric_dtype(table[name])]
    if text:
        raise DataError(f"{where}: {some(text, SHOWN)}: expected columns of numbers, next to path or id")
    if not len(table.columns) or not len(table):
        raise DataError(f"{where}: holds no features; expected columns of numbers, next to path or id")
    return [str(name) for name in table], table.to_numpy(np.float32)


def compared(features: np.ndarray) -> np.ndarray:
    """Return what is compared with the training data, float32 (n, 2 * n_features), none negative (see `prediction.ood_images`).

    These are the positive parts of the features, and the negative parts of them without their sign.
    """
    return np.hstack([features.clip(min=0), (-features).clip(min=0)]).astype(np.float32)


def put_in_place(task: str, file: Path) -> None:
    """Write the features of a task's samples in the place of the embeddings that the scan computed."""
    paths, own = TaskPaths(task), read(file)
    samples = pd.read_csv(paths.samples, dtype=str, keep_default_na=False)
    values = own.of_samples(samples)
    for path, array in ((paths.embeddings, values), (paths.scan / "ood.npy", compared(values))):
        with artifacts.writing_npy(path, np.float32, array.shape) as add:
            for row in array:
                add(row)
    artifacts.write_json(paths.vector_names, own.names)
