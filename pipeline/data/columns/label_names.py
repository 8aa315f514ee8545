"""Which column of a table is the label: by what it is called, in the languages that hospitals write, and by what it holds.

A position alone decides nothing: the last column may be the site. Where names and content leave more than one, the user is asked.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from pipeline.core.errors import DataError
from pipeline.data.columns.words import key, unaccented
from pipeline.data.tabular.dates import LAYOUTS
from pipeline.data.tabular.missing import missing_in
from pipeline.data.tabular.numbers import is_plain

# Names without case, accents, spaces and signs; of columns that say the same, the first counts. English, then the languages of
# hospitals: German, French, Spanish and Portuguese, Italian, Dutch and Scandinavian, Slavic, Turkish, Chinese, Japanese, Korean.
LABELS = tuple(
    (
        "label labels class benignmalignant target diagnosis dx outcome y findinglabels klasse diagnose befund ergebnis "
        "zielgroße zielvariable zielklasse etiquette classe diagnostic resultat issue etiqueta rotulo clase diagnostico "
        "resultado desfecho desenlace objetivo etichetta diagnosi risultato esito uitslag uitkomst utfall diagnos udfald "
        "etykieta klasa rozpoznanie diagnoza wynik tanı sonuc диагноз класс метка результат исход "
        "标签 標籤 类别 類別 诊断 診断 診斷 结果 "
        "結果 ラベル 진단 라벨"
    ).split()
)
GRADES = tuple(
    (
        "level grade category disease classname imageclass classlabel pathology malignancy malignant result "
        "classification class1 finding grad kategorie categorie categoria"
    ).split()
)
# Words of longer names, such as "hist. result" or DEATH_EVENT.
WORDS = frozenset(
    (
        "alive biopsy cancer carcinoma case covid dead death deceased deces demented dementia diabetes diabetic died "
        "disease doenca enfermedad enfermo event finding findings gestorben grade health ill infected infection krank "
        "krankheit krebs malade maladie malattia malignancy malignant melanoma metastasis mortality morte muerte obito "
        "pneumonia progression readmission readmitted recurred recurrence relapse responder response result results "
        "retinopathy rezidiv sepsis severity sick status stroke survival survived tod tot tumor tumour verstorben"
    ).split()
) | {name for name in LABELS if len(name) > 1}
# Words of columns that describe a patient or the acquisition: never guessed to be the label.
OTHERS = frozenset(
    (
        "age alter anamnese anatomical antecedent antecedents arm batch body camera center centre centro chronic city "
        "clinic country date day device edad education eta ethnicity eye family fold fumador gender geschlecht history "
        "hopital hospital idade insurance job klinik laterality localisation localization location manufacturer marital "
        "married model month path previous prior projection race raucher region residence scanner sesso sex sexe sexo "
        "side site skin smoke smoker smokes smoking split standort subset vendor view visit ward week work year zentrum"
    ).split()
)
MOST_CLASSES = 20  # in a column that is taken for the label because of what is in it
MOST_NUMBERS = 20  # different numbers, from which on a label looks like a measurement
SHOWN = 4  # columns in a question, and classes of each


@dataclass(frozen=True)
class LabelChoice:
    """The column that is the label, and why it was taken, "" where it is called so."""

    column: str
    reason: str


def words_of(name: str) -> set[str]:
    """Return the words of a column's name; a new word may begin with a capital letter."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", unicodedata.normalize("NFKC", str(name)))
    return set(re.findall(r"[^\W\d_]+", unaccented(apart)))


def rank(name: str) -> int:
    """Return how much a column's name says that it is the label.

    0: it is called so; 1: it may be; 2: a word of it says so; 3: nothing; 4: it describes the patient or the acquisition.

    Examples
    --------
    >>> [rank(name) for name in ("Diagnóstico", "Grade", "DEATH_EVENT", "x1", "smoking_status")]
    [0, 1, 2, 3, 4]
    """
    if key(name) in _KEYS:
        return 0 if key(name) in _LABEL_KEYS else 1
    words = words_of(name)
    if words & OTHERS:
        return 4
    return 2 if words & WORDS else 3


_LABEL_KEYS = {key(name): number for number, name in enumerate(LABELS)}
_KEYS = _LABEL_KEYS | {key(name): len(LABELS) + number for number, name in enumerate(GRADES)}


def named_label(columns: Iterable[str]) -> str | None:
    """Return the column that is called like a label, the plainest name first; None where there is none."""
    named = [name for name in columns if key(name) in _KEYS]
    return min(named, key=lambda name: _KEYS[key(name)], default=None)


def guess_label(table: pd.DataFrame, path: Path) -> LabelChoice:
    """Return the column that is the label by its name, else the only one that holds classes.

    Raises DataError, which names the columns that may be meant, where there is none or more than one.
    """
    ranks = {name: rank(name) for name in table}
    best = min((ranks[name] for name in table if ranks[name] < 2), default=None)
    if best is not None:
        named = sorted((name for name in table if ranks[name] == best), key=lambda name: _KEYS[key(name)])
        fit = [name for name in named if holds_classes(table[name])] or named[:1]
        differing = [name for name in fit[1:] if not _say_the_same(table[fit[0]], table[name])]
        if differing:
            raise _unclear(table, [fit[0], *differing], path)
        return LabelChoice(fit[0], "")
    fit = [name for name in table if ranks[name] < 4 and holds_classes(table[name])]
    named = [name for name in fit if ranks[name] == 2]
    if len(named) > 1 and named[-1] == list(table)[-1]:
        others = ", ".join(repr(name) for name in named[:-1][:SHOWN])
        return LabelChoice(named[-1], f"the last of the columns that are named like an outcome, besides {others}")
    if len(named or fit) == 1:
        reason = "named like an outcome" if named else "the only column of a few classes"
        return LabelChoice((named or fit)[0], reason)
    raise _unclear(table, named or fit or [name for name in table if holds_classes(table[name])], path)


def holds_classes(cells: pd.Series) -> bool:
    """Return whether a column has a few values, each several times, and these are no dates."""
    values = set(cells) - missing_in(cells, of_label=True)
    return 2 <= len(values) <= min(MOST_CLASSES, len(cells) / 2) and not all(map(is_date, values))


def is_date(cell: str) -> bool:
    """Return whether a cell is written like a date; eight digits may be a number."""
    return any(pattern.fullmatch(cell) for pattern, layouts in LAYOUTS if layouts[0] not in ("%Y%m%d", "%Y-%m"))


def _say_the_same(first: pd.Series, second: pd.Series) -> bool:
    """Return whether each value of one column goes with one of the other, as diagnoses go with benign and malignant."""
    pairs = set(zip(first, second, strict=True))
    return len(pairs) in (first.nunique(), second.nunique())


def _unclear(table: pd.DataFrame, candidates: list[str], path: Path) -> DataError:
    """Return the question which column is the label."""
    shown = " or ".join(f"{name!r} ({_classes(table[name])})" for name in candidates[:SHOWN])
    more = f" or one of {len(candidates) - SHOWN} more" if len(candidates) > SHOWN else ""
    may = f"it may be {shown}{more}" if candidates else "none is named like one and has a few classes"
    names = ", ".join(map(str, table.columns)) or "no columns: there is none besides"
    return DataError(
        f"{path.as_posix()}: cannot tell which column is the label: {may}. Choose one with --label: {names}"
    )


def _classes(cells: pd.Series) -> str:
    counts = Counter(cell for cell in cells if cell)
    more = f" and {len(counts) - SHOWN} more" if len(counts) > SHOWN else ""
    return ", ".join(f"{value} {n}" for value, n in counts.most_common(SHOWN)) + more


def check_classes(labels: Collection[str], where: str) -> None:
    """Raise DataError where labels are dates or measurements rather than classes."""
    different = sorted(set(labels))
    if different and all(map(is_date, different)):
        raise DataError(
            f"{where}: the labels are dates ({different[0]}); expected classes: name another column, --label"
        )
    if len(different) > 1 and all(re.fullmatch(r"0?[.]\d*[1-9]\d*", label) for label in different):
        raise DataError(
            f"{where}: the labels are shares or probabilities ({', '.join(different[:3])}), no classes. Write the class of each "
            "sample into a column, or name another column, --label"
        )
    if len(different) > MOST_NUMBERS and all(map(is_plain, different)) and len(different) > len(labels) / 20:
        raise DataError(
            f"{where}: the labels are {len(different)} different numbers ({', '.join(different[:3])} ...), a measurement and "
            "no classes. Only classes are predicted: divide the numbers into classes in a column of their own, or name another "
            "column, --label"
        )
