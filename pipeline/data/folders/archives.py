"""Zip archives and MedMNIST's .npz files as data sets: unpacked once into the project's cache, and read from there.

The archive itself stays the task's raw data and DVC's dependency. The unpacked folder is named by the archive's SHA-256, lies in
`.cache/unpacked/`, which git and DVC ignore, may be deleted at any time, and is deleted once it is not used for two weeks.
"""

import contextlib
import hashlib
import io
import os
import shutil
import stat
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath

from filelock import FileLock

from pipeline.core import copies
from pipeline.core.errors import DataError
from pipeline.core.paths import UNPACKED
from pipeline.data.folders import medmnist
from pipeline.data.folders.sample_files import TRIED, suffix_of
from pipeline.data.images.image_file import MAX_BYTES
from pipeline.data.tabular.wrappings import IN_ARCHIVE

SUFFIXES = (".zip", ".npz")
MAX_TOTAL = 200_000_000_000  # bytes of all members unpacked
MAX_RATIO = 200  # of unpacked to packed bytes of a whole archive: images hardly shrink
SMALL = 500_000_000  # bytes below which the ratio does not matter
MAX_MEMBERS = 2_000_000
BLOCK = 1 << 20
KEPT_DAYS = 14
LAYOUT = 2  # of what is unpacked; another one is unpacked anew


def is_archive(path: Path) -> bool:
    """Return whether a file is a zip archive of images or a .npz, by its name and its members; one of tables is none."""
    if path.suffix.lower() not in SUFFIXES or not path.is_file():
        return False
    with path.open("rb") as file:
        if file.read(2) != b"PK":
            return False
    return path.suffix.lower() == ".npz" or not holds_table(path)


def holds_table(path: Path) -> bool:
    """Return whether a zip archive holds tables and no file that may be an image."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if not name.endswith("/")]
    except zipfile.BadZipFile:
        return False
    images = any(suffix_of(name) in TRIED and suffix_of(name) not in ("", ".gz") for name in names)
    return not images and any(IN_ARCHIVE.fullmatch(name) for name in names)


def folder_of(raw: str | Path) -> Path:
    """Return the folder of a task's images: raw itself, or where the archive is unpacked, which it is if need be.

    Raises DataError for an archive that is damaged, hostile or larger than the disk has room for.
    """
    path = Path(raw)
    if not is_archive(path):
        return path
    target = _cache() / _digest(path)
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{target}.lock"):
            if not target.exists():
                prune(target.parent)
                _unpack(path, target)
    with contextlib.suppress(PermissionError):
        os.utime(target)
    return target


def prune(cache: Path) -> None:
    """Delete what was unpacked and not used for `KEPT_DAYS`; it is unpacked again when it is needed."""
    oldest = time.time() - KEPT_DAYS * 86_400
    for path in cache.iterdir():
        with contextlib.suppress(OSError):  # another process may delete it as well
            if path.stat().st_mtime < oldest:
                shutil.rmtree(path) if path.is_dir() else path.unlink()


def _cache() -> Path:
    """Return the project's cache, which the copies that DVC runs experiments in share."""
    return copies.home() / UNPACKED if copies.in_copy() else UNPACKED


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return f"{hashlib.file_digest(file, 'sha256').hexdigest()[:16]}-{LAYOUT}"


def _unpack(path: Path, target: Path) -> None:
    """Unpack an archive into `target`, completely or not at all."""
    part = target.with_name(f".{target.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    try:
        with _explained(path), zipfile.ZipFile(path) as archive:
            check_members(archive.infolist(), path, free_bytes(target.parent))
            part.mkdir(parents=True)
            if path.suffix.lower() == ".npz":
                medmnist.unpack(archive, path, part)
            else:
                _extract(archive, part)
        os.replace(part, target)
    finally:
        shutil.rmtree(part, ignore_errors=True)


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn what a damaged archive raises into a DataError."""
    try:
        yield
    except (
        zipfile.BadZipFile,
        EOFError,
        NotImplementedError,
        RuntimeError,
        ValueError,
        io.UnsupportedOperation,
    ) as error:
        raise DataError(f"{path.as_posix()}: is not a readable archive ({error}); download or pack it again") from None
    except OSError as error:
        raise DataError(f"{path.as_posix()}: cannot be unpacked ({error.strerror or error})") from None
    except Exception as error:
        if type(error).__module__ in ("zlib", "_lzma", "lzma", "_bz2"):
            raise DataError(f"{path.as_posix()}: is damaged ({error}); download or pack it again") from None
        raise


def free_bytes(folder: Path) -> int:
    """Return the free space of a folder's disk."""
    return shutil.disk_usage(folder).free


def check_members(members: list[zipfile.ZipInfo], path: Path, free: int) -> None:
    """Raise DataError, before anything is unpacked, for an archive that would write elsewhere or fill disk or memory."""
    where = path.as_posix()
    if len(members) > MAX_MEMBERS:
        raise DataError(f"{where}: holds {len(members)} files, more than {MAX_MEMBERS}; divide it")
    seen: set[str] = set()
    for member in members:
        check_name(member.filename, where)
        if member.flag_bits & 1:
            raise DataError(
                f"{where}: {member.filename!r} is encrypted; unpack it with its password and give the folder"
            )
        if stat.S_ISLNK(member.external_attr >> 16):
            raise DataError(f"{where}: {member.filename!r} is a link; pack the files themselves")
        if path.suffix.lower() != ".npz" and member.file_size > MAX_BYTES:
            raise DataError(
                f"{where}: {member.filename!r} unpacks to {member.file_size} bytes, over the limit of {MAX_BYTES}; remove it"
            )
        key = os.path.normcase(member.filename.replace("\\", "/").rstrip("/"))
        if key in seen:
            raise DataError(f"{where}: holds {member.filename!r} twice; pack it again")
        seen.add(key)
    if members and not any(may_be_data(member.filename) for member in members):
        raise DataError(
            f"{where}: holds no image and no table ({', '.join(member.filename for member in members[:3])}); if it holds "
            "archives, unpack it, and give what is in it"
        )
    total = sum(member.file_size for member in members)
    packed = max(1, sum(member.compress_size for member in members), path.stat().st_size if path.exists() else 1)
    if total > MAX_TOTAL or (total > SMALL and total / packed > MAX_RATIO):
        raise DataError(
            f"{where}: {packed} bytes unpack to {total}: this is no archive of images; nothing was unpacked"
        )
    if total > free:
        raise DataError(f"{where}: unpacks to {total} bytes, and the disk has {free} left; make room, or give a folder")


def may_be_data(name: str) -> bool:
    """Return whether a member of an archive may be an image, an array or a table."""
    suffix = suffix_of(name)
    is_packed = suffix == ".gz" and not name.lower().endswith(".nii.gz")
    return not name.endswith("/") and not is_packed and (suffix in (*TRIED, ".npy") or bool(IN_ARCHIVE.fullmatch(name)))


def check_name(name: str, where: str) -> None:
    """Raise DataError for a member that leads out of the folder."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if PureWindowsPath(name).anchor or name.startswith(("/", "\\")) or ".." in parts or "\0" in name:
        raise DataError(f"{where}: the member {name!r} leads out of the archive; do not use it, pack it again")


def _extract(archive: zipfile.ZipFile, folder: Path) -> None:
    """Write the files of an archive below `folder`, a block at a time."""
    for member in archive.infolist():
        target = folder / member.filename.replace("\\", "/")  # as archives made on Windows may have it
        if member.is_dir() or member.filename.endswith("\\"):
            target.mkdir(parents=True, exist_ok=True)
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(member) as source, target.open("wb") as out:
            shutil.copyfileobj(source, out, BLOCK)
