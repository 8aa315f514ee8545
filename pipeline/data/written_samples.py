"""Read what `scan` and `split` wrote: samples.csv, split.csv, and the dates of samples."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd

from pipeline.core.errors import DataError
from pipeline.core.paths import TaskPaths
from pipeline.core.stage import require
from pipeline.data.tabular import dates
from pipeline.data.tabular.missing import is_missing

NEARLY_ALL = 0.98  # share of a column's known cells that must be dates


def read_samples(name: str) -> pd.DataFrame:
    """Return samples.csv of a task, every cell as text."""
    return pd.read_csv(require(TaskPaths(name).samples, f"scan@{name}"), dtype=str, keep_default_na=False)


def read_split(name: str) -> pd.DataFrame:
    """Return split.csv of a task, every cell as text."""
    return pd.read_csv(require(TaskPaths(name).split, f"split@{name}"), dtype=str, keep_default_na=False)


def read_times(samples: pd.DataFrame, name: str, column: str) -> pd.Series:
    """Return how new each sample is, float64, NaN where a cell is neither a date nor a number.

    `column` is one of samples.csv (a column of the CSV that names images, or one that a table excludes) or of columns.csv.
    Raises DataError where there is none of that name, or where day and month cannot be told apart.
    """
    cells = samples.get(column, samples.get(f"csv_{column}"))
    if cells is None and TaskPaths(name).columns.exists():
        cells = pd.read_csv(TaskPaths(name).columns, dtype=str, keep_default_na=False).get(column)
    if cells is None:
        raise DataError(
            f"tasks.{name}.split.time_column: there is no column {column!r} in the data; name one, or set split.by: hash"
        )
    known = cells[~cells.map(is_missing)]
    numbers = pd.to_numeric(known, errors="coerce")
    if numbers.notna().all():
        return numbers.astype(float).reindex(cells.index)
    layouts = dates.find_layouts(Counter(known), NEARLY_ALL)
    where = f"tasks.{name}.split.time_column: {column!r}"
    mixed = () if layouts else dates.find_mixed(Counter(known), NEARLY_ALL)
    if mixed:
        return seconds_of(cells, mixed)
    if not layouts:
        raise DataError(
            f"{where}: holds neither dates nor numbers, for instance {first_odd(known)!r}; write dates as YYYY-MM-DD"
        )
    if len(layouts) > 1:
        raise DataError(f"{where}: is {known.iloc[0]!r} month or day first? Write dates as YYYY-MM-DD")
    return seconds_of(cells, layouts)


def first_odd(cells: pd.Series) -> str:
    """Return the first cell that is neither a date nor a number, the first of all where each is one."""
    rest = cells[pd.to_numeric(cells, errors="coerce").isna()]
    return next((cell for cell in rest if not dates.find_layouts(Counter([cell]), 1.0)), str(cells.iloc[0]))


def seconds_of(cells: pd.Series, layouts: Sequence[str]) -> pd.Series:
    """Return dates that are written in one of several layouts as seconds, NaN for what is none."""
    seconds = pd.Series(np.nan, index=cells.index)
    for layout in layouts:
        seconds = seconds.fillna(pd.Series(dates.to_seconds(cells.tolist(), layout), index=cells.index))
    return seconds
