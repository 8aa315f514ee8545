"""How the bytes of a text file encode characters."""

import codecs
import io
import re
from collections.abc import Iterator
from pathlib import Path

from pipeline.core.errors import DataError
from pipeline.data.tabular.cells import Notice

MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
BINARY = re.compile(rb"[\x00-\x08\x0e-\x19\x1b-\x1f]")  # no text has these; 0x1a ends files of old systems
OTHER_ALPHABET = 0.5  # share of the signs that are not ASCII
PIECE = 1 << 20  # bytes decoded at once while checking


def find_encoding(data: bytes, path: Path) -> tuple[str, list[Notice]]:
    """Return the name of a text's encoding, with a notice where it had to be inferred.

    UTF-8 with or without a byte order mark, UTF-16 and UTF-32 with one, UTF-16 without one by its zero bytes, else
    Windows-1252, of which Latin-1 is a part. Raises DataError for what is no text, or UTF-8 with broken characters.
    """
    encoding = next((name for mark, name in MARKS if data.startswith(mark)), None)
    if encoding is None and b"\0" in data[:PIECE]:
        encoding = _utf16_without_mark(data)
    if not (encoding or "").startswith(("utf-1", "utf-3")) and (b"\0" in data or BINARY.search(data[:PIECE])):
        raise DataError(
            f"{path}: holds bytes that no text has; expected a text file such as CSV, or Excel (.xlsx), Parquet or ARFF"
        )
    broken = _first_broken(data, encoding or "utf-8")
    if broken is None:
        return encoding or "utf-8", [] if encoding in (None, "utf-8-sig") else [_notice(path, encoding.upper())]
    if encoding:
        raise DataError(f"{path}: begins as {encoding.upper()}, but byte {broken} is broken; save it as 'CSV UTF-8'")
    return _single_byte(data, broken, path)


def _single_byte(data: bytes, broken: int, path: Path) -> tuple[str, list[Notice]]:
    """Return Windows-1252 for text that is not UTF-8 from byte `broken` on."""
    replaced = data.decode("utf-8", "replace")
    n_broken = replaced.count("�")
    n_good = sum(character > "\x7f" for character in replaced) - n_broken
    if n_good > n_broken:
        line = data.count(b"\n", 0, broken) + 1
        raise DataError(
            f"{path}: line {line} is not UTF-8 (byte {broken}), although the rest is; save it as 'CSV UTF-8'"
        )
    undefined = _first_broken(data, "cp1252")
    if undefined is not None:
        raise DataError(
            f"{path}: is neither UTF-8 nor Windows-1252 (byte {undefined} cannot be decoded); save it as 'CSV UTF-8'"
        )
    if _is_other_alphabet(data.decode("cp1252")):
        raise DataError(
            f"{path}: is neither UTF-8 nor of a Western European alphabet (but Cyrillic, Greek, Chinese, Japanese ...), whose "
            "encodings cannot be told apart; save it as 'CSV UTF-8'"
        )
    return "cp1252", [_notice(path, "Windows-1252 (Latin-1)")]


def _is_other_alphabet(text: str) -> bool:
    """Return whether most signs that are not ASCII are words of their own: letters with accents stand among Latin ones.

    One sign of Chinese or Japanese has two bytes, and is a whole cell such as that for "man".
    """
    runs = re.findall(r"(?<![^\W\d_])([^\x00-\x7f]{2,})(?![a-zA-Z])|([^\x00-\x7f]+)", text)
    foreign = sum(len(alone) or (len(run) if len(run) > 2 else 0) for alone, run in runs)
    return foreign > OTHER_ALPHABET * sum(len(alone) + len(run) for alone, run in runs)


def _utf16_without_mark(data: bytes) -> str | None:
    """Return which UTF-16 a text without a mark is: of Latin letters every other byte is zero."""
    head = data[:4096]
    even, odd = head[::2].count(0), head[1::2].count(0)
    if max(even, odd) < len(head) / 4 or min(even, odd) > len(head) / 50:
        return None
    return "utf-16-le" if odd > even else "utf-16-be"


def _first_broken(data: bytes, encoding: str) -> int | None:
    """Return the position of the first byte that cannot be decoded; piece by piece, to keep memory small."""
    decoder = codecs.getincrementaldecoder(encoding)()
    for start in range(0, max(len(data), 1), PIECE):
        pending = len(decoder.getstate()[0])
        try:
            decoder.decode(data[start : start + PIECE], final=start + PIECE >= len(data))
        except UnicodeDecodeError as error:
            return start - pending + error.start
    return None


def _notice(path: Path, name: str) -> Notice:
    return Notice("encoding", "", 0, f"{path.name}: is not UTF-8: read as {name}")


def open_lines(data: bytes, encoding: str) -> Iterator[str]:
    """Return the lines of a text with their line ends as they are; a few bytes at a time are decoded."""
    return io.TextIOWrapper(io.BytesIO(data), encoding=encoding, newline="")
