"""A model's figures within subgroups of the samples, such as women, patients over 60, or one hospital.

`select.subgroups` names columns: for a table its own, excluded ones too; for images those that the task's CSV has besides path
and label.
Numbers are divided into bands.
"""

from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.core import artifacts, params
from pipeline.core.errors import ParamsError
from pipeline.core.paths import TaskPaths
from pipeline.core.stage import require
from pipeline.data import tables
from pipeline.data.dataset import Dataset
from pipeline.data.folder_layout import COLUMNS
from pipeline.evaluation.report import SubgroupScores
from pipeline.evaluation.scoring import score_part

MOST = 30  # values of a column that can be subgroups
MISSING = "missing"
# By column: each sample's subgroup, str (n,), and the subgroups in order.
Subgroups = dict[str, tuple[np.ndarray, list[str]]]


def check(columns: list[str], named: Iterable[str], where: str) -> None:
    """Raise ParamsError where a column is named, in tasks.`where`, that the samples do not have."""
    for name in named:
        if name not in columns:
            raise ParamsError(
                f"params.yaml: tasks.{where}: there is no column {name!r}; the samples have: "
                f"{', '.join(columns) or 'none'}"
            )


def write(folder: Path, subset: str, paths: np.ndarray, samples: pd.DataFrame) -> None:
    """Write `<subset>_columns.csv`: what samples.csv, `samples`, has of each of `paths` in columns of the task's own."""
    own = [name for name in samples if name not in COLUMNS]
    artifacts.write_csv(folder / f"{subset}_columns.csv", samples.set_index("path").loc[paths, own].reset_index())


def read(task: str, subset: str, data: Dataset) -> Subgroups:
    """For each column that params.yaml names, return each sample's subgroup, str (n,), and the subgroups in order.

    `subset` is dev or test, `data` its samples. Raises ParamsError for a column that is not there or makes no subgroups.
    """
    named = params.task(task).select.bands
    if not named:
        return {}
    table = columns(task, subset, data)
    check(list(table), named, f"{task}.select.subgroups")
    return {name: divide(table[name], edges, f"tasks.{task}.select.subgroups.{name}") for name, edges in named.items()}


def columns(task: str, subset: str, data: Dataset) -> pd.DataFrame:
    """Return all columns of the samples in `data`, the task's `subset`, dev or test; a table's excluded columns, too."""
    path = TaskPaths(task).subset_columns(subset)
    if params.task(task).kind == "table" and not path.exists():
        return data.X("columns")
    kept = pd.read_csv(require(path, f"preprocess@{task}"), dtype=str, keep_default_na=False).drop(columns="path")
    return pd.concat([data.X("columns"), kept], axis=1) if params.task(task).kind == "table" else kept


def divide(column: pd.Series, edges: list[float], where: str) -> tuple[np.ndarray, list[str]]:
    """Return each sample's subgroup, str (n,), and the subgroups there are, in order; an edge belongs to the upper band."""
    cells = ["" if cell != cell else f"{cell:g}" if isinstance(cell, float) else cell for cell in column]
    if edges:
        names = [f"under {edges[0]:g}", *(f"{a:g} to under {b:g}" for a, b in pairwise(edges))]
        names.append(f"{edges[-1]:g} and over")
        try:
            numbers = np.array([tables.as_number(cell) for cell in cells])
        except ValueError:
            raise ParamsError(f"params.yaml: {where}: bands are for numbers; the column holds words: null") from None
        bands = np.searchsorted(edges, numbers, side="right")
        values = [MISSING if np.isnan(x) else names[i] for x, i in zip(numbers, bands, strict=True)]
    else:
        values = [MISSING if tables.is_missing(cell) else cell for cell in cells]
        names = sorted(set(values) - {MISSING})
        if len(names) > MOST:
            raise ParamsError(
                f"params.yaml: {where}: the column has {len(names)} values, at most {MOST} can be subgroups; "
                "divide numbers into bands, for instance [40, 60]"
            )
    there = set(values)
    return np.array(values, dtype=str), [name for name in [*names, MISSING] if name in there]


def score(
    parts: Subgroups,
    data: Dataset,
    proba: np.ndarray,
    decided: np.ndarray,
    draws: int,
    repeats: int = 1,
    n_folds: int | None = None,
) -> list[SubgroupScores] | None:
    """Return the figures of each subgroup of `parts`, see `read`; None where they name none.

    `data` holds each sample `repeats` times, one repeat after the other; `proba` (n, n_classes) and `decided` (n,) belong to
    its rows; `n_folds` as for `scoring.assess`.
    """
    metrics = ("accuracy", "roc_auc", *(("recall", "specificity") if data.positive else ()))
    scores = []
    for column, (values, names) in parts.items():
        for name in names:
            rows = np.flatnonzero(np.tile(values == name, repeats))
            part = score_part(data, rows, proba, decided, metrics, draws, repeats, n_folds)
            scores.append(SubgroupScores(**vars(part), column=column, value=name))
    return scores or None
