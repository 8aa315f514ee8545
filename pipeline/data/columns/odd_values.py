"""Values of a table that may be mistakes: numbers far from all others, one category in two spellings or with a typing error."""

from collections import Counter

import numpy as np
import pandas as pd

from pipeline.data import tables
from pipeline.data.tabular.cells import Notice
from pipeline.data.tabular.formats import Source
from pipeline.data.tabular.values import is_typo, key

FEWEST = 20  # known values of a column
RARE = 0.01  # share of a column's values that may be mistakes, at least one
FAR = 3  # ranges of the others between them and a value that may be a mistake
SIGN = 0.2  # of their range, where all others are positive and it is negative: -1 or -45 among ages of adults
TIMES = 10  # as often is the category that a rare one is taken for
SHOWN = 3


def about_odd_values(features: pd.DataFrame, source: Source) -> list[Notice]:
    """Return a notice for each column of `features` (cells as text, (n, n_columns)) with values that may be mistakes."""
    notices = []
    for name, column in tables.typed(features).items():
        odd, text = far_numbers(column.to_numpy()) if tables.is_number(column) else twin_categories(column.tolist())
        if odd:
            cells = column.isin(odd).to_numpy().nonzero()[0]
            where = f"{source.where(cells[0])}" + (f" and {len(cells) - 1} more" if len(cells) > 1 else "")
            line = int(source.lines[cells[0]])
            notices.append(Notice("odd value", str(name), line, f"column {str(name)!r}: {text} ({where})"))
    return notices


def far_numbers(values: np.ndarray) -> tuple[list[float], str]:
    """Return the few values of float64 (n,) far beyond the range of all others, and what to do about them; see `is_far`.

    A value that at least half of them have, as zero where most have nothing, says nothing of the range of the rest.
    """
    known = np.sort(values[np.isfinite(values)])
    if len(known):
        kinds, counts = np.unique(known, return_counts=True)
        known = known[known != kinds[counts.argmax()]] if counts.max() >= len(known) / 2 else known
    n_few = max(1, int(RARE * len(known)))
    if len(known) < FEWEST or len(np.unique(known)) <= 2:
        return [], ""
    low, high = 0, len(known)  # of those that are not among the few
    while low + len(known) - high < n_few and high - low > 2:
        at_low = known[low + 1] - known[low] > known[high - 1] - known[high - 2]
        low, high = low + at_low, high - (not at_low)
        others = known[low:high]
        few = [*known[:low], *known[high:]] if others[-1] > others[0] else []
        far = sorted({value for value in few if is_far(value, others)})
        if far:
            shown = ", ".join(f"{value:g}" for value in far[:SHOWN])
            ends = f"{others[0]:g} to {others[-1]:g}"
            return far, f"{shown} far from the others, {ends}; if it is a mistake, correct it or empty the cell"
    return [], ""


def is_far(value: float, others: np.ndarray) -> bool:
    """Return whether a value lies far beyond the range of sorted others.

    Far is three times their range, and as far again as their tail reaches, because measurements are skewed: for positive ones
    their range on a logarithmic scale, for others the largest distance from the median over the usual one. Three times the range
    on a logarithmic scale is enough for positive ones: 1.72 among heights in cm. A negative one among positive ones is far
    sooner.
    """
    low, high = others[0], others[-1]
    if value < 0 < low and low - value > SIGN * (high - low):
        return True
    is_beyond = max(value - high, low - value) > FAR * (high - low)
    if value > 0 and low > 0:
        factor = max(value / high, low / value)
        return bool(factor > (high / low if is_beyond else (high / low) ** FAR))
    if not is_beyond:
        return False
    positive = others[others.searchsorted(0, "right") :]
    if value > 0 and low == 0 and len(positive):
        return bool(max(value / high, positive[0] / value) > high / positive[0])
    distances = np.abs(others - np.median(others))
    usual, largest = np.median(distances), distances.max()
    return bool(abs(value - np.median(others)) * usual > largest**2)


def twin_categories(cells: list[str]) -> tuple[list[str], str]:
    """Return the rarer spellings of categories (basel for Basel, Zurihc for Zurich), and what to do about them."""
    counts = Counter(cell for cell in cells if cell)
    commonest: dict[str, str] = {}
    for cell, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        commonest.setdefault(key(cell), cell)
    twins = {cell: commonest[key(cell)] for cell in counts if commonest[key(cell)] != cell}
    n_few = max(1, int(RARE * counts.total()))
    rare = [cell for cell in counts if cell not in twins and counts[cell] <= n_few]
    for cell in rare if len(rare) <= len(cells) * RARE + SHOWN else []:
        meant = next((other for other in counts if counts[other] >= TIMES * counts[cell] and is_typo(cell, other)), "")
        twins |= {cell: meant} if meant else {}
    shown = ", ".join(f"{cell!r} and {twins[cell]!r}" for cell in sorted(twins)[:SHOWN])
    more = f" and {len(twins) - SHOWN} more" if len(twins) > SHOWN else ""
    return sorted(twins), f"categories that may be one: {shown}{more}; if so, write them alike"
