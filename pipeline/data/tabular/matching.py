"""Which category a cell means at prediction: matched without case, blanks or a trailing .0, or said to be new."""

import re
from collections.abc import Sequence

BOOLEANS = frozenset(["true", "false"])


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
