"""The files below a raw folder, and which of them may be samples. Opens no image."""

import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.core.errors import DataError
from pipeline.data.images.limits import SUFFIXES

SYSTEM = (".", "__MACOSX", "@eaDir", "$RECYCLE.BIN")  # how folders and files begin that systems leave behind
JPEGS = (".jfif", ".jpe", ".jif", ".pjpeg", ".pjp", ".dib")  # other names of JPEG and BMP
# The decoder tells what to do about medical formats.
TRIED = (*SUFFIXES, *JPEGS, ".nii", ".gz", "")
NUMBERED = re.compile(r".+\.\d+")  # DICOM files such as 1.2.840.1 and i17.CTDC.3


@dataclass(frozen=True, slots=True)
class Sample:
    """A file that should be an image: POSIX path relative to the raw folder, and what is known of it."""

    path: str
    label: str
    group: str = ""
    shipped: str = ""
    extra: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Skipped:
    """A file that is no sample, and why."""

    path: str
    reason: str


def suffix_of(path: str) -> str:
    """Return the suffix of a file's name in lower case; a number is none."""
    return "" if NUMBERED.fullmatch(path.rsplit("/", 1)[-1]) else os.path.splitext(path)[1].lower()


def is_system(name: str) -> bool:
    """Return whether a file or folder is hidden or left behind by a system; `.5 cm` is a class, not hidden."""
    return name.startswith(SYSTEM) and not re.match(r"\.\d", name)


def reason_to_skip(parts: list[str], folders: list[str]) -> str:
    """Return why a file is no sample, or "" if it is one."""
    if any(map(is_system, parts)):
        return "a hidden or system file"
    if parts[-1].lower() in ("thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r"):
        return "a hidden or system file"
    if parts[-1].lower() == "dicomdir":
        return "is a list of DICOM files (DICOMDIR): the files themselves are read"
    if not folders:
        return "is not in a class folder"
    if not folders[0].strip():
        return "the name of its class folder is blank"
    if any("\r" in part for part in parts):
        return "its name holds a carriage return, which no CSV keeps; rename it"
    suffix = suffix_of(parts[-1])
    return "" if suffix in TRIED else f"is no image by its name ({suffix})"


def walk(root: Path, folders: list[str] | None = None) -> list[str]:
    """Return all files below `root` as sorted POSIX paths; links are followed, but never in a circle.

    `folders`, if given, receives the paths of the folders. Raises DataError for a folder that cannot be listed, and for names
    that cannot be written down.
    """
    paths = []
    root = root.resolve()
    for folder, subfolders, files in os.walk(root, followlinks=True, onerror=refuse):
        subfolders[:] = [name for name in subfolders if not leads_back(Path(folder, name))]
        above = os.path.relpath(folder, root).replace(os.sep, "/")
        prefix = "" if above == "." else f"{above}/"
        paths += [prefix + file for file in files]
        if folders is not None:
            folders += [prefix + name for name in subfolders]
    for path in paths:
        try:
            path.encode()
        except UnicodeEncodeError:
            shown = path.encode(errors="replace").decode()
            raise DataError(f"{root.name}: the name {shown!r} is not UTF-8; rename the file or folder") from None
    return sorted(paths)


def leads_back(folder: Path) -> bool:
    """Return whether `folder` is a link to one of the folders it lies in."""
    return folder.is_symlink() and folder.resolve() in [above.resolve() for above in folder.parents]


def refuse(error: OSError) -> None:
    """Raise DataError for a folder that cannot be listed: without its files a class would be smaller than it is."""
    raise DataError(f"{error.filename}: cannot be listed ({error.strerror}); mend its permissions") from None
