"""Which columns, by their names, say which patient or lesion a sample belongs to, in any usual spelling."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import pandas as pd

from pipeline.data.columns.label_spelling import NO, YES
from pipeline.data.columns.words import key, plain, spelling
from pipeline.data.tabular.missing import is_unknown

# Who or what may be behind several samples, the coarser first; in names of columns, lower case, without spaces and signs.
PATIENTS = ("patient", "pat", "pt", "subject", "subj", "participant", "person", "volunteer", "donor", "proband")
# The same in the languages of hospitals, without accents: German, French, Spanish, Portuguese, Italian, Dutch, Scandinavian,
# Polish, Czech, Finnish, Turkish, Greek, Russian, Ukrainian, Chinese, Japanese, Korean, Arabic.
OTHER_LANGUAGES = tuple(
    (
        "patienten patientin versuchsperson teilnehmer dossier sujet paciente sujeto historia historiaclinica expediente "
        "prontuario paziente soggetto cartella cartellaclinica deelnemer proefpersoon pasient deltaker deltagare "
        "pacjent pacjenta pacient potilas hasta ασθενης ασθενους пациент пациента больной больного пациєнт "
        "患者 病人 受试者 受試者 被験者 病例 病历 病歷 住院 症例 환자 대상자 مريض المريض"
    ).split()
)
LESIONS = tuple(
    "lesion case study studyinstance accession eye nodule tumor tumour specimen slide stay icustay admission fall".split()
)
SETS = tuple("group household family record encounter animal mouse cluster twin pair sibling litter".split())
FAMILIES = ("household", "family", "twin", "sibling", "litter")
KEYS = (
    "",
    *"id ids no nr nbr num number key code uid identifier name index idx".split(),
    *"nummer numero kennung codigo cislo numarasi номер код 番号 编号 編號 号 號 번호".split(),
)
KEYS_BEFORE = (
    "id",
    "no",
    "nr",
    "num",
    "numero",
    "codigo",
    "codice",
    "номер",
    "αριθμος",
    "رقم",
)  # numero_paciente, ID пациента
PARTICLES = ("", "de", "du", "del", "do", "da", "di", "des", "della", "der")
# Names that mean a patient as they stand: medical record numbers, hospital numbers, those of large studies.
NUMBERS_OF_PATIENTS = frozenset(
    (
        "mrn emr emrn pid ptid rid eid usubjid subjid sid upi chi nhs ssn cpr hospital hosp chart medicalrecord medrec "
        "healthrecord nhsno personnummer hadm pseudonym empi nhc ahv kvnr bsn cpf pesel pnr uniquepid"
    ).split()
)
# Alone they say something else.
NEEDS_A_KEY = frozenset(
    (
        "pat pt hospital hosp chart slide eye chi stay icustay admission fall historia expediente cartella sujet hasta "
        "住院 病例 症例"
    ).split()
)
ORIGINS = ("src", "source", "trial", "study", "global", "local", "internal", "masked")  # before a name that has a key
ENDS_AS_ID = re.compile(r"(?i)[ _-](id|no|nr|nbr|num|number|code|key|uid)\.?$")
DECIMAL = re.compile(r"[+-]?\d*[.]\d*[1-9]\d*")  # a measurement: ids are whole numbers or names
ROWS = ("id", "recordid", "rowid")  # of rows; where they repeat, rows are of one patient
FEWEST_GROUPS = 10  # or a third of the samples: of a column whose name may also mean something else, the arm of a study
FEWEST_PATIENTS = 3
MOST_SAMPLES = 20  # of a patient on average, from which on a hospital number is the number of a hospital


@dataclass(frozen=True)
class NamedGroup:
    """A column that is named like a group. `level`: 0 is a patient, 1 a lesion or study, 2 anything that belongs together."""

    column: str
    level: int
    certain: bool


def is_other_id(group: NamedGroup) -> bool:
    """Return whether a column that is not taken as the group is an id all the same: another patient, a family_id."""
    return group.certain or ENDS_AS_ID.search(str(group.column)) is not None


@lru_cache(maxsize=100_000)  # each name of a table is read nine times, of 7,000 columns a quarter of init_task's time
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
    word = key(name)
    for prefix in ("", "anon", "anonymized", "anonymised", "deidentified", "hashed", "pseudo", "unique", *ORIGINS):
        if word.startswith(prefix):
            group = _read_word(name, word.removeprefix(prefix), prefix in ORIGINS)
            if group:
                return group
    return None


def _read_word(name: str, word: str, needs_a_key: bool) -> NamedGroup | None:
    """Return what a name without case, accents and signs says."""
    for level, nouns in ((0, NUMBERS_OF_PATIENTS), (0, (*PATIENTS, *_OTHER_LANGUAGES)), (1, LESIONS), (2, SETS)):
        for noun in sorted(nouns, key=len, reverse=True):
            rest = _key_before(word, noun, level) or (word.removeprefix(noun) if word.startswith(noun) else None)
            if rest == "s":
                rest = ""
            if rest not in _KEYS or (rest == "" and (needs_a_key or noun in NEEDS_A_KEY)):
                continue
            return NamedGroup(name, level, level == 0 or (level == 1 and rest != ""))
    return None


def _key_before(word: str, noun: str, level: int) -> str | None:
    """Return the key that stands before a noun, id in id_patient; a number only of one patient: n_patients are many."""
    if not word.endswith(noun):
        return None
    for before in _KEYS_BEFORE if level == 0 and noun != "person" else ("id",):
        rest = word.removeprefix(before)
        if rest != word and any(rest == particle + noun for particle in PARTICLES):
            return "id"
    return None


_OTHER_LANGUAGES, _KEYS, _KEYS_BEFORE = (tuple(map(key, words)) for words in (OTHER_LANGUAGES, KEYS, KEYS_BEFORE))


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
        if named.certain and n_values >= n_cells:
            n_values = count_spellings(table[column])
        if n_values >= n_cells or any(map(DECIMAL.fullmatch, table[column])):
            continue
        if any(cell.isalpha() and len(cell) > 1 and cell.casefold() in YES | NO for cell in set(table[column])):
            continue  # whether there is one
        fewest = FEWEST_PATIENTS if named.level == 0 else min(FEWEST_GROUPS, n_cells / 3)
        if key(column).startswith("hosp"):
            fewest = max(fewest, n_cells / MOST_SAMPLES)
        if n_values >= max(fewest, 2):
            groups.append(named)
    return sorted(groups, key=lambda group: (not group.certain, group.level))


def count_values(cells: Iterable[str]) -> tuple[int, int]:
    """Return how many different values a column has, and how many cells have one."""
    counts = Counter(cells.tolist() if isinstance(cells, pd.Series) else cells)
    known = {cell: count for cell, count in counts.items() if not is_unknown(cell)}
    return len(known), sum(known.values())


def count_spellings(cells: Iterable[str]) -> int:
    """Return how many different names a column has, where P-07 and p7 are one."""
    return len({spelling(cell) for cell in cells if not is_unknown(cell)})


def is_id_name(name: str) -> bool:
    """Return whether a column is named like a running number or an id of rows."""
    word = plain(name)
    return bool(re.fullmatch(r"(|unnamed\d*|level\d+|index|idx|rowid|row|rownumber|rowno|rownames?|recordid|uid|uuid|guid|sn|"
                             r"id|ids|no|nr|number|num|sno|srno|serial|serialno|serialnumber|seqn?|x)", word)) or (
        read_name(name) is not None or ENDS_AS_ID.search(str(name)) is not None
    )  # fmt: skip
