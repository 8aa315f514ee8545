"""Which of two classes is the absence of the finding, by its name: normal, benign, nevus, negative, no, 0, control ..."""

import re

from pipeline.data.columns.group_names import plain

# The whole name, in lower case and without signs.
NEGATIVE = {
    "0",
    "00",
    "n",
    "f",
    "no",
    "none",
    "neg",
    "nv",
    "nevus",
    "naevus",
    "nevi",
    "naevi",
    "melanocyticnevus",
    "hc",
    "ctrl",
}
NEGATIVE |= {
    "melanocyticnevi",
    "nonlesional",
    "nofinding",
    "nofindings",
    "wildtype",
    "wt",
    "absence",
    "unremarkable",
    "not",
}
NEGATIVE |= {"unaffected", "clean", "clear", "nil", "nonprogressor", "gesund", "nein", "sain", "non", "sano"}
# A word of the name.
WORDS = {
    "normal",
    "benign",
    "healthy",
    "negative",
    "control",
    "controls",
    "false",
    "absent",
    "nevus",
    "naevus",
    "benigno",
}
BEFORE = ("no", "non", "not", "without", "un", "in", "a")  # in front of the name of the other class: non_demented
SHORT = {
    "n": ("y", "p", "j", "a", "m", "1"),
    "f": ("t",),
    "in": (),
    "un": (),
    "a": (),
}  # names that are negative only if the other class has one of these


def is_negative(name: str, other: str) -> bool:
    """Return whether a class means the absence of a finding, given the name of the other class.

    Examples
    --------
    >>> is_negative("nv", "mel"), is_negative("non_demented", "demented"), is_negative("non small cell", "small cell")
    (True, True, True)
    >>> is_negative("abnormal", "normal"), is_negative("F", "M")
    (False, False)
    """
    word, opposite = plain(name.removesuffix(".0")), plain(other.removesuffix(".0"))
    if word in SHORT:
        return opposite in SHORT[word]
    if word in NEGATIVE or (opposite and word in {before + opposite for before in BEFORE}):
        return True
    parts = re.findall(r"[^\W\d_]+", name.casefold())
    if not parts:
        return False
    return bool(WORDS & set(parts)) or (parts[0] in ("no", "without") and len(parts) > 1)


def negative_of(first: str, second: str) -> str | None:
    """Return which of two classes is the absence of a finding, None where neither or both look so."""
    first_is, second_is = is_negative(first, second), is_negative(second, first)
    if first_is == second_is:
        return None
    return first if first_is else second
