"""Which folders or parts of file names divide the images, as regular expressions whose only group is what they share."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

SIGN, WORD = "[^A-Za-z0-9/]", "[A-Za-z0-9]+"
ANY_SIGN, ANY_WORD = r"(?:[^\w/]|_)", r"[^\W_]+"  # of other alphabets
PATIENT = "patients?|subjects?|participants?|persons?|pat|subj|sub|mrn|pid"
LESION = "lesions?|cases?|study|studies|exam|scan|slide|specimen|eye"
DEEPEST = 6  # folders and parts of a name that are tried
FEWEST_VALUES = 4
FEWEST_TOGETHER = 0.5  # share of the images that must share their value with another one
MOST_LAST = 0.5  # share of the possible last digits of a number that occur, where these count the images of a patient


@dataclass(frozen=True)
class PathGroup:
    """A regular expression, what it stands for in words, and the value of each path ("" where it finds none)."""

    pattern: str
    words: str
    values: list[str]
    is_named: bool = False

    @property
    def n_values(self) -> int:
        """How many groups there are."""
        return len(set(self.values) - {""})

    def with_folders(self, paths: Sequence[str]) -> "PathGroup":
        """Return the same with all that stands before it in the path: a number that each class begins anew."""
        flag, body = (
            ("(?i)", self.pattern.removeprefix("(?i)")) if self.pattern.startswith("(?i)") else ("", self.pattern)
        )
        before, after = re.split(r"\((?!\?)", body, maxsplit=1)
        pattern = f"{flag}^(.*?{before}{after}"
        return PathGroup(
            pattern, f"{self.words} and the folder", [group_of(pattern, path) for path in paths], self.is_named
        )


def group_of(pattern: str, path: str) -> str:
    """Return what the only group of a regular expression finds in a path, "" where it finds nothing."""
    match = re.search(pattern, path)
    return (match.group(1) or "").strip() if match else ""


def find_candidates(paths: Sequence[str], fixed: int) -> list[PathGroup]:
    """Return the regular expressions that divide the paths into groups of images: those that find most, the coarser first.

    Parameters
    ----------
    paths : relative, with / between folders
    fixed : the number of folders at the top that are classes or shipped splits

    Notes
    -----
    Tried are the folders below the fixed ones, `patient_12` or `case-7` anywhere in the path, the beginnings of the file name up
    to each sign (`person16_lesion_3`, `CNV-1016042-1`), each single part, the name up to where letters follow a number
    (`p12b3`), and the number behind the letters (`a012`, `b012`). A candidate stays where half of the images share their value
    with another one, and there are `FEWEST_VALUES` values.
    """
    sign, word = (SIGN, WORD) if all(map(str.isascii, paths)) else (ANY_SIGN, ANY_WORD)
    tried = [
        (rf"(?i)(?:^|[^A-Za-z])((?:{PATIENT}){SIGN}?[A-Za-z]?\d+)", "a word such as patient and a number", True),
        (rf"(?i)(?:^|[^A-Za-z])((?:{LESION}){SIGN}?[A-Za-z]?\d+)", "a word such as case and a number", False),
    ]
    deepest = max((path.count("/") for path in paths), default=0)
    for level in range(fixed, min(deepest, fixed + DEEPEST)):
        tried.append((rf"^(?:[^/]+/){{{level}}}([^/]+)/", f"folder {level + 1} of the path", False))
    rest = rf"{sign}+[^/]*[A-Za-z0-9][^/]*\.[^./]+$"
    parts = []
    for n in range(1, DEEPEST):
        first = "the file name up to the first sign" if n == 1 else f"the first {n} parts of the file name"
        more = rf"(?:{sign}+{word}){{{n - 1}}}" if n > 1 else ""
        tried.append((rf"(?:^|/)({word}{more}){rest}", first, False))
        before = rf"(?:{word}{sign}+){{{n}}}"
        parts.append((rf"(?:^|/){before}({word})(?:{sign}[^/]*)?\.[^./]+$", f"part {n + 1} of the file name", False))
    tried += parts
    tried.append((r"(?:^|/)([A-Za-z]*\d+)[A-Za-z][^/]*\.[^./]+$", "the file name up to its first number", False))
    tried.append((r"(?:^|/)[A-Za-z]+(\d+)\.[^./]+$", "the number behind the letters of the file name", False))
    if deepest > fixed:
        tried.append((r"(?:^|/)([^/]+)\.[^./]+$", "the file name", False))
    tried += [(pattern, words, False) for pattern, words in glued_digits(paths)]
    groups: dict[tuple[int, ...], PathGroup] = {}
    for pattern, words, is_named in tried:
        values = [group_of(pattern, path) for path in paths]
        if is_division(values):
            groups.setdefault(tuple(as_numbers(values)), PathGroup(pattern, words, values, is_named))
    return sorted(groups.values(), key=lambda group: (not group.is_named, group.values.count(""), group.n_values))


def glued_digits(paths: Sequence[str]) -> list[tuple[str, str]]:
    """Return the regular expression of names such as 0702 for image 02 of patient 07, and words for it, if there are any.

    All names end with as many digits, and of the last ones few of those occur that a running number would go through.
    """
    ends = [re.search(r"(\d+)\.[^./]+$", path) for path in paths]
    digits = [end[1] for end in ends if end]
    if len(digits) < len(paths) or len({len(run) for run in digits}) != 1:
        return []
    for n in range(1, len(digits[0])):
        pattern = rf"(?:^|/)([^/]*\d)\d{{{n}}}\.[^./]+$"
        is_counted = len({run[-n:] for run in digits}) <= MOST_LAST * min(10**n, len(set(digits)))
        if is_counted and is_division([group_of(pattern, path) for path in paths]):
            return [
                (
                    pattern,
                    f"the file name without its last {n} digits" if n > 1 else "the file name without its last digit",
                )
            ]
    return []


def is_division(values: list[str], fewest: int = FEWEST_VALUES) -> bool:
    """Return whether values, `fewest` at least, divide samples into groups of two or more."""
    counts = Counter(value for value in values if value)
    together = sum(count for count in counts.values() if count > 1)
    return len(counts) >= fewest and together >= FEWEST_TOGETHER * len(values)


def as_numbers(values: list[str]) -> list[int]:
    """Return the values numbered in the order in which they come, so that equal divisions are equal."""
    seen: dict[str, int] = {}
    return [seen.setdefault(value, len(seen)) for value in values]
