"""Which of two classes is the absence of the finding, by its name: normal, benign, nevus, negative, no, 0, control ..."""

import re

from pipeline.data.group_names import plain

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
}  # a letter alone says so beside these


def is_negative(name: str, other: str) -> bool:
    """Return whether a class is the absence of a finding beside the other one.

    Examples
    --------
    >>> is_negative("nv", "mel"), is_negative("non_demented", "demented"), is_negative("non small cell", "small cell")
    (True, True, True)
    >>> is_negative("abnormal", "normal"), is_negative("F", "M")
    (False, False)
    """
    word, beside = plain(name.removesuffix(".0")), plain(other.removesuffix(".0"))
    if word in SHORT:
        return beside in SHORT[word]
    if word in NEGATIVE or (beside and word in {before + beside for before in BEFORE}):
        return True
    parts = re.findall(r"[^\W\d_]+", name.casefold())
    if not parts:
        return False
    return bool(WORDS & set(parts)) or (parts[0] in ("no", "without") and len(parts) > 1)


def negative_of(first: str, second: str) -> str | None:
    """Return which of two classes is the absence of a finding, None where neither or both look so."""
    one, other = is_negative(first, second), is_negative(second, first)
    if one == other:
        return None
    return first if one else second
