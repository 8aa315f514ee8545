"""Write the outputs of stages: completely or not at all, with the same bytes on every run.

numpy is imported inside functions: the app's first page needs only JSON and hashes, and appears 0.1 s sooner.
"""

import builtins
import csv
import hashlib
import json
import math
import os
import re
import types
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args, get_origin, get_type_hints

from pipeline.core.errors import DataError

if TYPE_CHECKING:
    import numpy as np

JSON = dict[str, Any]  # an object as it stands in a file, where no type says what it holds
LARGEST_PLAIN = 2_000_000_000  # bytes of an array that a zip holds without the fields of large members
CONFLICT = re.compile(r"^<{7} .*$", re.MULTILINE)  # where git marks the first side
DIGITS = 6  # significant for reports: enough to compare, few enough to be equal with another BLAS


class Exact(float):
    """A number that a file holds with all its digits, because it is compared with others and not only shown."""


class UnreadableError(DataError, ValueError):
    """An output on the disk is not what a stage wrote."""


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path next to `path`, which replaces `path` in one step if the block succeeds."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    try:
        yield part
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def write_bytes(path: str | Path, data: bytes) -> None:
    """Write `data` to `path` in one step."""
    with replacing(path) as part:
        part.write_bytes(data)


def write_json(path: str | Path, content: Any) -> None:
    """Write `content` as JSON with sorted keys and `\\n` line ends; floats are rounded to `DIGITS` digits."""
    text = json.dumps(rounded(content), indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
    write_bytes(path, (text + "\n").encode())


def read_text(path: str | Path) -> str:
    """Return the text of an output that git keeps; raise UnreadableError if a merge left both sides in it."""
    text = Path(path).read_text(encoding="utf-8")
    refuse_conflict(path, text)
    return text


def refuse_conflict(path: str | Path, text: str) -> None:
    """Raise UnreadableError where a merge left both sides in the text of an output that git keeps."""
    if line := conflict_in(text):
        raise UnreadableError(
            f"{Path(path).as_posix()}: has a merge conflict in line {line}; take dvc.lock and reports/ from one side (git "
            "checkout --theirs -- dvc.lock reports), then run 'dvc repro'"
        )


def conflict_in(text: str) -> int | None:
    """Return the line, from 1, in which git marks the first conflict of a merge; None where there is none."""
    conflict = CONFLICT.search(text)
    return text.count("\n", 0, conflict.start()) + 1 if conflict else None


def read_json(path: str | Path) -> Any:
    """Return what `write_json` wrote; raise UnreadableError, which is a ValueError, too, if this is no JSON."""
    text = read_text(path)
    try:
        return json.loads(text)
    except ValueError as error:
        raise UnreadableError(
            f"{Path(path).as_posix()}: is no JSON ({error}); run 'dvc repro', which writes it"
        ) from None


def from_json(kind: Any, content: Any) -> Any:
    """Return JSON data as what `kind` declares: a dataclass, a list, dict or tuple of such, or a plain value.

    Unless None is declared too, a float that is null becomes NaN and a list an empty one. A dataclass whose file has another
    layout than its fields says how in `fields_of_json`; `to_json` is the way back.
    """
    if content is None:
        return math.nan if kind is float else [] if get_origin(kind) is list else None
    if isinstance(content, (str, int, float)):
        return content
    if isinstance(kind, type) and is_dataclass(kind):
        content = kind.fields_of_json(content) if hasattr(kind, "fields_of_json") else content
        kinds = converted_fields(kind)
        return kind(**{key: from_json(kinds[key], value) if key in kinds else value for key, value in content.items()})
    parts = get_args(kind)
    match get_origin(kind):
        case types.UnionType:
            return from_json(parts[0], content)
        case builtins.list:
            return [from_json(parts[0], item) for item in content]
        case builtins.tuple:
            return tuple(from_json(part, item) for part, item in zip(parts, content, strict=True))
        case builtins.dict:
            return {key: from_json(parts[1], value) for key, value in content.items()}
    return content


@cache
def converted_fields(kind: type) -> dict[str, object]:
    """Return the types of a dataclass' fields that are not as JSON has them."""
    return {name: hint for name, hint in get_type_hints(kind).items() if hint not in (str, int, bool)}


def rounded(content: Any) -> Any:
    """Return `content` as plain data: dataclasses and numpy values too, floats at `DIGITS` digits, NaN and infinity as None.

    A number that is `Exact` keeps its digits.
    """
    if hasattr(content, "to_json"):
        content = content.to_json()
    elif is_dataclass(content):
        content = {part.name: getattr(content, part.name) for part in fields(content)}
    elif hasattr(content, "tolist"):
        content = content.tolist()
    if isinstance(content, dict):
        return {str(key): rounded(value) for key, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [rounded(value) for value in content]
    if isinstance(content, float):
        if not math.isfinite(content):
            return None
        return float(content) if isinstance(content, Exact) else round(content, DIGITS)
    return content


def write_csv(path: str | Path, table: Any) -> None:
    """Write a pandas DataFrame without its index, with `\\n` line ends and floats at `DIGITS` digits."""
    with replacing(path) as part:
        table.to_csv(part, index=False, lineterminator="\n", float_format=f"%.{DIGITS}g", encoding="utf-8")


@contextmanager
def writing_csv(path: str | Path, columns: list[str]) -> Iterator[Callable[[Mapping[str, object]], object]]:
    """Yield a function that appends a row, {column: value}, to a CSV file; missing values stay empty.

    Memory use is constant; the file appears in one step and has `\\n` line ends.
    """
    with replacing(path) as part, part.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="", lineterminator="\n")
        writer.writeheader()
        yield writer.writerow


def write_npz(path: str | Path, arrays: "Mapping[str, Any]") -> None:
    """Write `arrays` uncompressed, for `numpy.load`; `MappedRows` in blocks.

    Entries of the zip have a fixed time, so equal arrays give equal bytes. Those under 2 GB are written without the fields of
    large ones, which `numpy.savez` always writes, and Python 3.11.4 and later otherwise than earlier ones.
    """
    import numpy as np
    from numpy.lib import format as npy

    from pipeline.core.mapped_rows import MappedRows, blocks

    with replacing(path) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            if not isinstance(array, MappedRows):
                array = np.asanyarray(array)
            size = math.prod(array.shape) * array.dtype.itemsize
            with archive.open(f"{name}.npy", "w", force_zip64=size > LARGEST_PLAIN) as file:
                if not isinstance(array, MappedRows):
                    npy.write_array(file, array)
                    continue
                header = {"descr": npy.dtype_to_descr(array.dtype), "fortran_order": False, "shape": array.shape}
                npy.write_array_header_1_0(file, header)
                for block in blocks(array):
                    file.write(np.ascontiguousarray(block).data)


@contextmanager
def writing_npy(path: str | Path, dtype: type, shape: tuple[int, ...]) -> Iterator["Callable[[np.ndarray], object]"]:
    """Yield a function that appends one row to a .npy file of `shape`, in constant memory; the file appears in one step.

    A memory map would kill the process on a full disk without a message; a plain write raises OSError.
    """
    import numpy as np

    header = {"descr": np.dtype(dtype).str, "fortran_order": False, "shape": shape}
    with replacing(path) as part, part.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        yield lambda row: file.write(np.ascontiguousarray(row, dtype).tobytes())


def write_zip(path: str | Path, members: dict[str, bytes]) -> None:
    """Write `members` to an uncompressed zip whose bytes depend only on names and contents."""
    with replacing(path) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as archive:
        for name, data in members.items():
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data)


def sha256(data: bytes) -> str:
    """Return the SHA-256 of `data` in hex."""
    return hashlib.sha256(data).hexdigest()
