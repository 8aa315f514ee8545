"""Which columns, by their names, say which patient or lesion a sample belongs to, in any usual spelling."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from pipeline.data.columns.words import plain
from pipeline.data.tabular.missing import is_unknown

# Who or what may be behind several samples, the coarser first; in names of columns, lower case, without spaces and signs.
PATIENTS = ("patient", "pat", "pt", "subject", "subj", "participant", "person", "volunteer", "donor", "proband")
LESIONS = tuple("lesion case study studyinstance accession eye nodule tumor tumour specimen slide".split())
SETS = tuple("group household family record encounter animal mouse cluster twin pair sibling litter".split())
FAMILIES = ("household", "family", "twin", "sibling", "litter")
KEYS = ("", "id", "ids", "no", "nr", "nbr", "num", "number", "key", "code", "uid", "identifier", "name", "index", "idx")
# Names that mean a patient as they stand: medical record numbers, hospital numbers, those of large studies.
NUMBERS_OF_PATIENTS = frozenset(
    (
        "mrn emr emrn pid ptid rid eid usubjid subjid sid upi chi nhs ssn cpr hospital hosp chart medicalrecord medrec "
        "healthrecord nhsno personnummer hadm pseudonym"
    ).split()
)
NEEDS_A_KEY = {"pat", "pt", "hospital", "hosp", "chart", "slide", "eye", "chi"}  # alone they say something else
ENDS_AS_ID = re.compile(r"(?i)[ _-](id|no|nr|nbr|num|number|code|key|uid)\.?$")
DECIMAL = re.compile(r"[+-]?\d*[.]\d*[1-9]\d*")  # a measurement: ids are whole numbers or names
ROWS = ("id", "recordid", "rowid")  # of rows; where they repeat, rows are of one patient
FEWEST_GROUPS = 10  # or a third of the samples: of a column whose name may also mean something else, the arm of a study
FEWEST_PATIENTS = 3


@dataclass(frozen=True)
class NamedGroup:
    """A column that is named like a group. `level`: 0 is a patient, 1 a lesion or study, 2 anything that belongs together."""

    column: str
    level: int
    certain: bool


def is_other_id(group: NamedGroup) -> bool:
    """Return whether a column that is not taken as the group is an id all the same: another patient, a family_id."""
    return group.certain or ENDS_AS_ID.search(str(group.column)) is not None


def read_name(name: str) -> NamedGroup | None:
    """Return what a column's name says, None where it names no group.

    Examples
    --------
    >>> read_name("Patient No.")
    NamedGroup(column='Patient No.', level=0, certain=True)
    >>> read_name("study")
    NamedGroup(column='study', level=1, certain=False)
    >>> read_name("patient age")
    """
    word = plain(name)
    for prefix in ("", "anon", "anonymized", "anonymised", "deidentified", "hashed", "pseudo", "unique"):
        if word.startswith(prefix):
            group = _read_word(name, word.removeprefix(prefix))
            if group:
                return group
    return None


def _read_word(name: str, word: str) -> NamedGroup | None:
    """Return what a name in lower case without signs says."""
    for level, nouns in ((0, NUMBERS_OF_PATIENTS), (0, PATIENTS), (1, LESIONS), (2, SETS)):
        for noun in sorted(nouns, key=len, reverse=True):
            id_comes_first = word.startswith("id") and word[2:] == noun  # id_patient
            key = "id" if id_comes_first else word.removeprefix(noun) if word.startswith(noun) else None
            if key == "s":
                key = ""
            if key not in KEYS or (key == "" and noun in NEEDS_A_KEY):
                continue
            return NamedGroup(name, level, level == 0 or (level == 1 and key != ""))
    return None


def find_named(table: pd.DataFrame) -> list[NamedGroup]:
    """Return the columns that are named like a group and whose values repeat, the best first.

    Patients count from `FEWEST_PATIENTS` values on: that there are few is a reason to keep them together. Other names count where
    they have many values. Patients come before lesions, which may be one patient's, and these before other sets.
    """
    groups = []
    for column in table:
        named = NamedGroup(column, 3, False) if plain(column) in ROWS else read_name(column)
        if named is None:
            continue
        n_values, n_cells = count_values(table[column])
        if n_values >= n_cells or any(map(DECIMAL.fullmatch, table[column])):
            continue
        fewest = FEWEST_PATIENTS if named.level == 0 else min(FEWEST_GROUPS, n_cells / 3)
        if n_values >= max(fewest, 2):
            groups.append(named)
    return sorted(groups, key=lambda group: (not group.certain, group.level))


def count_values(cells: Iterable[str]) -> tuple[int, int]:
    """Return how many different values a column has, and how many cells have one."""
    counts = Counter(cells.tolist() if isinstance(cells, pd.Series) else cells)
    known = {cell: count for cell, count in counts.items() if not is_unknown(cell)}
    return len(known), sum(known.values())


def is_id_name(name: str) -> bool:
    """Return whether a column is named like a running number or an id of rows."""
    word = plain(name)
    return bool(re.fullmatch(r"(|unnamed\d*|level\d+|index|idx|rowid|row|rownumber|rowno|rownames?|recordid|uid|uuid|guid|sn|"
                             r"id|ids|no|nr|number|num|sno|srno|serial|serialno|serialnumber|seqn?|x)", word)) or (
        read_name(name) is not None or ENDS_AS_ID.search(str(name)) is not None
    )  # fmt: skip
