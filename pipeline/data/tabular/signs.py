"""What comma and point mean in a column of numbers: told from the column, else from the file, else refused."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import NoReturn

from pipeline.core.errors import DataError
from pipeline.data.tabular.formats import Source
from pipeline.data.tabular.numbers import (
    BLANKS,
    COMMA,
    GROUPED,
    GROUPS_THEN,
    ONE_GROUP,
    NumberFormat,
    body_of,
    is_plain,
    n_read,
    plain_signs,
)

FEWEST_POINTS = 3  # different cells such as 1.002, from which on points may part thousands


@dataclass(frozen=True)
class Separators:
    """What a column's cells show about comma and point, as one example of each kind, "" for none.

    `decimal_comma` 1,33; `thousands_comma` 1,234.5 or 1,234,567; `either_comma` 7,188; `decimal_point` 1.33;
    `thousands_point` 1.234,5 or 1.234.567; `either_point` 7.188.
    """

    decimal_comma: str = ""
    thousands_comma: str = ""
    either_comma: str = ""
    decimal_point: str = ""
    thousands_point: str = ""
    either_point: str = ""


def separators_of(counts: Counter, least: float = 0.0) -> Separators:
    """Return what a column's numbers show about comma and point; kinds of at most `least` cells count only if alone."""
    n_cells: Counter = Counter()
    examples: dict[str, str] = {}
    for cell, count in counts.items():
        body = plain_signs(BLANKS.sub("", body_of(cell)))
        if kind := _sign_kind(body):
            n_cells[kind] += count
            examples.setdefault(kind, cell)
    common = {kind: examples[kind] for kind, n in n_cells.items() if n > least}
    return Separators(**(common or examples))


def merge(separators_of_columns: Iterable[Separators]) -> Separators:
    """Return what all columns of a file show."""
    known: dict[str, str] = {}
    for signs in separators_of_columns:
        known = {kind: cell for kind, cell in asdict(signs).items() if cell} | known
    return Separators(**known)


def _sign_kind(body: str) -> str:
    """Return which field of `Separators` a number is an example of, "" for none."""
    if "," in body:
        if ONE_GROUP[","].fullmatch(body):
            return "either_comma"
        if GROUPED[","].fullmatch(body) or GROUPS_THEN[","].fullmatch(body):
            return "thousands_comma"
        if GROUPS_THEN["."].fullmatch(body):
            return "thousands_point"
        return "decimal_comma" if COMMA.fullmatch(body) else ""
    if "." in body:
        if ONE_GROUP["."].fullmatch(body):
            return "either_point"
        if GROUPED["."].fullmatch(body):
            return "thousands_point"
        return "decimal_point" if is_plain(body) else ""
    return ""


def points_may_part_thousands(counts: Counter) -> bool:
    """Return whether every point of a column stands before three digits, and no whole number is larger than 999.

    1.234 may be a thousand and more, or a little over one.
    """
    n_pointed = 0
    for cell in map(body_of, counts):
        if "." in cell:
            if not ONE_GROUP["."].fullmatch(cell):
                return False
            n_pointed += 1
        elif cell.isascii() and cell.isdigit() and len(cell) > 3:
            return False
    return n_pointed >= FEWEST_POINTS


def falls_at_thousand(counts: Counter) -> bool:
    """Return whether a column of such points holds 998, too: read as decimals it would fall from 998 to 1.002."""
    return sum(cell.isascii() and cell.isdigit() and len(cell) == 3 for cell in counts) >= FEWEST_POINTS


class SeparatorDetector:
    """Detects the separators of one column, of which `counts` has how often each known cell occurs.

    `file_separators` is what all columns of the file show; at least `needed` cells must be read as numbers. With `limits`, cells
    such as <0.5 are numbers.
    """

    def __init__(
        self,
        name: str,
        counts: Counter,
        source: Source,
        file_separators: Separators,
        needed: float,
        limits: bool = False,
    ):
        self.limits = limits
        self.name, self.counts, self.source, self.file_separators, self.needed = (
            name,
            counts,
            source,
            file_separators,
            needed,
        )
        self.separators = separators_of(counts, counts.total() - needed)

    def detect(self, unit: str) -> NumberFormat | None:
        """Return how the column's numbers are written, None where it is none of numbers; raise DataError if unclear."""
        if self._n_somehow(unit) < self.needed:
            return None
        if self._points_may_part_thousands():
            self._refuse()
        pointed = NumberFormat(".", "", unit, self.limits)
        if not (self.separators.either_comma or self._points_part_thousands()) and self._reads(pointed):
            return self._best([NumberFormat(".", sign, unit, self.limits) for sign in ("", ",", " ", "'")])
        decimal, thousands = self._separators()
        others = [","] if decimal == "." else ["."] if separators_of(self.counts).thousands_point else []
        best = self._best([NumberFormat(decimal, sign, unit, self.limits) for sign in (thousands, *others, " ", "'")])
        if not self._reads(best):
            self._refuse()
        return best

    def _reads(self, form: NumberFormat) -> bool:
        return n_read(self.counts, form) >= self.needed

    def _best(self, forms: list[NumberFormat]) -> NumberFormat:
        """Return the format that reads most cells; of equals the first."""
        return max(forms, key=lambda form: n_read(self.counts, form))

    def _n_somehow(self, unit: str) -> int:
        """Return how many cells are numbers in one format or another."""
        thousands = ((".", ","), (",", "."), (",", ""), (".", " "), (".", "'"), (",", " "), (",", "'"))
        forms = [NumberFormat(*signs, unit, self.limits) for signs in thousands]
        return sum(n for cell, n in self.counts.items() if any(form.plain(cell) is not None for form in forms))

    def _points_part_thousands(self) -> bool:
        """Return whether 1.234 is a thousand and more: all points of the column are so, and the file has 1,5 elsewhere."""
        if self.separators.decimal_point:
            return False
        in_file = (
            self.file_separators.decimal_comma or self.file_separators.thousands_point
        ) and not self.file_separators.decimal_point
        return bool(
            self.separators.thousands_point
            or (self.separators.either_point and in_file and not self.separators.decimal_comma)
        )

    def _points_may_part_thousands(self) -> bool:
        """Return whether the column holds 1.002 and the file does not show what the point means."""
        if self._points_part_thousands() or not points_may_part_thousands(self.counts):
            return False
        return falls_at_thousand(self.counts) or not self.file_separators.decimal_point

    def _separators(self) -> tuple[str, str]:
        """Return the decimal and the thousands separator; raise DataError where column and file do not show them."""
        signs = self.separators
        comma_is_decimal = signs.decimal_comma or signs.thousands_point
        if (comma_is_decimal and signs.thousands_comma) or (signs.thousands_point and signs.decimal_point):
            self._refuse()
        if self._points_part_thousands():
            return ",", "."
        if signs.decimal_comma:
            if signs.either_point:
                self._refuse()
            return ",", ""
        if signs.thousands_comma:
            return ".", ","
        return self._from_file() if signs.either_comma else (".", "")

    def _from_file(self) -> tuple[str, str]:
        """Return the signs where every comma of the column stands before three digits."""
        points = (
            self.separators.decimal_point or self.file_separators.decimal_point or self.file_separators.thousands_comma
        )
        if bool(points) != bool(self.file_separators.decimal_comma):
            return (".", ",") if points else (",", "")
        if self.source.separator in (",", ";"):
            return (".", ",") if self.source.separator == "," else (",", "")
        whole = [int(cell) for cell in self.counts if cell.isascii() and cell.isdigit()]
        if not whole or max(whole) >= 1000:
            self._refuse()
        return ".", ","

    def _refuse(self) -> NoReturn:
        """Raise DataError, with two cells that contradict each other."""
        whole = [cell for cell in self.counts if len(cell) == 3 and cell.isdigit()]
        shown = [repr(cell) for cell in (*asdict(self.separators).values(), *whole) if cell][:2]
        mark = "point" if any("." in cell for cell in shown[:1]) else "comma"
        raise DataError(
            f"{self.source.path}: column {self.name!r} holds {' and '.join(shown)}: the {mark} may be a decimal or a thousands "
            "separator. Write numbers without thousands separators and with a decimal point (1234; 1.2340), or leave the column "
            f"out: --exclude {self.name} (read.exclude)"
        )
