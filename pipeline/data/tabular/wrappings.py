"""What a table may be packed in, and files that are no table at all: told by their first bytes."""

import io
import re
import zipfile
import zlib
from pathlib import Path

from pipeline.core.errors import DataError

MOST_BYTES = 1 << 30  # of an unpacked table
SMALL, RATIO = 50_000_000, 100  # bytes from which on a file may not unpack to more than so many times its size
IN_ARCHIVE = re.compile(r"(?i)(?!__MACOSX|.*/\.|\.).*\.(csv|tsv|txt|data|xlsx|xlsm|parquet|pq|arff)")
CSV = "save it as CSV"
OTHER_FILES: tuple[tuple[bytes, str], ...] = (
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook (.xls); save it as .xlsx or CSV"),
    (b"%PDF", "a PDF; expected a table"),
    (b"\x89PNG", "an image; expected a table"),
    (b"\xff\xd8\xff", "an image; expected a table"),
    (b"version https://git-lfs", "a pointer of Git LFS, not the file itself; fetch it: git lfs pull"),
    (b"$FL", f"an SPSS file; {CSV}"),
    (b"<stata_dta>", f"a Stata file; {CSV}"),
    (b"HEADER RECORD***", f"a SAS transport file; {CSV}"),
    (b"SQLite format 3", f"an SQLite database; export the table as CSV: {CSV}"),
    (b"\x89HDF", f"an HDF5 file; {CSV}"),
    (b"\x93NUMPY", f"a NumPy array; {CSV}"),
    (b"BZh", "compressed (bzip2); unpack it first"),
    (b"\xfd7zXZ", "compressed (xz); unpack it first"),
    (b"7z\xbc\xaf", "a 7z archive; unpack it first"),
    (b"Rar!", "a RAR archive; unpack it first"),
)
MARKUP = (
    (re.compile(rb"(?is)<(!doctype html|html|head|body|table|div|script)\b"), "an HTML page, not a table: the login or error "
     "page of a download, or a table saved as a web page; download it again, or open it in Excel and save it as CSV"),
    (re.compile(rb"<\?xml|<[A-Za-z]+[^\n>]*>"), f"XML; {CSV}"),
    (re.compile(rb"\{\s*\"|\{\s*\}|\[\s*[\[{]"), f"JSON; {CSV}"),
)  # fmt: skip


def unpacked(data: bytes, path: Path) -> bytes:
    """Return the table in a gzip file or in a zip archive that holds one; other bytes as they are.

    Raises DataError for an archive of something else, of several tables, or of more than `MOST_BYTES`.
    """
    if data.startswith(b"\x1f\x8b"):
        try:
            content = zlib.decompressobj(16 + zlib.MAX_WBITS).decompress(data, _most(data) + 1)
        except zlib.error as error:
            raise DataError(f"{path}: is a damaged gzip file ({error}); download it again") from None
        _check_size(len(content), data, path)
        if content[257:262] == b"ustar":
            raise DataError(f"{path}: is a tar archive; unpack it, and give the folder or the table in it")
        return content
    if not data.startswith(b"PK"):
        return data
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
            if any(name.startswith("xl/") for name in names):
                _check_size(sum(entry.file_size for entry in archive.infolist()), data, path)
                return data
            member = only_table(names, path)
            _check_size(archive.getinfo(member).file_size, data, path)
            return archive.read(member)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, zlib.error) as error:
        raise DataError(
            f"{path}: is a damaged or encrypted archive ({error}); expected an Excel workbook (.xlsx) or one table"
        ) from None


def only_table(names: list[str], path: Path) -> str:
    """Return the only table among the members of an archive; raise DataError, which says what is in it, for any other."""
    tables = [name for name in names if IN_ARCHIVE.fullmatch(name)]
    if len(tables) == 1:
        return tables[0]
    files = [name for name in names if not name.endswith("/")]
    if tables:
        raise DataError(
            f"{path}: holds {len(tables)} tables ({', '.join(tables[:3])}); unpack it, and give the one that is meant"
        )
    archives = [name for name in files if name.lower().endswith((".zip", ".7z", ".rar", ".tar", ".gz", ".tgz"))]
    what = f"an archive in an archive ({archives[0]})" if archives else "no table" + (f" ({files[0]})" if files else "")
    raise DataError(f"{path}: is a zip archive that holds {what}; unpack it, and give what is in it")


def _most(data: bytes) -> int:
    """Return how many bytes a packed table may unpack to."""
    return min(MOST_BYTES, max(SMALL, RATIO * len(data)))


def _check_size(n_bytes: int, data: bytes, path: Path) -> None:
    if n_bytes > _most(data):
        raise DataError(
            f"{path}: unpacks to {n_bytes:,} bytes or more; at most {_most(data):,} are read. Save it as CSV"
        )


def check_format(data: bytes, path: Path) -> None:
    """Raise DataError for a file that is known not to be a delimited text, with what it is."""
    known = next((text for mark, text in OTHER_FILES if data.startswith(mark)), None)
    head = data[:2000].removeprefix(b"\xef\xbb\xbf").lstrip()
    known = known or next((text for pattern, text in MARKUP if pattern.match(head)), None)
    if known:
        raise DataError(f"{path}: is {known}")
    if data[257:262] == b"ustar":
        raise DataError(f"{path}: is a tar archive; unpack it, and give the folder or the table in it")
