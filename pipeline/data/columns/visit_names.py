"""Columns that say which visit of a patient a sample is: then there is more than one of a patient."""

import re
from collections import Counter
from collections.abc import Mapping
from itertools import pairwise

import pandas as pd

from pipeline.data.columns.words import plain
from pipeline.data.tabular.missing import is_unknown

KEYS = "id|no|nr|num|number|index|code|name"
VISIT = re.compile(
    rf"(visit|visite|besuch|timepoint|zeitpunkt|wave|session|followup|replicate|repeat|repetition)({KEYS})?|"
    rf"(visit|session|replicate|repeat|followup)s({KEYS})|(redcap)?eventname"
)
NUMBERED = re.compile(r"([A-Za-z]{0,12})[ _-]?(\d+)(?:\.0+)?")
# What visits are called that are not numbered, and nothing else is.
STAGES = re.compile(
    r"(?i)(baseline|bl|screening|pre|post|initial|follow[ _-]?up|fu)([ _-]?\d.*|[ _-]?[a-z]*|[ _-]arm.*)"
)
MOST_VISITS = 50
FEWEST_EACH = 2  # rows of a visit, on average: with fewer its values are ids
RISE = 1.05  # times as many rows as an earlier visit a later one may have, since some patients miss one


def find_visits(table: pd.DataFrame) -> str | None:
    """Return the column that counts or names the visits of patients, None without."""
    for column in table:
        if not VISIT.fullmatch(plain(column)):
            continue
        counts = Counter(cell.strip() for cell in table[column] if not is_unknown(cell))
        if 2 <= len(counts) <= min(MOST_VISITS, len(table) / FEWEST_EACH) and are_visits(counts):
            return str(column)
    return None


def are_visits(counts: Mapping[str, int]) -> bool:
    """Return whether cells, with how often each comes, number or name the visits of patients.

    Numbers do so where they start at 0 or 1 and each visit has no more rows than the one before it: whoever comes a second time
    came a first time. Kinds of visits, their number and the length of a follow-up do not.

    Examples
    --------
    >>> are_visits({"V1": 40, "V2": 38}), are_visits({"1": 40, "2": 90}), are_visits({"morning": 9, "evening": 9})
    (True, False, False)
    """
    if any(STAGES.fullmatch(cell) for cell in counts):
        return True
    parts = {cell: NUMBERED.fullmatch(cell) for cell in counts}
    if not all(parts.values()):
        return False
    numbered = sorted((int(part[2]), counts[cell]) for cell, part in parts.items() if part)
    return numbered[0][0] <= 1 and all(after[1] <= RISE * before[1] for before, after in pairwise(numbered))
