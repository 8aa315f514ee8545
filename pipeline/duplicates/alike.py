"""Whether samples that share a value are more alike than others of their class: a permutation test."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

MOST_SAMPLES = 240  # that are compared
MOST_OF_ONE = 6  # of them with one value
FEWEST_PAIRS = 5
FEWEST_VALUES = 10  # whose usual distance says something
PERMUTATIONS = 1999
LEVEL = 0.001


def are_alike(
    values: Sequence[str], labels: Sequence[str], read: Callable[[list[int]], np.ndarray], most: float, seed: int
) -> bool:
    """Return whether samples that share a value are more alike than others of their class.

    Equal names in two classes, benign/1.png and malignant/1.png, say nothing, and classes differ anyway: so only samples of one
    class are compared.

    Parameters
    ----------
    values, labels : (n,) of each sample; those without a value are not compared
    read : returns the features (m, n_features) of the samples at m positions; a row with NaN is left out
    most : the mean distance inside of values over that between them, at most
    seed : of the choice of samples and the permutations
    """
    rng = np.random.default_rng(seed)
    rows, features = standard(choose(values, labels, rng), read)
    if len(rows) < 8:
        return False
    label = pd.factorize(np.asarray(labels, dtype=object)[rows])[0]
    value = pd.factorize(np.asarray(values, dtype=object)[rows])[0]
    a, b = np.triu_indices(len(rows), 1)
    of_one_class = label[a] == label[b]
    a, b = a[of_one_class], b[of_one_class]
    between = distances(features)[a, b]
    is_same = value[a] == value[b]
    if is_same.sum() < FEWEST_PAIRS or is_same.all():
        return False
    inside = between[is_same].mean()
    if inside > most * between[~is_same].mean():
        return False
    rows_of_class = [np.flatnonzero(label == code) for code in np.unique(label)]
    as_small = 0
    for _ in range(PERMUTATIONS):
        shuffled = value.copy()
        for members in rows_of_class:
            shuffled[members] = rng.permutation(value[members])
        as_small += between[shuffled[a] == shuffled[b]].mean() <= inside
    return (1 + as_small) / (1 + PERMUTATIONS) < LEVEL


def usual_distance(
    values: Sequence[str], labels: Sequence[str], read: Callable[[list[int]], np.ndarray], seed: int, across: bool
) -> float:
    """Return how far apart samples that share a value usually are, where 1 is usual for samples of their classes.

    The median over values of the median of their pairs, which a few copies do not change. NaN for fewer than FEWEST_VALUES.

    Parameters
    ----------
    values, labels, read, seed : as of `are_alike`
    across : whether pairs of two classes are compared rather than those of one
    """
    rng = np.random.default_rng(seed)
    table = pd.DataFrame({"value": values, "label": labels}, dtype=object)
    if across:
        n_classes = table.groupby("value")["label"].transform("nunique")
        chosen = choose(table["value"].where(n_classes > 1, "").tolist(), [""] * len(table), rng)
    else:
        chosen = choose(table["value"].tolist(), table["label"].tolist(), rng)
    rows, features = standard(chosen, read)
    label, value = (pd.factorize(table[column].to_numpy()[rows])[0] for column in ("label", "value"))
    a, b = np.triu_indices(len(rows), 1)
    wanted = (label[a] != label[b]) == across
    a, b = a[wanted], b[wanted]
    distance = pd.Series(distances(features)[a, b])
    classes = [np.minimum(label[a], label[b]), np.maximum(label[a], label[b])]
    usual = distance.groupby(classes).transform("median")
    ratio = (distance / usual.where(usual > 0, 1))[value[a] == value[b]]
    of_value = ratio.groupby([*(of[ratio.index] for of in classes), value[a][ratio.index]]).median()
    return float(of_value.median()) if len(of_value) >= FEWEST_VALUES else float("nan")


def standard(chosen: list[int], read: Callable[[list[int]], np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return the positions of the chosen samples that can be read, and their features with a spread of 1."""
    features = read(chosen) if chosen else np.zeros((0, 1))
    known = np.isfinite(features).all(axis=1)
    if not known.any():
        return np.zeros(0, int), features[known]
    features = features[known]
    spread = features.std(axis=0)
    return np.array(chosen)[known], (features - features.mean(axis=0)) / np.where(spread > 0, spread, 1)


def distances(features: np.ndarray) -> np.ndarray:
    """Return the distance of each row of features from each other, (n, n)."""
    return np.sqrt(np.maximum(((features[:, None] - features[None]) ** 2).sum(axis=2), 0))


def is_followed(order: np.ndarray, features: np.ndarray, most: float, seed: int) -> bool:
    """Return whether rows of neighbouring values are more alike than others: the values are a measurement that others follow.

    `order` int (n,): where each row's value stands among the values; `features` float64 (n, n_features).
    """
    rows = np.random.default_rng(seed).permutation(len(order))[:MOST_SAMPLES]
    rank = np.unique(order[rows], return_inverse=True)[1]
    a, b = np.triu_indices(len(rows), 1)
    distance = np.sqrt(((features[rows[a]] - features[rows[b]]) ** 2).sum(axis=1))
    apart = np.abs(rank[a] - rank[b])
    if (apart == 1).sum() < FEWEST_PAIRS:
        return False
    return bool(distance[apart == 1].mean() < most * distance[apart > 1].mean())


def choose(values: Sequence[str], labels: Sequence[str], rng: np.random.Generator) -> list[int]:
    """Return the positions of samples to compare, several for each value, of values drawn at random in each class."""
    table = pd.DataFrame({"value": values, "label": labels})
    table = table[table["value"] != ""]
    sets = [rows.to_numpy() for _, rows in table.groupby(["label", "value"]).groups.items() if len(rows) > 1]
    chosen: list[int] = []
    for number in rng.permutation(len(sets)):
        if len(chosen) >= MOST_SAMPLES:
            break
        chosen += rng.permutation(sets[number])[:MOST_OF_ONE].tolist()
    return sorted(chosen[:MOST_SAMPLES])
