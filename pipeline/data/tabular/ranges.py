"""Cells that are ranges, such as [50-60), 50-59 or 80+: each stands for the middle of its range."""

import re
from collections import Counter
from itertools import pairwise

YEARS = r"(?:\s*(?:years?|yrs?|y|jahren?|jahre|ans|años|anos|anni|jaar))?"
NUMBER = r"(?:0|[1-9]\d*)(?:\.\d+)?"
BRACKETED = re.compile(
    rf"[\[(\]]\s*({NUMBER})\s*(?:-|–|,|;|\.\.|to)\s*({NUMBER})\s*[\])\[]"
)  # also ]50, 60] of R and maths
BARE = re.compile(rf"({NUMBER})\s*(?:-|–|\.\.|to)\s*({NUMBER}){YEARS}", re.IGNORECASE)
FROM = re.compile(
    rf"(?:>=?|≥|over|from|above|über|ab|plus de|más de)\s*({NUMBER}){YEARS}|"
    rf"({NUMBER})\s*(?:\+|and over|and above|or more|und mehr|und älter|et plus|y más){YEARS}",
    re.IGNORECASE,
)
UNDER = re.compile(rf"(?:<=?|≤|under|below|up to|unter|bis|moins de|menos de)\s*({NUMBER}){YEARS}", re.IGNORECASE)
MOST = 60  # different ranges
LEAST = 2


def bounds(cell: str) -> tuple[float, float] | None:
    """Return the ends of a range, infinite where it is open, None for what is no range."""
    if matched := BRACKETED.fullmatch(cell) or BARE.fullmatch(cell):
        low, high = float(matched[1]), float(matched[2])
        return (low, high) if low < high else None
    if matched := FROM.fullmatch(cell):
        return float(matched[1] or matched[2]), float("inf")
    if matched := UNDER.fullmatch(cell):
        return float("-inf"), float(matched[1])
    return None


def middles(counts: Counter, share: float) -> dict[str, float]:
    """Return the middle of each range of a column, empty where the column does not hold ranges.

    At least `share` of the cells have to be ranges that do not overlap. An open range, such as 80+, is taken to be as wide as
    its neighbour.
    """
    matched = {cell: ends for cell in counts if (ends := bounds(cell))}
    closed = sorted({ends for ends in matched.values() if abs(ends[0]) != float("inf") and ends[1] != float("inf")})
    n_ranges = sum(counts[cell] for cell in matched)
    if not LEAST <= len(matched) <= MOST or len(closed) < LEAST or n_ranges < share * counts.total():
        return {}
    if any(after[0] < before[1] for before, after in pairwise(closed)):
        return {}
    first, last = closed[0], closed[-1]
    middle = {}
    for cell, (low, high) in matched.items():
        if low == float("-inf"):
            low = max(high - (first[1] - first[0]), min(0.0, high))
        if high == float("inf"):
            high = low + (last[1] - last[0])
        middle[cell] = (low + high) / 2
    return middle
