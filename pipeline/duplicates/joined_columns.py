"""Columns that say the patient together: first and last name, date of birth, a number that starts anew at each site."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from pipeline.data.columns.group_names import count_values
from pipeline.data.columns.id_columns import DATE, is_date, is_person_name
from pipeline.data.columns.words import plain
from pipeline.data.grouping.group_cells import join_columns
from pipeline.data.tabular.missing import is_unknown

FIRST_NAME = re.compile(r"(first|given|middle|fore|vor)name|prenom|nombre")
FULL_NAME = re.compile(r"(patients?|full|person|subject)?(name|nombre|nom)s?")
MOST_ROWS = 15  # of a person, on average; a name of more is that of a hospital or a drug
BIRTH = re.compile(r"birth|dob|geburt|gebdat|naissance|nacimiento|nascimento|nascita|geboorte")
SITE = re.compile(
    r"(site|cent(er|re)|hospital|clinic|institut(e|ion)?|cohort|country|region|ward|department|lab(oratory)?|source|klinik|zentrum|"
    r"standort|hopital|[a-z]*zentrum|[a-z]*klinik|(study|trial|recruiting|enrolling)(site|cent(er|re)))"
    r"(id|no|nr|nummer|number|code|name)?"
)
MOST_SITES = 0.2  # of the rows
REPEATED = 2.0  # rows of a date of birth, from which on it is a patient's rather than a coincidence
BORN_WITHIN = 365 * 30  # days in which a third of all people are born, or more
SHARED = 0.5  # of the numbers, that stand at more than one site
FIXED = 0.95  # of the pairs of rows with one number and one site, that have the same label, sex or the like
VARIES = 0.8  # of these, that are left of it with one number and two sites
FEWEST_PAIRS = 20


@dataclass(frozen=True)
class JoinedColumns:
    """Columns that say the patient together, the first one that names most; `reason` in words."""

    columns: tuple[str, ...]
    n_values: int
    reason: str


def find_persons(table: pd.DataFrame) -> JoinedColumns | None:
    """Return the columns of names and of the date of birth whose values together come back; None without.

    A first name alone is nobody, and a surname many people's; a date of birth alone is somebody where rows share it far more
    often than chance explains.
    """
    names = [column for column in table if is_person_name(column, table[column].tolist())]
    names.sort(key=lambda column: FIRST_NAME.fullmatch(plain(column)) is not None)
    births = [column for column in table if is_birth_date(column, table[column].tolist())][:1]
    columns = (*names, *births)
    if not columns or (len(columns) == 1 and names and not FULL_NAME.fullmatch(plain(names[0]))):
        return None
    values = join_columns(table, columns)
    n_values, n_cells = count_values(values)
    if not MOST_ROWS * n_values >= n_cells > n_values > 1:
        return None
    if not names and n_cells < REPEATED * n_values and not is_beyond_chance(table[births[0]]):
        return None
    what = (
        "names of persons" + " and dates of birth" * bool(births)
        if names
        else "dates of birth, shared by more rows than chance"
    )
    return JoinedColumns(columns, n_values, f"{what}, {n_values} different in {n_cells} samples")


def is_birth_date(column: str, cells: list[str]) -> bool:
    """Return whether a column has days of birth."""
    known = [cell for cell in cells if not is_unknown(cell)]
    return (
        bool(known)
        and BIRTH.search(plain(column)) is not None
        and is_date(column, known)
        and bool(DATE.fullmatch(known[0]))
    )


def is_beyond_chance(dates: pd.Series) -> bool:
    """Return whether more pairs of rows share a date of birth than those of other people do."""
    counts = dates[~dates.map(is_unknown)].value_counts()
    n, n_pairs = counts.sum(), (counts * (counts - 1) / 2).sum()
    expected = n * n / 2 / BORN_WITHIN
    return bool(n_pairs > 2 * expected + 4 * np.sqrt(expected) + 1)


def find_site(table: pd.DataFrame, column: str) -> str | None:
    """Return the column of sites at more than one of which most values of `column` stand, None without."""
    for site in table:
        if site == column or not SITE.fullmatch(plain(site)):
            continue
        known = table[~table[[column, site]].map(is_unknown).any(axis=1)]
        n_sites = known[site].nunique()
        if not 2 <= n_sites <= MOST_SITES * len(known):
            continue
        if (known.groupby(column)[site].nunique() > 1).mean() > SHARED:
            return site
    return None


def starts_anew(table: pd.DataFrame, column: str, site: str, labels: Sequence[str] | None) -> bool:
    """Return whether rows that share a number at two sites are of two patients.

    So they are where what is the same in all rows of a number at one site, the label or the sex, differs between sites.
    """
    columns = [name for name in table if name not in (column, site) and 2 <= table[name].nunique() <= 5]
    known = table[columns].assign(**({} if labels is None else {"label of rows": list(labels)}))
    pairs = [
        pair
        for rows in table.reset_index(drop=True).groupby(column).groups.values()
        for pair in combinations(rows[:30], 2)
    ]
    a, b = np.array(pairs, int).reshape(-1, 2).T
    of_one_site = table[site].to_numpy()[a] == table[site].to_numpy()[b]
    if min(of_one_site.sum(), (~of_one_site).sum()) < FEWEST_PAIRS:
        return False
    for name in known:
        values = known[name].to_numpy(str)
        same = values[a] == values[b]
        if same[of_one_site].mean() >= FIXED and same[~of_one_site].mean() < VARIES * same[of_one_site].mean():
            return True
    return False
