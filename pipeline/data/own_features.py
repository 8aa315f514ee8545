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
from pipeline.data.columns.id_columns import NoFeature, find_ids
from pipeline.data.columns.label_columns import other_names_of_label
from pipeline.data.wording import some

KEYS = ("path", "id")
SHOWN = 3  # samples named in a message
LARGEST_INDEX = 2**24  # above, float32 does not hold each whole number


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
            is_other = not set(self.row_of) & set(samples[self.key])
            spelt = f"; all its values are others, such as {next(iter(self.row_of))!r}" if is_other else ""
            raise DataError(
                f"{self.file.as_posix()}: has no row for {len(missing)} of {len(samples)} images, by {self.key!r}: "
                f"{some(list(missing), SHOWN)}{spelt}; compute their features, or leave the images out with read.skip"
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
    if table.index.name in KEYS:
        table = table.reset_index()
    key = next((name for name in KEYS if name in table), None)
    if key is None:
        raise DataError(f"{where}: has neither a column path nor id; it has: {some(list(map(str, table)), 6)}")
    keys = table[key].astype(str)
    if keys.duplicated().any():
        again = keys[keys.duplicated()].unique()
        raise DataError(f"{where}: {len(again)} values of {key!r} are there twice: {some(list(again), SHOWN)}")
    with np.errstate(over="ignore"):  # too large for float32 becomes infinite, which is refused
        names, values = numbers(table.drop(columns=[name for name in KEYS if name in table]), keys, where)
    if again := sorted({name for name in names if not name or names.count(name) > 1}):
        raise DataError(
            f"{where}: expected a name of its own for each feature, blanks around it aside; found {again[:SHOWN]}"
        )
    wrong = ~np.isfinite(values)
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise DataError(
            f"{where}: {wrong.any(axis=1).sum()} rows have a value that is missing, infinite or too large for float32, the first "
            f"{keys.iloc[row]!r} in {names[column]!r}: compute them again, because a vector cannot be imputed"
        )
    return OwnFeatures(file, key, {name: row for row, name in enumerate(keys)}, names, values)


def numbers(table: pd.DataFrame, keys: pd.Series, where: str) -> tuple[list[str], np.ndarray]:
    """Return names and values, float32 (n, n_features), of a table of numbers, or of one column of lists of equal length."""
    is_list = len(table.columns) == 1 and table.iloc[:, 0].map(np.ndim).gt(0).any()
    if is_list:
        lists = table.iloc[:, 0]
        lengths = np.array([np.size(cell) for cell in lists])
        usual = int(np.bincount(lengths).argmax())
        if (lengths != usual).any():
            row = int(np.flatnonzero(lengths != usual)[0])
            raise DataError(
                f"{where}: {(lengths != usual).sum()} vectors have not {usual} numbers as the others, the first "
                f"{keys.iloc[row]!r} with {lengths[row]}"
            )
        try:
            values = np.stack(lists.tolist()).astype(np.float32)
        except (TypeError, ValueError):
            values = np.empty((len(table), 0), np.float32)
        if values.ndim != 2 or not values.size:
            raise DataError(f"{where}: {table.columns[0]}: expected lists of numbers, one for each feature")
        return [f"{str(table.columns[0]).strip()}_{k}" for k in range(usual)], values
    text = [str(name) for name in table if not pd.api.types.is_numeric_dtype(table[name])]
    if text:
        raise DataError(f"{where}: {some(text, SHOWN)}: expected columns of numbers, next to path or id")
    if not len(table.columns) or not len(table):
        raise DataError(f"{where}: holds no features; expected columns of numbers, next to path or id")
    return [str(name).strip() for name in table], table.to_numpy(np.float32)


def no_features(names: list[str], values: np.ndarray, labels: pd.Series) -> list[NoFeature]:
    """Return which of the features (n, n_features) number or divide the samples, or say their class, with the reason.

    They are columns that were left in the file: only whole numbers can be such, and a column without any variation is none.
    """
    may_be = (np.ptp(values, axis=0) > 0) & (np.abs(values).max(axis=0) < LARGEST_INDEX)
    whole = may_be & (values == np.round(values)).all(axis=0)
    table = pd.DataFrame(values[:, whole].astype(int), columns=np.array(names)[whole])
    labels_again = [NoFeature(name, "label", "says the class") for name in other_names_of_label(table, labels)]
    return labels_again + find_ids(table.astype(str))


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
    kept = ((samples["error"] == "") & (samples["label"] != "")).to_numpy()
    if columns := no_features(own.names, values[kept], samples["label"][kept]):
        raise DataError(
            f"{own.file.as_posix()}: {'; '.join(f'{each.column} {each.reason}' for each in columns[:SHOWN])}: no feature of an "
            "image; remove the column from the file"
        )
    for path, array in ((paths.embeddings, values), (paths.scan / "ood.npy", compared(values))):
        with artifacts.writing_npy(path, np.float32, array.shape) as add:
            for row in array:
                add(row)
    artifacts.write_json(paths.vector_names, own.names)
