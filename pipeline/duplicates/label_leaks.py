"""Find columns of a table that are the label by another name: each column alone is tried on groups it was not learnt on."""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from pipeline.data import tables
from pipeline.data.columns.id_columns import NoFeature
from pipeline.duplicates.cross_fitted_auc import CrossFitted, cross_fit, cross_fit_codes, divide, is_enough, limits

SUSPECT = 0.99  # one-sided lower limit of the ROC AUC from which on a column nearly determines the label
REPORTED = 0.98  # ROC AUC from which on a column is reported, even where too few rows make the lower limit low
FEW_VALUES = 20  # whole numbers with at most so many values are codes
MOST_CODES = 60  # columns whose pairs are looked at
FEWEST_ROWS = 5  # with each value of a code that stands for one label


@dataclass(frozen=True)
class LabelLeak:
    """A column that predicts the label nearly by itself.

    low : one-sided lower limit of its cross-fitted ROC AUC; 1 where each of its values stands for one label
    is_code : whether it is a code or category rather than a measurement
    is_part : whether it determines the label only together with the columns next to it, see `label_parts`
    is_filled : whether it determines the label by which cells are filled, as a dose that only the ill have does
    """

    column: str
    roc_auc: float
    low: float
    is_code: bool
    is_part: bool = False
    is_filled: bool = False

    @property
    def is_left_out(self) -> bool:
        """Whether it is left out: a code that certainly determines the label. Others are kept and reported."""
        return self.is_code and self.low > SUSPECT

    @property
    def why_kept(self) -> str:
        """Return the sentence on a column that is kept."""
        reason = "too few rows to be sure; --exclude leaves it out" if self.is_code else "it is a measurement"
        return f"{self.column}: ROC AUC {self.roc_auc:.3f} by itself (at least {self.low:.3f}); kept, because {reason}"

    def as_no_feature(self) -> NoFeature:
        """Return it as a column that is no feature."""
        how = "each of its values stands for one label" if self.low == 1 else f"ROC AUC {self.roc_auc:.3f} by itself"
        how = "one of adjacent 0/1 columns that are the label together" if self.is_part else how
        how = "whether it is filled says it" if self.is_filled else how
        return NoFeature(self.column, "label", f"leaks the label: {how}")


def find_label_leaks(features: pd.DataFrame, labels: np.ndarray, groups: np.ndarray) -> list[LabelLeak]:
    """Return the columns that predict the label nearly by themselves, those that are kept included.

    Parameters
    ----------
    features : columns as `data.tables.typed` makes them: float64 (NaN is missing) or text
    labels : (n,) str
    groups : (n,) int; samples of one group are not told apart
    """
    leaks, folds = [], divide(labels, groups) if is_enough(labels, groups) else []
    parts = label_parts(features, labels)
    for name in features:
        column = features[name]
        if (column.isna() | (column == "")).all():
            continue  # an empty column says nothing
        is_code = not tables.is_number(column) or is_coded(column)
        alone = is_code and (determines_label(column, labels, groups) or is_indicator(column, labels))
        if alone or name in parts:
            leaks.append(LabelLeak(name, 1.0, 1.0, True, not alone))
            continue
        if not is_code and says_by_gaps(column, labels, groups):
            leaks.append(LabelLeak(name, 1.0, 1.0, True, is_filled=True))
            continue
        fitted = fit_alone(column, is_code, labels, groups, folds)
        if fitted is not None and fitted.roc_auc > REPORTED:
            leaks.append(LabelLeak(name, fitted.roc_auc, limits(fitted, one_sided=True)[0], is_code))
    return leaks


def find_joint_leaks(features: pd.DataFrame, labels: np.ndarray, groups: np.ndarray) -> list[tuple[str, str]]:
    """Return the pairs of code columns of which each pair of values stands for one label, as of a label hidden in two."""
    codes = {}
    for name in features:
        column = features[name]
        if (not tables.is_number(column) or is_coded(column)) and 2 <= column.nunique(dropna=False) <= FEW_VALUES:
            codes[name] = pd.factorize(column, use_na_sentinel=False)[0]
    wanted = pd.factorize(labels)[0]
    n_labels = wanted.max(initial=0) + 1
    pairs = []
    for first, second in combinations(list(codes)[:MOST_CODES], 2):
        both = codes[first] * (codes[second].max() + 1) + codes[second]
        counts = np.bincount(both * n_labels + wanted, minlength=(both.max() + 1) * n_labels).reshape(-1, n_labels)
        if (counts > 0).sum(axis=1).max() > 1:
            continue
        table = pd.DataFrame({"value": both, "label": labels, "group": groups})
        if stand_for_one(table, labels, are_words=False):
            pairs.append((first, second))
    return pairs


def says_by_gaps(column: pd.Series, labels: np.ndarray, groups: np.ndarray) -> bool:
    """Return whether which cells of a measurement are filled says the label."""
    empty = column.isna()
    if empty.all() or not empty.any():
        return False
    return determines_label(empty.map({True: "empty", False: "filled"}), labels, groups)


def is_coded(column: pd.Series) -> bool:
    """Return whether a column of numbers holds few whole values."""
    known = column.dropna().unique()
    return len(known) <= FEW_VALUES and bool((known == np.round(known)).all())


def determines_label(column: pd.Series, labels: np.ndarray, groups: np.ndarray) -> bool:
    """Return whether each value stands for one label, str (n,), and comes in `FEWEST_ROWS` groups or more.

    A missing cell is no value, or it is one of its own: a stage that only the ill have. Of words, `FEWEST_ROWS` groups a value on
    average are enough.
    """
    table = pd.DataFrame({"value": column.to_numpy(), "label": labels, "group": groups})
    is_known = ((table["value"] != "") & table["value"].notna()).to_numpy()
    filled = table.assign(value=table["value"].where(is_known, ""))
    are_words = not tables.is_number(column)
    return any(stand_for_one(rows, labels, are_words) for rows in (table[is_known], filled))


def stand_for_one(table: pd.DataFrame, labels: np.ndarray, are_words: bool) -> bool:
    """Return whether each `value` has one `label`, in enough groups, and most rows a value; `labels` (n,): of all rows."""
    if len(table) < 0.5 * len(labels) or table["label"].nunique() < len(set(labels)):
        return False
    of_value = table.groupby("value").agg({"label": "nunique", "group": "nunique"})
    of_label = table.groupby("label")["group"].nunique()
    fewest = min(FEWEST_ROWS, int(of_label.min()))
    if (of_value["label"] > 1).any():
        return False
    is_usual = are_words and of_label.min() >= FEWEST_ROWS and of_value["group"].mean() >= FEWEST_ROWS
    return is_usual or bool((of_value["group"] >= fewest).all())


def is_indicator(column: pd.Series, labels: np.ndarray) -> bool:
    """Return whether a column of two values is one of the columns of a one-hot label (n,) of several classes."""
    codes, values = pd.factorize(column)
    if len(values) != 2 or (codes < 0).any() or len(set(labels)) < 3:
        return False
    return any((codes == (labels == label)).all() or (codes != (labels == label)).all() for label in set(labels))


def label_parts(features: pd.DataFrame, labels: np.ndarray) -> set[str]:
    """Return the indicator columns that are parts of the label: adjacent, exclusive, and their sum is the indicator of a class.

    With the label `malignant`, the columns `normal` and `benign` are such parts, as are subtypes of what is malignant. Each alone
    predicts the label badly, together they are the label.
    """
    parts: set[str] = set()
    wanted = [labels == label for label in sorted(set(labels))]
    names = list(features)
    is_part = [
        tables.is_number(features[name]) and set(features[name].unique()) == {0.0, 1.0}  # NaN is neither
        for name in names
    ]
    for start in range(len(names)):
        total = np.zeros(len(labels))
        for end in range(start, len(names)):
            if not is_part[end]:
                break
            total = total + features[names[end]].to_numpy(float)
            if total.max(initial=0) > 1:
                break
            if end > start and any((total == indicator).all() for indicator in wanted):
                parts |= set(names[start : end + 1])
    return parts


def fit_alone(
    column: pd.Series, is_code: bool, labels: np.ndarray, groups: np.ndarray, folds: list[tuple[np.ndarray, np.ndarray]]
) -> CrossFitted | None:
    """Return how well a column predicts the labels by itself: by ranges of its numbers, or by its categories.

    None where there is too little to learn from, or a tree that has seen all samples reaches no more than `REPORTED`.
    """
    fits = []
    if tables.is_number(column):
        fits.append(cross_fit(as_numbers(column), labels, groups, folds, least=REPORTED))
    if is_code and folds and column.nunique(dropna=False) > 1:
        fits.append(cross_fit_codes(pd.factorize(column, use_na_sentinel=False)[0], labels, groups, folds))
    return max(filter(None, fits), key=lambda fitted: fitted.roc_auc, default=None)


def as_numbers(column: pd.Series) -> np.ndarray:
    """Return float64 (n, 2) for a tree: a number, and whether it is missing."""
    values = column.to_numpy(float)
    missing = np.isnan(values)
    middle = np.nanmedian(values) if not missing.all() else 0.0
    return np.stack([np.where(missing, middle, values), missing.astype(float)], axis=1)
