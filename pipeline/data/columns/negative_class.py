"""Which of two classes is the absence of the finding, by its name: normal, benign, nevus, negative, no, 0, control ..."""

import re

from pipeline.data.columns.label_names import words_of
from pipeline.data.columns.words import key

# The whole name, without case, accents and signs.
NEGATIVE = frozenset(
    (
        "0 00 absence alive aucun aucune clean clear cn ctrl ei f falso faux hc kein lebend lebt melanocyticnevi "
        "melanocyticnevus n naevi naevus nao nee neg nein nej nenhum nenhuma nevi nevus nie nil ninguna ninguno no "
        "nofinding nofindings non none nonlesional nonprogressor norma not nv ob ohnebefund survived survivor tumorfrei "
        "uberlebt unaffected uninfected uninvolved unauffallig unremarkable viva vivant vivante vivo well wildtype wt нет "
        "いいえ 健康 否 无 正常 無 良性 阴性 "
        "陰性 음성 정상"
    ).split()
)
# A word of the name.
WORDS = frozenset(
    (
        "absent benign benigna benigne benigno benin control controle controls false frisk gesund gesunde gezond "
        "goedaardig gutartig healthy kontrolle kontrollen naevus negatif negativ negativa negative negativo nevus normal "
        "normale sadio sain saine sana sano saudavel temoin testigo zdrowy доброкачественный здоров здоровый норма "
        "нормальный"
    ).split()
)
# The lower of two degrees: negative only next to the higher one.
OPPOSITES = {
    "low": "high",
    "lowrisk": "highrisk",
    "stable": "progressive",
    "niedrig": "hoch",
    "bajo": "alto",
    "baixo": "alto",
}
# In front of the name of the other class: non_demented.
BEFORE = tuple("no non not without un in a kein keine ohne nicht sans sin sem senza geen".split())
# As the first word of a name, whatever the other class is called: not_recurred.
DENIALS = frozenset("no non not without kein keine ohne nicht sans sin sem senza geen".split())
# Names that are negative only if the other class has one of these.
SHORT = {"ndr": ("dr", "rdr"), "n": ("y", "p", "j", "a", "m", "1"), "f": ("t",), "in": (), "un": (), "a": ()}


SIGNED = {("-1", "1"), ("-1", "+1"), ("-", "+"), ("−", "+"), ("(-)", "(+)")}  # (negative, positive)


def is_negative(name: str, other: str) -> bool:
    """Return whether a class means the absence of a finding, given the name of the other class.

    Examples
    --------
    >>> is_negative("nv", "mel"), is_negative("non_demented", "demented"), is_negative("non small cell", "small cell")
    (True, True, True)
    >>> is_negative("abnormal", "normal"), is_negative("F", "M")
    (False, False)
    """
    if (name.strip().removesuffix(".0"), other.strip().removesuffix(".0")) in SIGNED:
        return True
    word, opposite = key(name.removesuffix(".0")), key(other.removesuffix(".0"))
    if word in SHORT:
        return opposite in SHORT[word]
    if (
        word in NEGATIVE
        or OPPOSITES.get(word) == opposite
        or (opposite and word in {before + opposite for before in BEFORE})
    ):
        return True
    parts = words_of(name)
    first = re.split(r"[\W_]+", name.strip().casefold())[0]
    return bool(WORDS & parts) or (first in DENIALS and len(parts) > 1)


def negative_of(first: str, second: str) -> str | None:
    """Return which of two classes is the absence of a finding, None where neither or both look so."""
    first_is, second_is = is_negative(first, second), is_negative(second, first)
    if first_is == second_is:
        return None
    return first if first_is else second
