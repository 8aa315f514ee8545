"""Which words mean "no value": one list for features and labels, for images and tables.

Three words depend on their column. "None" next to mild and severe is a level, among numbers it is Python's word for no
value. "-" next to "+" is a result. A lone "." is what SAS and Stata write for a missing value.
"""

import re
from collections.abc import Collection, Iterable

ALWAYS = frozenset(
    ["", "na", "n/a", "n.a.", "nan", "<na>", "null", "(null)", "?", ".", "nat", "#na"]  # R, pandas, SQL, SAS, Weka
)
ALWAYS |= {"#n/a", "#n/a n/a", "#null!", "#div/0!", "#value!", "#ref!", "#num!", "#name?"}  # Excel's errors
BY_COLUMN = frozenset(["none", "-", "--"])
# In a label: nobody knows the class. As a category of a feature it tells something.
UNKNOWN = frozenset(
    (
        "unknown, unk, not known, missing, not available, not reported, undefined, unbekannt, fehlt, inconnu, manquant, "
        "desconocido, desconhecido, sconosciuto, onbekend, неизвестно, 未知, 不明, "
        "keine angabe, nicht bekannt, ausstehend, pending, tbd, to be determined, no data, not recorded"
    ).split(", ")
)
LABEL_CODES = frozenset("9 -9 99 -99 999 -999 9999 -9999".split())  # of a label next to words
# Next to these, "none" is the lowest level of a scale.
DEGREES = frozenset(
    (
        "mild moderate severe minor major minimal slight low medium high some little much partial complete full present trace "
        "light heavy weak strong yes positive negative absent suspected confirmed possible probable definite"
    ).split()
)
SIGN = re.compile(r"[+±-]+(/[+±-]+)?|\d?\+{1,4}")


def is_missing(cell: str) -> bool:
    """Return whether a cell holds no value, where nothing is known of its column."""
    word = cell.strip().lower()
    return word in ALWAYS or word in BY_COLUMN


def is_unknown(cell: str) -> bool:
    """Return whether a cell names nobody and nothing: no value, or a word that says so."""
    return is_missing(cell) or cell.strip().lower() in UNKNOWN


def kept_words(values: Iterable[str], of_label: bool = False) -> frozenset[str]:
    """Return which cells of a column look missing, but are one of its categories.

    Parameters
    ----------
    values
        The column's cells; equal ones may be left out.
    of_label
        Whether the column is the label: there, Python's "None" next to two other classes is no class, unless these are
        levels of a scale.

    Returns
    -------
    frozenset of str
        Spellings of "none" and "-" as the column has them; usually empty.
    """
    words = {value for value in values if value.strip().lower() not in ALWAYS}
    doubtful = {value for value in words if value.strip().lower() in BY_COLUMN}
    others = [value for value in words - doubtful]
    if not doubtful or not others:
        return frozenset()
    return frozenset(word for word in doubtful if _is_category(word, others, of_label))


def _is_category(word: str, others: Collection[str], of_label: bool) -> bool:
    """Return whether "none" or "-" is one of a column's categories, of which `others` are the rest."""
    if word.lower() != "none":
        return all(SIGN.fullmatch(other) for other in others)
    words = [other for other in others if other[:1].isalpha()]
    if len(words) <= len(others) / 2:
        return False
    in_style = sum(_style(other) == _style(word) for other in words)
    if in_style <= len(words) / 2:
        return False
    is_scale = any(other.lower() in DEGREES for other in words)
    return is_scale or not of_label or word != "None" or len(others) < 2


def _style(word: str) -> str:
    """Return lower, upper or title: how a word is written."""
    if word.islower():
        return "lower"
    return "upper" if word.isupper() and len(word) > 1 else "title"


def missing_in(values: Iterable[str], of_label: bool = False) -> frozenset[str]:
    """Return those of a column's cells that hold no value.

    Of a label also "unknown", and 9 or 99 next to words, where two other classes are left.
    """
    distinct = set(values)
    kept = kept_words(distinct, of_label)
    missing = frozenset(value for value in distinct if value not in kept and is_missing(value))
    if not of_label:
        return missing
    unknown = frozenset(value for value in distinct if value.strip().lower() in UNKNOWN)
    others = distinct - missing - unknown
    codes = frozenset(value for value in others if value.strip().removesuffix(".0") in LABEL_CODES)
    if len(others - codes) >= 2 and not any(any(map(str.isdigit, value)) for value in others - codes):
        unknown |= codes
    return missing | unknown if len(distinct - missing - unknown) >= 2 else missing
