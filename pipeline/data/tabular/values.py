"""A value to predict becomes a number or a category of the schema, read as the column was written in training."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from pipeline.core.errors import DataError
from pipeline.data.tabular.formats import Field
from pipeline.data.tabular.missing import is_missing
from pipeline.data.tabular.numbers import as_number, is_plain

BOOLEANS = frozenset(["true", "false"])
MAX_VALUES = 10  # a number with at most so many whole values is entered by choice
SHORTEST_WORD = 5  # letters of a word in which a typing error is told from another word
DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")


def to_category(value: Any, field: Field) -> str:
    """Return the category that a value means in a column, "" where it is missing, a new one as it is.

    Raises DataError for true and false of JSON unless these are the column's categories.
    """
    choices = field.choices or []
    if isinstance(value, (bool, np.bool_)) and not is_boolean(choices):
        shown = ", ".join(choices[:MAX_VALUES])
        raise DataError(f"column {field.name!r}: found {str(value).lower()}; expected one of {shown}")
    text = "" if value is None else str(value).strip()
    matched = match(text, choices)
    return "" if matched not in choices and is_missing(matched) else matched


def to_number(value: Any, field: Field) -> float:
    """Return a value as a number of a column, NaN where it is missing.

    Raises DataError for what is no number, and for what lies between the 0 and 1 of a column that has no other values.
    """
    is_yes_no = field.values == [0, 1]
    text = "" if value is None else str(value).strip()
    if is_yes_no and text.lower() in ("true", "false"):
        return float(text.lower() == "true")
    try:
        is_typed = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
        plain = text if is_typed else field.number_format.canonical(text)
        number = as_number("no number" if plain is None else plain)
    except ValueError:
        hint = _expected(field, text)
        raise DataError(f"column {field.name!r}: found {text!r}; expected a number{hint}") from None
    if is_yes_no and 0 < number < 1:
        raise DataError(f"column {field.name!r}: found {text!r}; expected 0 or 1, the only values in training")
    return number


def _expected(field: Field, text: str) -> str:
    """Return how a number should have been written."""
    form = field.number_format
    if form.middles:
        return f" or a range such as {next(iter(form.middles))}"
    if form.decimal == ",":
        return " with a decimal comma, and without thousands separators"
    if DECIMAL_COMMA.fullmatch(text):
        return ", with a decimal point"
    return f" in {form.unit}" if not field.format.is_usual and form.unit else ""


def to_cell(value: Any, field: Field) -> str:
    """Return a value as a cell of columns.csv: a number plain, a category as training spells it.

    Raises DataError as `to_number` and `to_category` do.
    """
    text = "" if value is None else str(value).strip()
    if not field.is_number:
        category = to_category(value, field)
        return text if is_missing(text) and not category else category
    number = to_number(value, field)
    if np.isnan(number) or (is_plain(text) and to_number(text, field) == number and field.number_format.is_usual):
        return text
    plain = None if isinstance(value, (bool, int, float, np.number)) else field.number_format.canonical(text)
    return plain if plain is not None else str(int(number)) if number.is_integer() else repr(number)


def key(cell: str) -> str:
    """Return a cell without case, blanks and a trailing .0."""
    plain = re.sub(r"\s+", "", cell).casefold()
    return re.sub(r"(?<=\d)\.0+$", "", plain)


def match(cell: str, choices: Sequence[str]) -> str:
    """Return the category of `choices` that a cell means, the cell itself where it means none of them.

    The same spelling counts first; a spelling that fits two categories fits none.
    """
    if cell in choices:
        return cell
    wanted = key(cell)
    matches = [choice for choice in choices if key(choice) == wanted]
    return matches[0] if len(matches) == 1 else cell


def is_boolean(choices: Sequence[str]) -> bool:
    """Return whether a column's categories are true and false, in any spelling."""
    return bool(choices) and {choice.casefold() for choice in choices} <= BOOLEANS


def is_typo(cell: str, other: str) -> bool:
    """Return whether two names differ by one letter of a long word: another, missing or additional one, or two swapped ones.

    A leading a is no typing error, as in atypical and asymptomatic.

    Examples
    --------
    >>> is_typo("malginant", "malignant"), is_typo("Zuerich", "Zurich"), is_typo("male", "female"), is_typo("T1a", "T1b")
    (True, True, False, False)
    >>> is_typo("Hepatitis B", "Hepatitis C"), is_typo("typical", "atypical"), is_typo("benign nevus", "bening nevus")
    (False, False, True)
    """
    words = [re.findall(r"[^\W_]+", text.casefold()) for text in (cell, other)]
    if len(words[0]) != len(words[1]):
        return False
    differing = [pair for pair in zip(*words, strict=True) if pair[0] != pair[1]]
    if len(differing) != 1:
        return False
    short, long = sorted(differing[0], key=len)
    if len(short) < SHORTEST_WORD or not short.isalpha() or not long.isalpha() or len(long) - len(short) > 1:
        return False
    if long == "a" + short:
        return False
    first = next((n for n, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    if len(short) < len(long):
        return short[first:] == long[first + 1 :]
    changed = short[first + 1 : first + 2] + short[first : first + 1] + short[first + 2 :]
    return short[first + 1 :] == long[first + 1 :] or changed == long[first:]
