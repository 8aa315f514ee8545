"""Columns of a table that number or date its rows: they say nothing of a new patient."""

import re
from dataclasses import dataclass
from itertools import pairwise

import pandas as pd

from pipeline.data.columns.group_names import is_id_name
from pipeline.data.columns.words import plain
from pipeline.data.tables import is_missing

FEWEST_ROWS = 20
SPLITS = frozenset("split shipped subset partition fold folds cvfold kfold istrain istest istraining traintest".split())
MOST_PARTS = 20
NEARLY_ALL = 0.95  # share of the cells that must be different, or dates
DATE = re.compile(
    r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}([T ]\d{1,2}:\d{2}.*)?|\d{1,2}[-/.]\d{1,2}[-/.](\d{2}|\d{4})( \d{1,2}:\d{2}.*)?|"
    r"\d{1,2}[- ]?[A-Za-z]{3,9}[- ]?\d{2,4}|[A-Za-z]{3,9} \d{1,2},? \d{4}"
)
COMPACT_DATE = re.compile(r"(19|20)\d{2}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])")
EPOCH = re.compile(r"(9[5-9]|1\d\d|20[0-4])\d{7}(\d{3})?(\.0*)?")  # seconds or ms since 1970, from 2000 to 2034
PERSONS = re.compile(
    r"(patients?|first|last|sur|fore|given|family|full|middle|maiden|nach|vor|pre)?(name|nombre|nom|initials)s?|apellidos?"
)
DECIMAL = re.compile(r"[.]\d*[1-9]")
EXCEL_DATE = re.compile(r"[34]\d{4}(\.\d*)?")  # days since 1900, from 1982 on
DATE_NAME = re.compile(r"date|time|day|dob|epoch")


@dataclass(frozen=True)
class NoFeature:
    """A column that is no feature: `kind` is id, index, date, split or label, `reason` says what was seen."""

    column: str
    kind: str
    reason: str


def find_ids(table: pd.DataFrame) -> list[NoFeature]:
    """Return the columns that are ids, running indices or dates; `table` holds text."""
    columns = [describe(str(name), table[name].tolist()) for name in table]
    return [column for column in columns if column]


def find_dates(table: pd.DataFrame) -> set[str]:
    """Return the columns that are dates; `table` holds text."""
    known = {str(name): [cell for cell in table[name].tolist() if not is_missing(cell)] for name in table}
    return {name for name, cells in known.items() if cells and is_date(name, cells)}


def describe(name: str, cells: list[str]) -> NoFeature | None:
    """Return what a column is unless it may be a feature."""
    known = [cell for cell in cells if not is_missing(cell)]
    if not known:
        return None
    if is_date(name, known):
        return NoFeature(name, "date", "holds dates; split.by: time can divide by them")
    share = len(set(known)) / len(known)
    if plain(name) in SPLITS and len(set(known)) <= MOST_PARTS:
        return NoFeature(name, "split", "is named like a split; write train, valid and test for a shipped one")
    if len(known) < FEWEST_ROWS:  # of which any column may have no value twice
        is_id = share == 1 and len(known) > 2 and is_id_name(name)
        return NoFeature(name, "id", "is named like an id and has another value in each row") if is_id else None
    whole = all(re.fullmatch(r"[+-]?\d+(\.0*)?", cell) for cell in known)
    if whole and share == 1 and is_running([int(float(cell)) for cell in known]):
        return NoFeature(name, "index", "numbers the rows in their order")
    if is_person_name(name, known):
        return NoFeature(name, "id", "holds names of persons")
    if share >= NEARLY_ALL and is_id_name(name) and not any(map(DECIMAL.search, known)):
        return NoFeature(name, "id", "is named like an id and has another value in each row")
    if share == 1 and not all(map(is_numeric, known)):
        return NoFeature(name, "id", "has another text in each row: names or numbers of cases")
    return None


def is_person_name(name: str, cells: list[str]) -> bool:
    """Return whether a column is named like names of persons, and holds text."""
    return PERSONS.fullmatch(plain(name)) is not None and not any(map(is_numeric, cells))


def is_date(name: str, cells: list[str]) -> bool:
    """Return whether nearly all cells are dates, digits without signs only where the name says so."""
    n_dates = sum(bool(DATE.fullmatch(cell)) for cell in cells)
    n_dates += sum(bool(EPOCH.fullmatch(cell)) for cell in cells)
    if DATE_NAME.search(plain(name)):
        n_dates += sum(bool(EXCEL_DATE.fullmatch(cell)) for cell in cells)
        n_dates += sum(bool(COMPACT_DATE.fullmatch(cell)) for cell in cells)
    return n_dates >= NEARLY_ALL * len(cells)


def is_running(numbers: list[int]) -> bool:
    """Return whether whole numbers rise or fall from row to row, with few gaps: 0, 1, 2, or 17, 18, 20."""
    steps = [after - before for before, after in pairwise(numbers)]
    is_sorted = all(step > 0 for step in steps) or all(step < 0 for step in steps)
    return is_sorted and abs(numbers[-1] - numbers[0]) < 2 * len(numbers)


def is_numeric(cell: str) -> bool:
    """Return whether a cell is a number, with a unit or not: 10.3 mg, <0,5, 7,188, 90%."""
    return bool(re.fullmatch(r"[<>~=]*\s*[+-]?[\d.,]*\d([eE][+-]?\d+)?\s*[^\d\s]{0,8}", cell))
