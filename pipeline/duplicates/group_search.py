"""Find which samples belong to one patient, and on what grounds: by names of columns, or by what is in them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd

from pipeline.core.artifacts import JSON
from pipeline.data import tables
from pipeline.data.columns.group_names import FAMILIES, NamedGroup, count_spellings, count_values, find_named, read_name
from pipeline.data.columns.id_columns import find_dates
from pipeline.data.columns.words import key
from pipeline.data.grouping.group_cells import find_numbered, find_parts, join_columns
from pipeline.data.grouping.path_groups import PathGroup
from pipeline.data.tabular.header import is_number_like
from pipeline.data.tabular.missing import is_unknown
from pipeline.duplicates.alike import are_alike, is_followed, usual_distance
from pipeline.duplicates.fixed_label import find_fixed_label, is_decimal
from pipeline.duplicates.joined_columns import find_persons, find_site, starts_anew
from pipeline.duplicates.rows.near_rows import without_copies
from pipeline.duplicates.rows.row_clusters import RowClusters, find_clusters, is_rich, normal_scores
from pipeline.stats.components import joined_sets

FEW = 20  # groups: with fewer an interval is wide, and a test set holds a handful
ALIKE_ROWS = 0.8  # and of rows, because those of one site are a little alike
COARSER = 0.75  # values of a part over those of the whole cell, from which on down the part is the patient
UNIQUE = 0.9  # share of a column's cells that differ, from which on a part of them may say the patient
LARGE_SHARE, LARGE = 0.1, 10  # of the samples, and times the usual group: one that may be no patient
MOST_STAYS = 20  # of a patient, on average; a column of more is one of sites
PAIRS_SHARE = 0.7  # of the pairs of rows that belong together, whose value a column must share; 0.8 to 1 for visits
AGREEMENT = 0.6  # adjusted Rand index of its values and the sets of such rows, at least; 0.8 to 1 for visits, 0 for sex
FEWEST_PAIRS = 5
MOST_VALUES = 0.9  # of a column by which rows belong together, as a share of the rows


@dataclass(frozen=True)
class Grouping:
    """What `search_table` and `image_groups.search_images` return.

    column : the column that says which samples belong to one patient, or None
    pattern : the regular expression that finds it in the paths, or in the column, or None
    n_groups : how many values there are, 0 where nothing was found
    grounds : why it is taken, or what was looked for, in words
    group_with : further columns that say the patient together with `column`
    """

    column: str | None = None
    pattern: str | None = None
    n_groups: int = 0
    grounds: str = ""
    group_with: tuple[str, ...] = ()

    @property
    def is_known(self) -> bool:
        """Whether a column or a part of the path divides the samples."""
        return self.n_groups > 0

    def to_read(self) -> JSON:
        """Return it as keys of `read` in params.yaml."""
        read: JSON = {"group": self.column, "group_with": list(self.group_with), "group_from": self.pattern}
        return {key: value for key, value in read.items() if value}


def search_table(table: pd.DataFrame, seed: int, labels: Sequence[str] | None = None) -> Grouping:
    """Return the column by which the rows of a table belong together.

    Parameters
    ----------
    table : the columns besides label and shipped split, as text
    seed : breaks ties between equal numbers
    labels : (n,), for a search by the label where nothing else divides the rows

    Notes
    -----
    A column that is named like a patient is taken. Among others, those whose values are the sets of rows that lie far closer
    together than chance explains (`row_clusters`): nearly all such pairs share the value, and it divides the rows as these sets
    do, so that sex or site, which visits of one patient share too, are not taken. In a column whose cells differ, P001-V1, a part
    is taken where a visit follows it, or rows that share it are alike.
    """
    named = find_named(table)
    certain = [group for group in named if group.certain]
    if certain:
        column = family_of(table, certain[0].column, named) or coarsest(table, certain)
        return with_site(table, by_name(table, column), labels)
    joined = by_numbered(table) or by_persons(table)
    if joined:
        return joined
    explained = explain_clusters(table, seed)
    if explained:
        n_groups, _ = count_values(table[explained])
        return Grouping(explained, None, n_groups, f"its {n_groups} values are sets of rows that are nearly equal")
    alike = search_alike(table, labels, seed)
    if alike:
        return alike
    if named:
        return by_name(table, named[0].column)
    fixed = None if labels is None else find_fixed_label(table, labels)
    if fixed:
        n_groups, _ = count_values(table[fixed])
        return Grouping(
            fixed,
            None,
            n_groups,
            f"the label hardly varies within its {n_groups} values, and they say nothing of others",
        )
    return Grouping(grounds=f"{about_names(table)}, and none has values that nearly equal rows share")


def about_names(table: pd.DataFrame) -> str:
    """Return why no column is taken by its name: none is named like a patient, or it says nothing."""
    for column in table:
        named = read_name(column)
        if named is not None and named.certain and table[column].nunique() == 1:
            return f"column {column!r} has {table[column].iloc[0]!r} in all rows"
    return "no column is named like a patient"


def coarsest(table: pd.DataFrame, named: list[NamedGroup]) -> str:
    """Return the first of the columns, or another one of the same level that holds it, as patients hold stays."""
    column = named[0].column
    for group in named[1:]:
        n_values, n_of_other = count_values(table[column])[0], count_values(table[group.column])[0]
        is_patient = group.level == named[0].level and n_values > n_of_other >= max(FEW, n_values / MOST_STAYS)
        if is_patient and is_nested(table, column, group.column):
            column = group.column
    return column


def is_nested(table: pd.DataFrame, column: str, other: str) -> bool:
    """Return whether each value of a column has one value of the other."""
    sets = table[[column, other]]
    sets = sets[~sets.map(is_unknown).any(axis=1)]
    return bool(len(sets) and sets.groupby(column)[other].nunique().max() == 1)


def by_numbered(table: pd.DataFrame) -> Grouping | None:
    """Return the grouping by a column named like a patient whose cells also count the samples of each; None without."""
    for column in table:
        named = read_name(column)
        part = find_numbered(table[column].tolist()) if named is not None and named.certain else None
        if part:
            return by_column(column, part, "named so, and their numbers start anew in each")
    return None


def family_of(table: pd.DataFrame, column: str, named: list[NamedGroup]) -> str | None:
    """Return the column of families or households of which each patient has one, None without."""
    for group in named:
        if key(group.column).startswith(FAMILIES) and is_nested(table, column, group.column):
            return group.column
    return None


def search_alike(table: pd.DataFrame, labels: Sequence[str] | None, seed: int) -> Grouping | None:
    """Return the column, or the part of its cells, by which rows that share it are alike; None where there is none.

    A part is taken without a test where a visit, a side or a copy follows it.
    """
    candidates = column_candidates(table)
    named = next(((column, part) for column, part in candidates if part.is_named), None)
    if named:
        return by_column(*named, "a visit, a side or a copy follows it")
    wanted = [""] * len(table) if labels is None else labels
    typed = tables.typed(table)
    rich = [
        name for name in typed if is_rich(typed[name]) and name not in {c for c, part in candidates if part.pattern}
    ]
    scores = pd.DataFrame(normal_scores(typed[rich].to_numpy(np.float64), seed), columns=rich)
    representatives = without_copies(typed, rich)
    for column, part in candidates:
        others = scores.drop(columns=column, errors="ignore").to_numpy()
        read = partial(np.take, others, axis=0)
        if others.shape[1] < 2 or not are_alike(part.values, wanted, read, ALIKE_ROWS, seed):
            continue
        if part.pattern:
            return by_column(column, part, "rows that share it are more alike than others")
        single = [value if row in representatives else "" for row, value in enumerate(part.values)]
        by_copies = usual_distance(single, wanted, read, seed, across=False) > ALIKE_ROWS
        if not by_copies and not is_measured(table, column, seed):
            return by_column(column, part, "rows that share it are more alike than others")
    return None


def column_candidates(table: pd.DataFrame) -> list[tuple[str, PathGroup]]:
    """Return the parts of cells that divide the samples, then whole columns that do so, with an empty pattern."""
    dates = find_dates(table)
    parts, repeated = [], []
    for column in table.columns.difference(list(dates), sort=False):
        cells, (n_values, n_cells) = table[column].tolist(), count_values(table[column])
        if n_values >= UNIQUE * n_cells:
            if read_name(column) is not None or not all(map(is_number_like, cells)):
                parts += [(column, part) for part in find_parts(cells)]
        elif FEW <= n_values <= MOST_VALUES * n_cells and not is_decimal(table[column]):
            if not all(map(is_number_like, cells)):  # a sample or an eye that repeats, of a patient
                parts += [(column, part) for part in find_parts(cells) if part.n_values <= COARSER * n_values]
            repeated.append((column, PathGroup("", f"column {column!r}", cells)))
    return parts + repeated


def by_column(column: str | None, part: PathGroup, why: str) -> Grouping:
    """Return the grouping by a part of a column's cells, by the whole cells, or without a column by a part of the path."""
    return Grouping(
        column, part.pattern or None, part.n_values, f"{part.words}, {part.n_values} values: {why}{few(part.n_values)}"
    )


def is_measured(table: pd.DataFrame, column: str, seed: int) -> bool:
    """Return whether other columns follow the values of one, as they do where it is a measurement or a grade."""
    typed = tables.typed(table)
    rich = [name for name in typed if is_rich(typed[name]) and name != column]
    cells = typed[column] if tables.is_number(typed[column]) else table[column]
    order = np.unique(cells.to_numpy(), return_inverse=True)[1]
    return is_followed(order, normal_scores(typed[rich].to_numpy(np.float64), seed), ALIKE_ROWS, seed)


def by_name(table: pd.DataFrame, column: str) -> Grouping:
    """Return the grouping by a column that is named like a patient, by the part before an eye or a visit where it has one."""
    n_groups, n_cells = count_values(table[column])
    cells = [cell for cell in table[column] if not is_unknown(cell)]
    for part in find_parts(cells):
        if part.is_named and all(part.values) and part.n_values <= COARSER * n_groups:
            return by_column(column, part, "named so, and a visit, a side or a copy follows it")
    n_groups = count_spellings(cells)
    without = len(table) - n_cells
    rest = f", {without} without one, of which each counts as another patient" if without else ""
    sizes = table[column][~table[column].map(is_unknown)].value_counts()
    if sizes.iloc[0] > max(LARGE_SHARE * n_cells, LARGE * sizes.median()):
        rest += f", {sizes.iloc[0]} of them have {sizes.index[0]!r}: if it means unknown, empty these cells"
    return Grouping(column, None, n_groups, f"named so, {n_groups} values in {n_cells} samples{rest}" + few(n_groups))


def by_persons(table: pd.DataFrame) -> Grouping | None:
    """Return the grouping by names of persons and dates of birth, None without."""
    joined_columns = find_persons(table)
    if joined_columns is None:
        return None
    column, *others = joined_columns.columns
    return Grouping(
        column, None, joined_columns.n_values, joined_columns.reason + few(joined_columns.n_values), tuple(others)
    )


def with_site(table: pd.DataFrame, grouping: Grouping, labels: Sequence[str] | None) -> Grouping:
    """Return the grouping by number and site where numbers start anew at each site, with a remark where they may."""
    site = find_site(table, grouping.column) if grouping.column and not grouping.pattern else None
    if site is None or grouping.column is None:
        return grouping
    if not starts_anew(table, grouping.column, site, labels):
        remark = f"; its values stand at several values of {site!r}: if they start anew in each, --group {grouping.column},{site}"
        return replace(grouping, grounds=grouping.grounds + remark)
    n_groups, _ = count_values(join_columns(table, (grouping.column, site)))
    grounds = f"its numbers start anew in each {site!r}, {n_groups} pairs{few(n_groups)}"
    return Grouping(grouping.column, None, n_groups, grounds, (site,))


def few(n_groups: int) -> str:
    """Return a remark where there are few groups."""
    return f"; {n_groups} groups are few: figures will be uncertain" if n_groups < FEW else ""


def explain_clusters(table: pd.DataFrame, seed: int) -> str | None:
    """Return the column whose values are the sets of rows that certainly belong together, None where there is none."""
    counts = {column: count_values(table[column]) for column in table}
    repeated = [
        column
        for column, (n_values, n_cells) in counts.items()
        if 3 <= n_values <= MOST_VALUES * n_cells and not is_decimal(table[column])
    ]
    alone = [str(row) for row in range(len(table))]
    measured = [column for column, (n, n_cells) in counts.items() if n < n_cells or is_decimal(table[column])]
    typed = tables.typed(table[measured])
    if not len(typed.columns) or not find_clusters(typed, alone, seed).detected:
        return None
    for column in repeated:
        clusters = find_clusters(typed.drop(columns=column), alone, seed)
        if clusters.detected and agrees(table[column], clusters) and not is_measured(table, column, seed):
            return column
    return None


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
