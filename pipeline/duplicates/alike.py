"""Whether samples that share a value are more alike than others of their class: a permutation test."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

MOST_SAMPLES = 240  # that are compared
MOST_OF_ONE = 6  # of them with one value
FEWEST_PAIRS = 5
PERMUTATIONS = 1999
LEVEL = 0.001


def are_alike(
    values: Sequence[str],
    labels: Sequence[str],
    read: Callable[[list[int]], np.ndarray],
    most: float,
    seed: int,
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
    chosen = choose(values, labels, rng)
    if len(chosen) < 8:
        return False
    features = read(chosen)
    known = np.isfinite(features).all(axis=1)
    features, rows = features[known], np.array(chosen)[known]
    spread = features.std(axis=0)
    features = (features - features.mean(axis=0)) / np.where(spread > 0, spread, 1)
    distance = np.sqrt(np.maximum(((features[:, None] - features[None]) ** 2).sum(axis=2), 0))
    label = pd.factorize(np.asarray(labels, dtype=object)[rows])[0]
    value = pd.factorize(np.asarray(values, dtype=object)[rows])[0]
    a, b = np.triu_indices(len(rows), 1)
    of_one_class = label[a] == label[b]
    a, b = a[of_one_class], b[of_one_class]
    between = distance[a, b]
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
