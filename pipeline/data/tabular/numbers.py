"""How numbers are written: decimal and thousands signs, units, ranges."""

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from pipeline.data.tabular.missing import is_missing

if TYPE_CHECKING:  # the app's first page reads bundles, and does not wait for numpy
    import numpy as np

SIGN = r"[+\-−]?"
GROUPED = {  # by thousands sign: whole numbers in groups of three
    ",": re.compile(rf"{SIGN}[1-9]\d{{0,2}}(,\d{{3}})+"),
    ".": re.compile(rf"{SIGN}[1-9]\d{{0,2}}(\.\d{{3}})+"),
    " ": re.compile(rf"{SIGN}[1-9]\d{{0,2}}([ \u00a0\u202f\u2009]\d{{3}})+([.,]\d+)?"),
    "'": re.compile(rf"{SIGN}[1-9]\d{{0,2}}(['’]\d{{3}})+([.,]\d+)?"),
}
ONE_GROUP = {sign: re.compile(rf"{SIGN}[1-9]\d{{0,2}}{re.escape(sign)}\d{{3}}") for sign in ",."}
COMMA = re.compile(rf"{SIGN}\d*,\d+([eE][+-]?\d+)?")
GROUPS_THEN = {  # by thousands sign: groups, then the other sign as the decimal one
    ",": re.compile(rf"{SIGN}[1-9]\d{{0,2}}(,\d{{3}})+\.\d+"),
    ".": re.compile(rf"{SIGN}[1-9]\d{{0,2}}(\.\d{{3}})+,\d+"),
}
SIGNS = str.maketrans({"−": "-", "–": "-", "·": ".", "⋅": ".", "٫": ".", "٬": ",", "．": ".", "，": ","})
BLANKS = re.compile("[ \u00a0\u202f\u2009]")
UNIT = re.compile(
    rf"({SIGN}(?:[\d.,'’ \u00a0\u202f\u2009]*\d|\d)(?:[eE][+-]?\d+)?)\s*([^\W\d_]\S*(?: \S*[^\W\d_]\S*)?|[%‰°µ€$£]\S*)"
)
CURRENCY = re.compile(rf"([€$£¥₹])\s*({SIGN}[\d.,'’ \u00a0\u202f\u2009]*\d)")
# Of what can be measured, or estimates.
LIMIT = re.compile(r"(?i)(?:<=?|>=?|≤|≥|~|≈|ca\.?|approx\.?|about|etwa|env\.?)\s*([\d.,].*)")
YEARS = r"(?:\s*(?:years?|yrs?|y|jahren?|jahre|ans|años|anos|anni|jaar))?"
ENDS = r"(?:0|[1-9]\d*)(?:\.\d+)?"
BRACKETED = re.compile(  # also ]50, 60] of R and maths
    rf"[\[(\]]\s*({ENDS})\s*(?:-|–|,|;|\.\.|to)\s*({ENDS})\s*[\])\[]"
)
BARE = re.compile(rf"({ENDS})\s*(?:-|–|\.\.|to)\s*({ENDS}){YEARS}", re.IGNORECASE)
FROM = re.compile(
    rf"(?:>=?|≥|over|from|above|über|ab|plus de|más de)\s*({ENDS}){YEARS}|"
    rf"({ENDS})\s*(?:\+|and over|and above|or more|und mehr|und älter|et plus|y más){YEARS}",
    re.IGNORECASE,
)
UNDER = re.compile(rf"(?:<=?|≤|under|below|up to|unter|bis|moins de|menos de)\s*({ENDS}){YEARS}", re.IGNORECASE)
MOST_RANGES, FEWEST_RANGES = 60, 2  # different ones of a column
ONE_LETTER_UNITS = "gshmldyKTVWJ%‰°"


def as_number(cell: str) -> float:
    """Return a plain number (decimal point, no thousands sign) as a float, NaN where it is missing.

    Raises ValueError for anything else, infinities too.
    """
    if is_missing(cell):
        return math.nan
    number = float(cell)
    if not math.isfinite(number) or "_" in cell:  # Python would read the code 12_3 as 123
        raise ValueError(f"not a finite number: {cell}")
    return number


def as_numbers(cells: Sequence[str]) -> "np.ndarray":
    """Return plain numbers as float64, NaN where one is missing; raise ValueError as `as_number` does."""
    import numpy as np

    try:
        numbers = np.array(list(map(float, cells)), dtype=float)
    except ValueError:
        numbers = np.array([np.nan])
    if np.isfinite(numbers).all() and "_" not in "".join(cells):
        return numbers
    return np.array([as_number(cell) for cell in cells], dtype=float)


def is_plain(cell: str) -> bool:
    """Return whether a cell is a plain number."""
    try:
        return as_number(cell) == as_number(cell)
    except ValueError:
        return False


def plain_signs(cell: str) -> str:
    """Return a cell with the usual signs for a typographic minus and for the raised or Arabic decimal point."""
    return cell if cell.isascii() else cell.translate(SIGNS)


@dataclass(frozen=True)
class NumberFormat:
    """How the numbers of a column are written.

    `decimal` is "." or ","; `thousands` is "", ",", ".", " " or "'"; `unit` stands behind each number (a currency also before
    it), "" for none; with `limits`, <0.5 is read as 0.5.
    """

    decimal: str = "."
    thousands: str = ""
    unit: str = ""
    limits: bool = False

    def plain(self, cell: str) -> str | None:
        """Return a cell as a plain number, None where it is not written so."""
        limit = LIMIT.fullmatch(cell) if self.limits else None
        body = cell = limit[1] if limit else cell
        if self.unit:
            matched = split_unit(cell)
            if matched and unit_key(matched[1]) == unit_key(self.unit):
                body = matched[0]
        return self._plain_body(plain_signs(body))

    def _plain_body(self, body: str) -> str | None:
        if self.thousands in (" ", "'") and GROUPED[self.thousands].fullmatch(body):
            body = re.sub("['’]", "", BLANKS.sub("", body))
        if self.thousands == "," and (GROUPED[","].fullmatch(body) or GROUPS_THEN[","].fullmatch(body)):
            return body.replace(",", "")
        if self.thousands == "." and (GROUPED["."].fullmatch(body) or GROUPS_THEN["."].fullmatch(body)):
            return body.replace(".", "").replace(",", ".")
        if self.decimal == ",":
            if COMMA.fullmatch(body):
                return body.replace(",", ".")
            if ONE_GROUP["."].fullmatch(body):  # 1.234: a thousand and more, or a little over one?
                return None
        return body if is_plain(body) else None


PLAIN = NumberFormat()


def split_unit(cell: str) -> tuple[str, str] | None:
    """Return number and unit of "10.3 mg", "90%" or "$5", None for anything else."""
    if matched := CURRENCY.fullmatch(cell):
        return matched[2], matched[1]
    matched = UNIT.fullmatch(cell)
    return (matched[1].strip(), matched[2]) if matched else None


def unit_key(unit: str) -> str:
    """Return a unit without case and the s of a plural, for comparing."""
    plain = unit.casefold()
    return plain[:-1] if len(plain) > 2 and plain.endswith("s") else plain


def common_unit(counts: Counter, share: float) -> str:
    """Return the unit that at least `share` of a column's cells have, "" where there is none.

    Letters right behind a number may be a part of a code (stage 2a): a single one counts only if it is a usual unit.
    """
    matched: Counter = Counter()
    spelled: dict[str, Counter] = {}
    for cell, count in counts.items():
        parts = None if is_plain(cell) else split_unit(cell)
        if parts and (len(parts[1]) > 1 or parts[1] in ONE_LETTER_UNITS or cell[-2].isspace() or parts[1] == cell[0]):
            key = unit_key(parts[1])
            matched[key] += count
            spelled.setdefault(key, Counter())[parts[1]] += count
    if not matched:
        return ""
    key, most = matched.most_common(1)[0]
    return spelled[key].most_common(1)[0][0] if most >= share * counts.total() else ""


def body_of(cell: str) -> str:
    """Return a cell without its unit."""
    parts = None if cell[-1].isdigit() and cell[0] not in "€$£¥₹" else split_unit(cell)
    return parts[0] if parts else cell


def n_read(counts: Counter, form: NumberFormat) -> int:
    """Return how many of a column's cells are numbers in this format."""
    return sum(count for cell, count in counts.items() if form.plain(cell) is not None)


def range_ends(cell: str) -> tuple[float, float] | None:
    """Return the ends of a range, infinite where it is open, None for what is no range."""
    if matched := BRACKETED.fullmatch(cell) or BARE.fullmatch(cell):
        low, high = float(matched[1]), float(matched[2])
        return (low, high) if low < high else None
    if matched := FROM.fullmatch(cell):
        return float(matched[1] or matched[2]), float("inf")
    if matched := UNDER.fullmatch(cell):
        return float("-inf"), float(matched[1])
    return None


def range_middles(counts: Counter, share: float) -> dict[str, float]:
    """Return the middle of each range of a column, empty where the column does not hold ranges.

    At least `share` of the cells have to be ranges that do not overlap. An open range, such as 80+, is taken to be as wide as
    its neighbour.
    """
    matched = {cell: ends for cell in counts if (ends := range_ends(cell))}
    closed = sorted({ends for ends in matched.values() if abs(ends[0]) != float("inf") and ends[1] != float("inf")})
    n_ranges = sum(counts[cell] for cell in matched)
    if (
        not FEWEST_RANGES <= len(matched) <= MOST_RANGES
        or len(closed) < FEWEST_RANGES
        or n_ranges < share * counts.total()
    ):
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
