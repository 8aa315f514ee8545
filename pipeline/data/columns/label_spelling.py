"""Labels that may be one class in two spellings: yes and y, ill and ill?, malignant and M, malignant and malginant."""

import re
from collections.abc import Iterable, Sequence
from itertools import combinations

from pipeline.core.errors import DataError
from pipeline.data.tabular.values import is_typo

YES = frozenset("yes y true t 1 1.0 ja j oui o si sí sim s pos positive + да".split())
NO = frozenset("no n false f 0 0.0 nein non nao não nej nee neg negative - нет".split())
SHORTEST, LONGEST_SHORT = 4, 4  # letters of a name that another one shortens, at least; of the short one, at most


def check_answers(classes: Sequence[str], where: str) -> None:
    """Raise DataError where all classes are words for yes and no, and two of them are one answer: yes, y and 1."""
    folded = {name: name.strip().casefold() for name in classes}
    if not all(word in YES or word in NO for word in folded.values()):
        return
    for words, answer in ((YES, "yes"), (NO, "no")):
        same = sorted(name for name, word in folded.items() if word in words)
        if len(same) > 1:
            raise DataError(f"{where}: the labels {', '.join(map(repr, same))} all say {answer}; make them one")


def about_similar(classes: Iterable[str]) -> str:
    """Return a warning on classes that may be one: equal but for signs or a letter, or one short for the other; "" without."""
    pairs = [
        f"{first!r} and {second!r}"
        for first, second in combinations(sorted(set(classes)), 2)
        if are_similar(first, second)
    ]
    return f"classes that may be one: {', '.join(pairs[:5])}; if so, make them one" if pairs else ""


def are_similar(first: str, second: str) -> bool:
    """Return whether two names differ in signs or one letter only, or one begins the other.

    Examples
    --------
    >>> are_similar("ill", "ill?"), are_similar("M", "malignant"), are_similar("grade 1", "grade 2")
    (True, True, False)
    """
    if is_typo(first, second):
        return True
    short, long = sorted((re.sub(r"[\W_]+", "", name).casefold() for name in (first, second)), key=len)
    if short == long:
        return short != "" and not {first.strip(), second.strip()} & {"+", "-"} and not short.isdigit()
    return (
        long.isalpha()
        and short.isalpha()
        and long.startswith(short)
        and len(short) <= LONGEST_SHORT
        and len(long) > SHORTEST
    )
