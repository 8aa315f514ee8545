"""Find which samples belong to one patient, and on what grounds: by names of columns, by what is in them, or by paths."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.data import tables
from pipeline.data.columns.group_names import count_values, find_named
from pipeline.data.grouping.path_groups import PathGroup, find_candidates
from pipeline.duplicates.cross_fitted_auc import cross_fit
from pipeline.duplicates.row_clusters import RowClusters, find_clusters
from pipeline.stats.components import joined_sets

FEW = 20  # groups: with fewer an interval is wide, and a test set holds a handful
MANY = 10  # groups: of several divisions that images confirm the coarsest with so many is taken
MOST_IMAGES = 240  # that are looked at to confirm a division
MOST_OF_ONE = 6  # of them with one value
PERMUTATIONS = 1999
LEVEL = 0.001
ALIKE = 0.95  # mean distance inside of groups over that between them, at most
PAIRS_SHARE = 0.7  # of the pairs of rows that belong together, whose value a column must share; 0.8 to 1 for visits
AGREEMENT = 0.6  # adjusted Rand index of its values and the sets of such rows, at least; 0.8 to 1 for visits, 0 for sex
FEWEST_PAIRS = 5
PREDICTED = 0.8  # ROC AUC of values that were left out, from which on a column is a measurement rather than an id
MOST_VALUES = 0.9  # of a column by which rows belong together, as a share of the rows


@dataclass(frozen=True)
class Grouping:
    """What `search_table` and `search_images` return.

    column : the column that says which samples belong to one patient, or None
    pattern : the regular expression that finds it in the paths, or None
    n_groups : how many values there are, 0 where nothing was found
    grounds : why it is taken, or what was looked for, in words
    """

    column: str | None = None
    pattern: str | None = None
    n_groups: int = 0
    grounds: str = ""

    @property
    def is_known(self) -> bool:
        """Whether a column or a part of the path divides the samples."""
        return self.n_groups > 0


def search_table(table: pd.DataFrame, seed: int, labels: Sequence[str] | None = None) -> Grouping:
    """Return the column by which the rows of a table belong together.

    Parameters
    ----------
    table : the columns besides label and shipped split, as text
    seed : breaks ties between equal numbers
    labels : (n,), for a search by the label where nothing else divides the rows

    Notes
    -----
    A column that is named like a patient is taken. Of others, those whose values are the sets of rows that lie far closer
    together than chance explains (`row_clusters`): nearly all such pairs share the value, and it divides the rows as these sets
    do, so that sex or site, which visits of one patient share too, are not taken.
    """
    named = find_named(table)
    certain = [group for group in named if group.certain]
    if certain:
        return by_name(table, certain[0].column)
    explained = explain_clusters(table, seed)
    if explained:
        n_groups, _ = count_values(table[explained])
        return Grouping(explained, None, n_groups, f"its {n_groups} values are sets of rows that are nearly equal")
    if named:
        return by_name(table, named[0].column)
    fixed = None if labels is None else find_fixed_label(table, labels)
    if fixed:
        n_groups, _ = count_values(table[fixed])
        return Grouping(
            fixed, None, n_groups, f"each of its {n_groups} values has one label, and says nothing of others"
        )
    return Grouping(grounds="no column is named like a patient, and none has values that nearly equal rows share")


def find_fixed_label(table: pd.DataFrame, labels: Sequence[str]) -> str | None:
    """Return the column whose values fix the label as patients do, None where there is none.

    Each of many repeated values has one label, and values that were left out are not predicted by their neighbours, as they are
    where the column is a measurement.
    """
    label = np.asarray(labels, dtype=str)
    for column in table:
        rows = np.flatnonzero((table[column] != "").to_numpy() & (label != ""))
        codes, values = pd.factorize(table[column].to_numpy()[rows])
        sizes = np.bincount(codes, minlength=len(values))
        if len(values) < FEW or (sizes > 1).sum() < FEW or len(rows) < 2 * len(values):
            continue
        of_value = pd.Series(label[rows]).groupby(codes).nunique()
        if of_value.max() > 1 or len(set(label[rows])) < 2:
            continue
        numbers = tables.typed(table[[column]].iloc[rows].reset_index(drop=True))[column]
        if not tables.is_number(numbers) or is_decimal(table[column]):
            continue  # a code that stands for one label is for the search for leaks, a measurement is none of an id
        fitted = cross_fit(numbers.to_numpy(float)[:, None], label[rows], codes)
        if fitted is not None and fitted.roc_auc < PREDICTED:
            return column
    return None


def by_name(table: pd.DataFrame, column: str) -> Grouping:
    """Return the grouping by a column that is named like a patient."""
    n_groups, n_cells = count_values(table[column])
    return Grouping(column, None, n_groups, f"named so, {n_groups} values in {n_cells} samples" + few(n_groups))


def few(n_groups: int) -> str:
    """Return a remark where there are few groups."""
    return f"; {n_groups} groups are few: figures will be uncertain" if n_groups < FEW else ""


def explain_clusters(table: pd.DataFrame, seed: int) -> str | None:
    """Return the column whose values are the sets of rows that certainly belong together, None where there is none."""
    counts = {column: count_values(table[column]) for column in table}
    repeated = [column for column, (n_values, n_cells) in counts.items() if 3 <= n_values <= MOST_VALUES * n_cells]
    alone = [str(row) for row in range(len(table))]
    measured = [column for column, (n, n_cells) in counts.items() if n < n_cells or is_decimal(table[column])]
    typed = tables.typed(table[measured])
    if not len(typed.columns) or not find_clusters(typed, alone, seed).detected:
        return None
    for column in repeated:
        clusters = find_clusters(typed.drop(columns=column), alone, seed)
        if clusters.detected and agrees(table[column], clusters):
            return column
    return None


def is_decimal(column: pd.Series) -> bool:
    """Return whether a column has numbers with digits behind the point, as measurements have and running numbers have not."""
    return any("." in cell for cell in column)


def agrees(column: pd.Series, clusters: RowClusters) -> bool:
    """Return whether a column's values are the sets of rows that belong together."""
    from sklearn.metrics import adjusted_rand_score

    pairs = clusters.pairs
    if len(pairs) < FEWEST_PAIRS:
        return False
    a, b = np.array(pairs).T
    values = column.to_numpy()
    if (values[a] == values[b]).mean() < PAIRS_SHARE:
        return False
    sets = joined_sets(len(column), pairs)
    rows = np.concatenate(sets)
    number = np.repeat(np.arange(len(sets)), [len(members) for members in sets])
    return adjusted_rand_score(values[rows], number) >= AGREEMENT


def search_images(
    paths: Sequence[str],
    labels: Sequence[str],
    fixed: int,
    columns: pd.DataFrame,
    read: Callable[[list[int]], np.ndarray],
    seed: int,
) -> Grouping:
    """Return the column, or the part of the path, by which images belong to one patient.

    Parameters
    ----------
    paths, labels : (n,) of each image
    fixed : the number of folders at the top that are classes or shipped splits
    columns : (n, n_columns) further columns of the CSV that names the images, none for folders
    read : returns the features (m, n_features) of the images at m positions; a row of NaN where one cannot be read
    seed : of the choice of images and the permutations
    """
    named = find_named(columns)
    if named:
        return by_name(columns, named[0].column)
    candidates = find_candidates(paths, fixed)
    confirmed = [candidate for candidate in candidates if is_confirmed(candidate, labels, read, seed)]
    taken = [group for group in confirmed if group.n_values >= MANY] or confirmed
    if not taken:
        taken = [group for group in candidates if group.is_named]
    if not taken:
        rejected = f"; {len(candidates)} parts of the paths divide them, but not into images that are alike" * bool(
            candidates
        )
        return Grouping(
            grounds=f"no column, folder or part of the file names says which images are of one patient{rejected}"
        )
    best = taken[0]
    why = "images that share it are more alike than others" if best in confirmed else "it is named so"
    return Grouping(
        None, best.pattern, best.n_values, f"{best.words}, {best.n_values} values: {why}" + few(best.n_values)
    )


def is_confirmed(
    candidate: PathGroup, labels: Sequence[str], read: Callable[[list[int]], np.ndarray], seed: int
) -> bool:
    """Return whether images that share a value are more alike than others of their class: a permutation test.

    Equal names in two classes, benign/1.png and malignant/1.png, say nothing, and classes differ anyway: so only images of one
    class are compared.
    """
    rng = np.random.default_rng(seed)
    chosen = choose(candidate.values, labels, rng)
    if len(chosen) < 8:
        return False
    features = read(chosen)
    known = np.isfinite(features).all(axis=1)
    features, rows = features[known], np.array(chosen)[known]
    spread = features.std(axis=0)
    features = (features - features.mean(axis=0)) / np.where(spread > 0, spread, 1)
    distance = np.sqrt(np.maximum(((features[:, None] - features[None]) ** 2).sum(axis=2), 0))
    label = pd.factorize(np.asarray(labels, dtype=object)[rows])[0]
    value = pd.factorize(np.asarray(candidate.values, dtype=object)[rows])[0]
    a, b = np.triu_indices(len(rows), 1)
    of_one_class = label[a] == label[b]
    a, b = a[of_one_class], b[of_one_class]
    between = distance[a, b]
    is_same = value[a] == value[b]
    if is_same.sum() < FEWEST_PAIRS or is_same.all():
        return False
    inside = between[is_same].mean()
    if inside > ALIKE * between[~is_same].mean():
        return False
    rows_of_class = [np.flatnonzero(label == code) for code in np.unique(label)]
    as_small = 0
    for _ in range(PERMUTATIONS):
        shuffled = value.copy()
        for members in rows_of_class:
            shuffled[members] = rng.permutation(value[members])
        as_small += between[shuffled[a] == shuffled[b]].mean() <= inside
    return (1 + as_small) / (1 + PERMUTATIONS) < LEVEL


def choose(values: Sequence[str], labels: Sequence[str], rng: np.random.Generator) -> list[int]:
    """Return the positions of images to compare, several for each value, of values drawn at random in each class."""
    table = pd.DataFrame({"value": values, "label": labels})
    table = table[table["value"] != ""]
    sets = [rows.to_numpy() for _, rows in table.groupby(["label", "value"]).groups.items() if len(rows) > 1]
    chosen: list[int] = []
    for number in rng.permutation(len(sets)):
        if len(chosen) >= MOST_IMAGES:
            break
        chosen += rng.permutation(sets[number])[:MOST_OF_ONE].tolist()
    return sorted(chosen[:MOST_IMAGES])
