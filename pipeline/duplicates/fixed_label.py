"""Find the column whose values fix the label as patients do, where neither names nor alike rows say who is who."""

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

from pipeline.data import tables
from pipeline.data.columns.id_columns import find_dates
from pipeline.data.tabular.header import is_number_like
from pipeline.duplicates.cross_fitted_auc import cross_fit

FEW = 20  # values: with fewer a column may be a category
VARIES = 0.15  # of the rows that chance would give another label than their patient's, that may have one
FEWEST_DIFFERING = 10  # such rows by chance, from which on few of them tell anything
FEWEST_PATIENTS = 5  # of each class, with several rows
PREDICTED = 0.8  # ROC AUC of values that were left out, from which on a column is a measurement rather than an id


def find_fixed_label(table: pd.DataFrame, labels: Sequence[str]) -> str | None:
    """Return the column whose values fix the label as patients do, None where there is none.

    The label hardly varies within each of many repeated values, and values that were left out are not predicted by their
    neighbours, in size or in the alphabet, as they are where the column is a measurement or says the label in words.
    """
    label = np.asarray(labels, dtype=str)
    dates = find_dates(table)
    for column in table.columns.difference(list(dates), sort=False):
        rows = np.flatnonzero((table[column] != "").to_numpy() & (label != ""))
        codes, values = pd.factorize(table[column].to_numpy()[rows])
        sizes = np.bincount(codes, minlength=len(values))
        if len(values) < FEW or (sizes > 1).sum() < FEW or len(rows) < 2 * len(values):
            continue
        if not is_fixed(label[rows], codes) or is_decimal(table[column]):
            continue
        numbers = tables.typed(table[[column]].iloc[rows].reset_index(drop=True))[column]
        order = numbers if tables.is_number(numbers) else pd.Series(numbers.rank(method="dense"))
        fitted = cross_fit(order.to_numpy(float)[:, None], label[rows], codes)
        if fitted is not None and fitted.roc_auc < PREDICTED:
            return column
    return None


def is_fixed(labels: np.ndarray, codes: np.ndarray) -> bool:
    """Return whether rows of one value, int (n,), have one label far more often than chance explains.

    Each row counts once: the probability that another row of its value has another label is compared with that of any row.
    """
    kinds, wanted = np.unique(labels, return_inverse=True)
    n_cells = (codes.max() + 1) * len(kinds)
    counts = np.bincount(codes * len(kinds) + wanted, minlength=n_cells).reshape(-1, len(kinds)).astype(float)
    sizes = counts.sum(axis=1)
    shared = counts[sizes > 1]
    n = sizes[sizes > 1]
    differing = (n - (shared * (shared - 1)).sum(axis=1) / (n - 1)).sum()
    by_chance = n.sum() * (1 - ((counts.sum(axis=0) / sizes.sum()) ** 2).sum())
    n_patients = (shared > n[:, None] / 2).sum(axis=0)  # of each class
    return bool(
        n_patients.min() >= FEWEST_PATIENTS and by_chance >= FEWEST_DIFFERING and differing <= VARIES * by_chance
    )


def is_decimal(column: pd.Series) -> bool:
    """Return whether a column has numbers with digits behind the point, as measurements have and running numbers have not."""
    return any(re.search(r"[.]\d*[1-9]", cell) for cell in column if is_number_like(cell))
