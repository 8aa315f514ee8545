"""What the cells of a column say of groups: the same name in several spellings, and parts such as the patient in P001-V1."""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from pipeline.data.columns.words import spelling
from pipeline.data.grouping.path_groups import FEWEST_VALUES, WORD, PathGroup, group_of, is_division
from pipeline.data.tabular.missing import is_unknown

# What is written behind a patient's name: which visit, eye, side, scan or copy it is.
REPEATS = (
    "v|visits?|t|time|timepoint|tp|s|ses|session|sample|scan|exam|wk|week|w|d|day|m|mo|month|y|yr|year|r|rep|replicate|run|"
    "fu|followup|baseline|bl|pre|post|left|right|l|re|le|od|os|eye|aug|augmented|copy|dup|tile|patch|slice"
)
SIGN = "[^A-Za-z0-9]"
FEWEST_PATIENTS = 3
COUNTED = r"^(.*\d)(?:[.]\d{1,2}|[a-h])$"
COUNTED_SHARE = 0.9  # of the cells, and of the patients whose samples have numbers without gaps
FEWEST_EACH = 1.5  # samples of a patient, on average
DEEPEST = 3  # parts of a cell


def read_groups(cells: Sequence[str], pattern: str | None = None) -> list[str]:
    """Return the group of each cell, "" where it is missing; `pattern` finds it in a cell, without a match it is the cell.

    A name in several spellings (P07, p7; 12, 12.0) is one: the one that comes first in the alphabet.
    """
    names = ["" if is_unknown(cell) else (pattern and group_of(pattern, cell)) or cell for cell in cells]
    first: dict[str, str] = {}
    for name in sorted(set(names) - {""}):
        first.setdefault(spelling(name), name)
    return [first[spelling(name)] if name else "" for name in names]


def join_columns(table: pd.DataFrame, columns: Sequence[str]) -> list[str]:
    """Return what several columns say of each row together, "" where the first of them is missing."""
    return [join_cells(cells) for cells in table[list(columns)].itertuples(index=False, name=None)]


def join_cells(cells: Sequence[str]) -> str:
    """Return the cells of one row as one name, a single one as it is."""
    if len(cells) == 1 or is_unknown(cells[0]):
        return cells[0]
    return " / ".join("" if is_unknown(cell) else re.sub(r"(?<=\d)\.0+$", "", cell.strip()) for cell in cells)


def find_numbered(cells: Sequence[str]) -> PathGroup | None:
    """Return what stands before a number or letter that counts the samples of each patient (12.1, 12.2; 7a, 7b), or None."""
    values, samples = [], defaultdict(set)
    for cell in map(str.strip, cells):
        value = group_of(COUNTED, cell)
        values.append(value)
        if value:
            number = cell.removeprefix(value).removeprefix(".")
            samples[value].add(int(number) if number.isdigit() else ord(number) - ord("a") + 1)
    n_known = sum(map(len, samples.values()))
    if len(samples) < FEWEST_PATIENTS or n_known < COUNTED_SHARE * len(cells) or n_known < FEWEST_EACH * len(samples):
        return None
    n_counted = sum(numbers == set(range(1, len(numbers) + 1)) for numbers in samples.values())
    if n_counted < COUNTED_SHARE * len(samples):
        return None
    return PathGroup(COUNTED, "what comes before the number of the sample", values, True)


def find_parts(cells: Sequence[str]) -> list[PathGroup]:
    """Return the parts of cells that divide them into groups of two or more; `is_named`: what follows is a visit or a side."""
    tried = [(rf"(?i)^(.*[A-Za-z0-9]){SIGN}+(?:{REPEATS}){SIGN}?\d*$", "what comes before the visit", True)]
    tried += [(rf"(?i)^([A-Za-z]*{SIGN}?\d+)(?:{REPEATS}){SIGN}?\d*$", "what comes before the visit", True)]
    for n in range(1, DEEPEST + 1):
        more = rf"(?:{SIGN}+{WORD}){{{n - 1}}}" if n > 1 else ""
        words = "the part before the first sign" if n == 1 else f"the first {n} parts"
        tried.append((rf"^({WORD}{more}){SIGN}+.*[A-Za-z0-9]", words, False))
        tried.append((rf"^(?:{WORD}{SIGN}+){{{n}}}({WORD})(?:{SIGN}|$)", f"part {n + 1}", False))
    tried.append((r"^([A-Za-z]*\d+)[A-Za-z]", "the part up to its first number", False))
    groups: dict[tuple[str, ...], PathGroup] = {}
    for pattern, words, is_named in tried:
        values = [group_of(pattern, cell) for cell in cells]
        same = groups.get(tuple(values))
        if same:  # the shorter pattern is written to params.yaml
            groups[tuple(values)] = replace(same, pattern=min(pattern, same.pattern, key=len))
        elif is_division(values, FEWEST_PATIENTS if is_named else FEWEST_VALUES):
            groups[tuple(values)] = PathGroup(pattern, words, values, is_named)
    return list(groups.values())
