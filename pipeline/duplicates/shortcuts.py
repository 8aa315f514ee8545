"""What betrays the class without showing anything: a probe that sees one property of how a picture was taken."""

import warnings

import numpy as np
import pandas as pd

from pipeline.data.audit_result import Shortcut
from pipeline.stats.intervals import wilson

FOLDS = 5
DEPTH = 3  # of the tree: enough for a few ranges of a width, too little to know pictures by heart
# by which it must beat always guessing the commonest class; the lower end of its interval must beat that as well
MARGIN = 0.05
MOST_VALUES = 20  # of a property in words; rarer values count as one


def find_shortcuts(properties: dict[str, np.ndarray], labels: np.ndarray, groups: np.ndarray) -> list[Shortcut]:
    """Return each property from which a shallow tree guesses the class, sorted by name.

    `properties`: float arrays (n,) or (n, k), or str arrays (n,); `labels`: str (n,); `groups`: int (n,), kept together
    in cross-validation. `majority` is the share of the commonest class. With three classes or more each is also told
    from the rest, by the name `width (normal vs rest)`: a scanner that took one class only hardly shows in the whole.
    """
    n_groups, sizes = len(np.unique(groups)), np.unique(labels, return_counts=True)[1]
    if n_groups < FOLDS or len(sizes) < 2 or sizes.max() < FOLDS:
        return []
    folds = divide(labels, groups)
    found = []
    for name, values in sorted(properties.items()):
        table = as_numbers(values)
        if (table == table[0]).all():
            continue
        for view, wanted in views(name, labels):
            accuracy = float((probe(table, wanted, folds) == wanted).mean())
            majority = float(np.unique(wanted, return_counts=True)[1].max() / len(wanted))
            if accuracy > majority + MARGIN and wilson(accuracy * n_groups, n_groups)[0] > majority:
                found.append(Shortcut(view, accuracy, majority))
    return found


def divide(labels: np.ndarray, groups: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the positions to learn from and those held out, FOLDS times, each with its share of every class.

    Scans that come in a regular order would otherwise leave all of a class in one fold, and nobody to learn it from.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The least populated class")  # it is missing from some folds
        return list(StratifiedGroupKFold(FOLDS).split(labels, labels, groups))


def properties_of(samples: pd.DataFrame, tones: np.ndarray) -> dict[str, np.ndarray]:
    """Return what taking and storing the pictures left on them: sizes, mode, format, colour, and the site where it is given.

    `samples`: rows of samples.csv; `tones`: (n, 4), mean red, green, blue and border brightness.
    """
    size = samples[["width", "height", "bytes"]].astype(float)
    found = {column: size[column].to_numpy() for column in size}
    found |= {"aspect": found["width"] / found["height"], "mean colour": tones[:, :3], "border": tones[:, 3]}
    return found | {column: samples[column].to_numpy(str) for column in ("mode", "format", "site") if column in samples}


def views(name: str, labels: np.ndarray) -> list[tuple[str, np.ndarray]]:
    """Return what is to be guessed from `name`: the labels, and of three or more each against the rest."""
    classes = np.unique(labels)
    against = [(f"{name} ({label} vs rest)", np.where(labels == label, label, "")) for label in classes]
    return [(name, labels), *(against if len(classes) > 2 else [])]


def as_numbers(values: np.ndarray) -> np.ndarray:
    """Return float (n, k): numbers as they are, words as one column for each of their MOST_VALUES commonest values."""
    if values.dtype.kind == "f":
        return values.reshape(len(values), -1)
    common = pd.Series(values).value_counts(sort=True).sort_index().nlargest(MOST_VALUES).index
    return np.stack([values == value for value in common], axis=1).astype(float)


def probe(table: np.ndarray, wanted: np.ndarray, folds: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Return the (n,) classes that a tree guesses which has not seen their fold."""
    from sklearn.tree import DecisionTreeClassifier

    guessed = wanted.copy()
    for rest, held_out in folds:
        tree = DecisionTreeClassifier(max_depth=DEPTH, min_samples_leaf=5, random_state=0)
        guessed[held_out] = tree.fit(table[rest], wanted[rest]).predict(table[held_out])
    return guessed
