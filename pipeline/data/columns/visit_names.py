"""Columns that say which visit of a patient a sample is: then there is more than one of a patient."""

import re

import pandas as pd

from pipeline.data.columns.words import plain
from pipeline.data.tabular.missing import is_unknown

VISIT = re.compile(
    r"(visit|visite|besuch|timepoint|zeitpunkt|wave|session|followup|replicate|repeat|repetition)s?(id|no|nr|num|number|index|code)?"
)
MOST_VISITS = 50
FEWEST_EACH = 2  # rows of a visit, on average: with fewer its values are ids


def find_visits(table: pd.DataFrame) -> str | None:
    """Return the column that counts or names the visits of patients, None without."""
    for column in table:
        values = {cell for cell in table[column] if not is_unknown(cell)}
        if VISIT.fullmatch(plain(column)) and 2 <= len(values) <= min(MOST_VISITS, len(table) / FEWEST_EACH):
            return str(column)
    return None
