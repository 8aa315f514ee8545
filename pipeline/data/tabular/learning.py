"""Tell over a whole column how its cells are written, and what is to be said about it.

`learn` turns a table of text into one that holds plain numbers, whatever signs, units and ranges it was written with.
"""

import re
from collections import Counter
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.data.tabular import dates
from pipeline.data.tabular.cells import Notice
from pipeline.data.tabular.formats import ColumnFormat, Source
from pipeline.data.tabular.missing import is_missing, kept_words
from pipeline.data.tabular.numbers import (
    LIMIT,
    PLAIN,
    NumberFormat,
    as_numbers,
    common_unit,
    is_plain,
    range_middles,
    split_unit,
)
from pipeline.data.tabular.signs import SeparatorDetector, Separators, merge, points_may_part_thousands, separators_of

ODD = 0.02  # of a column's known cells: so many that are no numbers count as missing
SHOWN = 5  # odd cells; more are counted
CODES = ("-9", "-99", "-999", "-9999", "99", "999", "9999", "99999", "-1")
FEWEST_CODES = 3  # cells with a code, and other numbers
MANY = 20  # different cells that begin with digits and are no numbers
MOSTLY = 0.8  # share of the odd cells that begin with a digit, which codes such as C50 do not
NUMBER_FIRST = re.compile(r"\W*\d")
FEW = 10  # different whole numbers, which may be codes


@dataclass(frozen=True)
class Learned:
    """A table of text with plain numbers, the format of each column, and what is to be said about them."""

    table: pd.DataFrame
    formats: dict[str, ColumnFormat]
    notices: list[Notice]


def learn(table: pd.DataFrame, source: Source) -> Learned:
    """Tell how the cells of each column are written.

    Parameters
    ----------
    table
        Cells as text, (n_rows, n_columns).
    source
        Where they come from; its separator and other columns decide what a lone comma means.

    Returns
    -------
    Learned
        The table with plain numbers; what counts as missing is empty.

    Raises
    ------
    DataError
        Where comma and point cannot be told apart in a column of numbers.
    """
    counted = {name: _known(table[name].tolist()) for name in table}
    usual = {name: _is_usual_number(counts) for name, counts in counted.items()}
    file_separators = merge(
        separators_of(counts, ODD * counts.total()) for counts in counted.values() if _may_be_numbers(counts)
    )
    columns, formats = {}, {}
    notices: list[Notice] = []
    for name in table:
        cells = table[name].tolist()
        form = ColumnFormat("number")
        column_notices: list[Notice] = []
        if not usual[name] or _looks_otherwise(counted[name], file_separators):
            form, column_notices = _Column(name, cells, counted[name], source, file_separators).learn()
        formats[name] = form
        if form.kind == "number":
            column_notices = [*column_notices, *about_codes(name, counted[name], form)]
        notices += column_notices
        columns[name] = cells if form.is_usual and not column_notices else _canonical(cells, form)
    return Learned(pd.DataFrame(columns, dtype=object, index=table.index), formats, notices)


def about_codes(name: str, counts: Counter, form: ColumnFormat) -> list[Notice]:
    """Return a notice on numbers such as 999 or -9 that lie far from all others of their column: codes for a missing value."""
    codes = [cell for cell in counts if cell.removesuffix(".0") in CODES and counts[cell] >= FEWEST_CODES]
    if not codes:
        return []
    plain = [form.canonical(cell) for cell in counts if cell.removesuffix(".0") not in CODES]
    others = np.array([float(cell) for cell in plain if cell and is_plain(cell)])
    if len(others) < FEWEST_CODES:
        return []
    low, high = others.min(), others.max()
    far = [
        cell
        for cell in codes
        if float(cell) > high + (high - low) or float(cell) < low - (high - low) or low >= 0 > float(cell)
    ]
    shown = ", ".join(f"{cell} ({counts[cell]} cells)" for cell in far)
    text = f"column {name!r}: {shown} far from the others ({low:g} to {high:g}); if missing values are meant, empty these cells"
    return [Notice("code", name, 0, text)] if far else []


def _known(cells: list[str]) -> Counter:
    """Return how often each cell occurs that is not missing."""
    counts = Counter(cells)
    if _is_usual_number(counts):
        return counts
    kept = kept_words(counts)
    return Counter({cell: count for cell, count in counts.items() if cell in kept or not is_missing(cell)})


def _is_usual_number(counts: Counter) -> bool:
    try:
        return bool(np.isfinite(as_numbers(list(counts))).all())
    except ValueError:
        return False


def _looks_otherwise(counts: Counter, file_separators: Separators) -> bool:
    """Return whether plain numbers may be dates (20210131), or have points for thousands (1.234)."""
    some = next(iter(counts), "")
    return (
        (len(some) == 8 and some.isdigit())
        or (bool(file_separators.decimal_comma) and "." in "".join(list(counts)[:1000]))
        or points_may_part_thousands(counts)
    )


def _may_be_numbers(counts: Counter) -> bool:
    """Return whether a column's cells look like numbers, judged by the first ones."""
    cells = list(counts)[:1000]
    return sum(cell[-1].isdigit() or split_unit(cell) is not None for cell in cells) >= (1 - ODD) * len(cells)


def _canonical(cells: list[str], form: ColumnFormat) -> list[str]:
    """Return cells as plain numbers; what cannot be read is missing."""
    if form.kind != "number":
        return cells
    known = {cell: form.canonical(cell) or "" for cell in set(cells)}
    return [known[cell] for cell in cells]


class _Column:
    """One column while its format is told."""

    def __init__(self, name: str, cells: list[str], counts: Counter, source: Source, file_separators: Separators):
        self.name, self.cells, self.counts, self.source, self.file_separators = (
            name,
            cells,
            counts,
            source,
            file_separators,
        )
        self.least = 1 - ODD

    def learn(self) -> tuple[ColumnFormat, list[Notice]]:
        """Return the format and what is to be said of it."""
        if layouts := dates.find_layouts(self.counts, self.least):
            return self._as_dates(layouts)
        form = self._number_format()
        if form and not self._mixes_numbers_and_codes(form):
            return self._as_numbers(form)
        if middles := range_middles(self.counts, self.least):
            return self._as_ranges(middles)
        return ColumnFormat("choice"), self._nearly_numbers()

    def _number_format(self) -> NumberFormat | None:
        """Return how the column's numbers are written, None where it holds none; many cells such as <0.5 are numbers, too."""
        needed = self.least * self.counts.total()
        bodies: Counter[str] = Counter()
        for cell, count in self.counts.items():
            matched = LIMIT.fullmatch(cell)
            bodies[matched[1] if matched else cell] += count
        for limits, counts in ((False, self.counts), (True, bodies)):
            if limits and len(counts) == len(self.counts) and counts == self.counts:
                return None
            detector = SeparatorDetector(self.name, counts, self.source, self.file_separators, needed, limits)
            if form := detector.detect(common_unit(counts, self.least)):
                return form
        return None

    def _notice(self, kind: str, text: str, row: int | None = None) -> Notice:
        line = 0 if row is None else int(self.source.lines[row])
        joint = " " if text.startswith(("is ", "holds ")) else ": "
        return Notice(kind, self.name, line, f"column {self.name!r}{joint}{text}")

    def _row_of(self, cell: str) -> int:
        return self.cells.index(cell)

    def _where(self, cell: str) -> str:
        return f"{cell!r} in {self.source.where(self._row_of(cell))}"

    def _as_dates(self, layouts: tuple[str, ...]) -> tuple[ColumnFormat, list[Notice]]:
        odd = [cell for cell in self.counts if all(dates.parse(cell, layout) is None for layout in layouts)]
        text = f"holds dates ({next(iter(self.counts))}), which are no features: left out"
        if len(layouts) > 1:
            text += "; day and month cannot be told apart, so it cannot order the samples: write 2021-12-31"
        notices = [self._notice("date", text)]
        if odd:
            notices.append(self._notice("odd cell", f"{self._where(odd[0])} is no date", self._row_of(odd[0])))
        return ColumnFormat("date", layouts=layouts), notices

    def _mixes_numbers_and_codes(self, form: NumberFormat) -> bool:
        """Return whether few whole numbers stand next to a code such as 2a, as stages do: then all are codes."""
        odd = [cell for cell in self.counts if form.plain(cell) is None]
        plain = {cell for cell in self.counts if is_plain(cell)}
        is_few = len(plain) <= FEW and all(float(cell).is_integer() for cell in plain)
        return form == PLAIN and is_few and any(cell[:-1] in plain and cell[-1].isalpha() for cell in odd)

    def _as_numbers(self, form: NumberFormat) -> tuple[ColumnFormat, list[Notice]]:
        notices = []
        cells = (
            [cell for cell in self.counts if LIMIT.fullmatch(cell)] if form.limits and not form.unit else self.counts
        )
        example = next((cell for cell in cells if form.plain(cell) not in (None, cell)), "")
        if form.unit:
            text = f"the numbers have the unit {form.unit!r}: {example!r} is read as {form.plain(example)} {form.unit}"
            notices.append(self._notice("unit", text))
        if form.limits:
            n_limits = sum(count for cell, count in self.counts.items() if LIMIT.fullmatch(cell))
            shown = f"{example!r} is {form.plain(example)}"
            text = f"{n_limits} of {self.counts.total()} cells are limits or estimates, read as their number: {shown}"
            notices.append(self._notice("limit", text))
        elif example and not form.unit:
            notices.append(self._notice("number", f"{example!r} is read as {form.plain(example)}"))
        odd = [row for row, cell in enumerate(self.cells) if cell in self.counts and form.plain(cell) is None]
        if odd:
            notices.append(self._odd_notice(odd))
        return ColumnFormat("number", form.decimal, form.thousands, form.unit, form.limits), notices

    def _odd_notice(self, odd: list[int]) -> Notice:
        shown = ", ".join(f"{self.cells[row]!r} in {self.source.where(row)}" for row in odd[:SHOWN])
        more = f" and {len(odd) - SHOWN} more" if len(odd) > SHOWN else ""
        n_known = self.counts.total()
        text = f"{len(odd)} of {n_known} cells are no numbers and count as missing: {shown}{more}"
        return self._notice("odd cell", text, odd[0])

    def _as_ranges(self, middles: dict[str, float]) -> tuple[ColumnFormat, list[Notice]]:
        example = next(iter(middles))
        notices = [self._notice("range", f"holds ranges, each read as its middle: {example} is {middles[example]:g}")]
        form = ColumnFormat("number", middles=dict(sorted(middles.items(), key=lambda item: item[1])))
        odd = [row for row, cell in enumerate(self.cells) if cell in self.counts and form.canonical(cell) is None]
        return form, notices + ([self._odd_notice(odd)] if odd else [])

    def _nearly_numbers(self) -> list[Notice]:
        """Return what is to be said of a column of categories: numbers among them, words that differ in case only, None."""
        notices = []
        odd = [cell for cell in self.counts if not is_plain(cell)]
        n_odd = sum(self.counts[cell] for cell in odd)
        n_like = sum(NUMBER_FIRST.match(cell) is not None for cell in odd)
        if len(odd) > MANY and n_like >= MOSTLY * len(odd):
            text = f"is taken as {len(self.counts)} categories; if they are numbers, {self._where(odd[0])} is not understood"
            notices.append(self._notice("category", text, self._row_of(odd[0])))
        elif n_odd <= self.counts.total() / 2:
            row = next(row for row, cell in enumerate(self.cells) if cell in self.counts and not is_plain(cell))
            text = (
                f"is taken as categories: {n_odd} of {self.counts.total()} cells are no numbers, the first "
                f"{self.cells[row]!r} in {self.source.where(row)}"
            )
            notices.append(self._notice("category", text, row))
        units = Counter(parts[1] for cell in self.counts if (parts := split_unit(cell)) and len(parts[1]) > 1)
        n_units = sum(self.counts[cell] for cell in self.counts if split_unit(cell))
        if len(units) > 1 and n_units >= self.least * self.counts.total():
            shown = ", ".join(sorted(units)[:SHOWN])
            notices.append(self._notice("unit", f"is taken as categories: its numbers have different units ({shown})"))
        kept = kept_words(self.cells)
        for word in sorted(kept):
            text = f"{word!r} ({self.counts[word]} cells) is taken as a category like the others, not as missing"
            notices.append(self._notice("missing", text, self._row_of(word)))
        return notices
