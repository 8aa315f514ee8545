"""Columns of dates: in which layout they are written, and the dates themselves."""

import re
from collections import Counter
from datetime import datetime

import numpy as np
import pandas as pd

TIME = r"(?:[T ]\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?\s?(?:[AaPp][Mm])?(?:Z|[+-]\d{2}:?\d{2})?)?"
MONTH = r"[A-Za-z]{3,9}\.?"
QUARTER = r"Q[1-4][ /-]?\d{4}|\d{4}[ /-]?Q[1-4]|[1-4]\. ?Quartal \d{4}"
# By pattern: the layouts that it may stand for, as strptime has them.
LAYOUTS: tuple[tuple[re.Pattern, tuple[str, ...]], ...] = tuple(
    (re.compile(f"({pattern}){TIME}"), layouts)
    for pattern, layouts in [
        (r"\d{4}-\d{1,2}-\d{1,2}", ("%Y-%m-%d",)),
        (r"\d{4}/\d{1,2}/\d{1,2}", ("%Y/%m/%d",)),
        (r"\d{4}\.\d{1,2}\.\d{1,2}", ("%Y.%m.%d",)),
        (r"\d{8}", ("%Y%m%d",)),
        (r"\d{1,2}\.\d{1,2}\.\d{4}", ("%d.%m.%Y",)),
        (r"\d{1,2}\.\d{1,2}\.\d{2}", ("%d.%m.%y",)),
        (r"\d{1,2}/\d{1,2}/\d{4}", ("%d/%m/%Y", "%m/%d/%Y")),
        (r"\d{1,2}/\d{1,2}/\d{2}", ("%d/%m/%y", "%m/%d/%y")),
        (r"\d{1,2}-\d{1,2}-\d{4}", ("%d-%m-%Y", "%m-%d-%Y")),
        (rf"\d{{1,2}}-{MONTH}-\d{{4}}", ("%d-%b-%Y", "%d-%B-%Y")),
        (rf"\d{{1,2}}-{MONTH}-\d{{2}}", ("%d-%b-%y",)),
        (rf"\d{{1,2}}\.? {MONTH} \d{{4}}", ("%d %b %Y", "%d %B %Y")),
        (rf"{MONTH} \d{{1,2}}, \d{{4}}", ("%b %d, %Y", "%B %d, %Y")),
        (r"\d{4}-\d{2}", ("%Y-%m",)),
        (r"\d{1,2}/\d{4}", ("%m/%Y",)),
        (rf"{MONTH}[ -]\d{{4}}", ("%b %Y", "%B %Y")),
        (rf"{MONTH}-\d{{2}}", ("%b %y",)),
        (QUARTER, ("quarter",)),
    ]
)
YEARS = range(1850, 2101)
FEWEST = 5  # different cells, from which eight digits can be dates


def find_layouts(counts: Counter, share: float) -> tuple[str, ...]:
    """Return the layouts in which at least `share` of a column's cells are dates; two where day and month cannot be told.

    Empty where the column holds no dates. `counts` has how often each known cell occurs.
    """
    for pattern, layouts in LAYOUTS:
        parts: Counter[str] = Counter()
        for cell, count in counts.items():
            if matched := pattern.fullmatch(cell):
                parts[matched[1]] += count
        if parts.total() < share * counts.total() or (layouts == ("%Y%m%d",) and len(parts) < FEWEST):
            continue
        least = 1.0 if layouts == ("%Y%m%d",) else share
        good = tuple(layout for layout in layouts if _n_dates(parts, layout) >= least * counts.total())
        if good:
            return good[:1] if "%b" in good[0] or "%B" in good[0] else good
    return ()


def _n_dates(parts: Counter, layout: str) -> int:
    return sum(count for part, count in parts.items() if parse(part, layout) is not None)


def parse(cell: str, layout: str) -> datetime | None:
    """Return the day that a cell names in a layout, the first of a month or quarter, None for none of a plausible year."""
    if layout == "quarter":
        year, number = re.search(r"\d{4}", cell), re.search(r"(?<!\d)[1-4](?!\d)", cell)
        return datetime(int(year[0]), 3 * int(number[0]) - 2, 1) if year and number and int(year[0]) in YEARS else None
    text = re.sub(r"[T ]\d{1,2}:.*$", "", cell).replace("Sept ", "Sep ")
    text = re.sub(r"(?<=[A-Za-z])\.", "", text) if "%b" in layout else text
    text = text.replace("-", " ") if layout in ("%b %Y", "%B %Y", "%b %y") else text
    text = re.sub(r"^(\d{1,2})\. ", r"\1 ", text)
    for variant in {layout, layout.replace("%b", "%B")}:
        try:
            day = datetime.strptime(text, variant)
        except ValueError:
            continue
        return day if day.year in YEARS else None
    return None


def find_mixed(counts: Counter, share: float) -> tuple[str, ...]:
    """Return the layouts in which together at least `share` of a column's cells are dates, none where one is not clear."""
    layouts: list[str] = []
    left = counts
    for pattern, _ in LAYOUTS:
        part = Counter({cell: count for cell, count in left.items() if pattern.fullmatch(cell)})
        clear = find_layouts(part, share) if part else ()
        if len(clear) > 1:
            return ()
        layouts += clear
        left = left - part if clear else left
    return tuple(layouts) if left.total() <= (1 - share) * counts.total() else ()


def to_seconds(cells: list[str], layout: str) -> np.ndarray:
    """Return dates as float64 seconds since 1970, NaN for what is none; the time of day counts where it is given."""
    known = {cell: _seconds(cell, layout) for cell in set(cells)}
    return np.array([known[cell] for cell in cells])


def _seconds(cell: str, layout: str) -> float:
    day = parse(cell, layout)
    if day is None:
        return np.nan
    moment = pd.Timestamp(day)
    if time := re.search(r"[T ](\d{1,2}:.*)$", cell):
        clock = pd.Timestamp(f"{day:%Y-%m-%d} {time[1].replace(',', '.')}")
        moment = clock.tz_convert("UTC").tz_localize(None) if clock.tzinfo else clock
    return moment.timestamp()
