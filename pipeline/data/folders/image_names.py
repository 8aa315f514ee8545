"""From a cell that names an image to its file: with or without suffix, in one of several folders."""

import os
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path, PureWindowsPath

from pipeline.core.errors import DataError
from pipeline.data.folders.folder_names import subset_of
from pipeline.data.folders.sample_files import TRIED, is_system, suffix_of
from pipeline.data.images.dicom_files import is_dicom
from pipeline.data.images.limits import HEAD

NUMBER = re.compile(r"\d+(\.0)?")
URL = re.compile(r"(?i)^[a-z][a-z0-9+.-]+://[^/]*/")
MOST_FILES = 2_000_000  # that are listed in search of images


def list_images(root: Path, folder: str, most: int = MOST_FILES) -> list[str]:
    """Return the files below `root`/`folder` that may be images, as sorted POSIX paths relative to `root`."""
    paths: list[str] = []
    n_files = 0
    for above, subfolders, files in os.walk(root / folder, followlinks=False):
        subfolders[:] = [name for name in subfolders if not is_system(name)]
        n_files += len(files)
        if n_files > most:
            break
        prefix = os.path.relpath(above, root).replace(os.sep, "/")
        prefix = "" if prefix == "." else f"{prefix}/"
        paths += [
            prefix + name
            for name in files
            if not is_system(name)
            and suffix_of(name) in TRIED
            and (suffix_of(name) or starts_as_dicom(Path(above, name)))
        ]
    return sorted(paths)


def starts_as_dicom(path: Path) -> bool:
    """Return whether a file without suffix is DICOM: those of a PACS export often have none."""
    try:
        if not path.is_file():
            return False  # a pipe would never end
        with path.open("rb") as file:
            return is_dicom(file.read(HEAD))
    except OSError:
        return False


def fold(path: str) -> str:
    """Return a path without case, its letters stored in the composed form of Unicode, which macOS takes apart."""
    return unicodedata.normalize("NFC", path).casefold()


def without_suffix(path: str) -> str:
    """Return a path without the suffix of an image; what follows another point is part of the name."""
    suffix = suffix_of(path)
    return path[: -len(suffix)] if suffix and suffix in TRIED else path


class ImageIndex:
    """The images in some folders below `root`, found by their names in a CSV.

    A cell is a path or the end of one, with or without suffix: `ISIC_0024306`, `train/1.png`, `1.png`. Case counts only where
    two files differ in nothing else. For a path of another computer or a URL the end counts that is a path here.
    Zeros in front of a number need not be written, and an image may have been converted to another format.
    """

    def __init__(self, root: Path, folders: Sequence[str]):
        self.root, self.folders = root, list(folders)
        self._by_name: dict[str, list[str]] = defaultdict(list)
        self._folders: set[str] = set()
        listed = sorted({path for folder in folders for path in list_images(root, folder)})
        self.n_files = len(listed)
        stems = [without_suffix(path.rsplit("/", 1)[-1]) for path in listed]
        self._digits = {len(stem) if stem.isdigit() else 0 for stem in stems} or {0}
        for path in listed:
            name = fold(path.rsplit("/", 1)[-1])
            self._by_name[name].append(path)
            self._folders.update(fold(path).split("/")[:-1])
            stem = without_suffix(name)
            if stem != name:
                self._by_name[stem].append(path)

    def __len__(self) -> int:
        return len(self._by_name)

    def find(self, cell: str, subset: str = "") -> list[str]:
        """Return the files that a cell may mean: one, none, or several where it is not clear.

        `subset`: train, valid or test; of files in folders named like that, these come first.
        """
        word = self._padded(_local(cell))
        hits = self._by_name.get(fold(word.rsplit("/", 1)[-1]), [])
        tests = (
            lambda path: _ends(path, word),
            lambda path: _ends(without_suffix(path), word),
            lambda path: _ends(fold(path), fold(word)),
            lambda path: _ends(without_suffix(fold(path)), fold(word)),
        )
        for is_meant in tests:
            paths = [path for path in hits if is_meant(path)]
            if paths:
                return self._prefer(paths, word, subset)
        stem = without_suffix(word)
        return self._by_end(word, hits, is_foreign(cell)) or (self.find(stem, subset) if stem != word else [])

    def _padded(self, word: str) -> str:
        """Return a number as long as the numbers that the files are named by: Excel writes 7 for 00007, pandas 7.0."""
        if self._digits == {0} or len(self._digits) > 1 or not NUMBER.fullmatch(word):
            return word
        return word.removesuffix(".0").zfill(min(self._digits))

    def _by_end(self, word: str, hits: list[str], foreign: bool) -> list[str]:
        """Return the file that has the longest end in common with a path of another computer.

        For a `foreign` path the folder may be called otherwise here, unless a folder of that name is here, too.
        """
        parts = fold(word).split("/")
        for start in range(1, len(parts)):
            end = "/".join(parts[start:])
            paths = [path for path in hits if _ends(fold(path), end) or _ends(without_suffix(fold(path)), end)]
            is_whole = len(paths) == 1 and paths[0].count("/") == end.count("/")
            if is_whole or (len(paths) == 1 and foreign and parts[start - 1] not in self._folders):
                return paths
            if paths:
                return []
        return []

    def _prefer(self, paths: list[str], word: str, subset: str) -> list[str]:
        """Return the best of several files: in the folder of the same subset, else the one that the cell names in full."""
        if len(paths) > 1 and subset:
            same = [path for path in paths if subset in map(subset_of, path.split("/")[:-1])]
            paths = same or paths
        exact = [path for path in paths if path == word]
        return exact or paths

    def resolve(self, cell: str, where: str, subset: str = "") -> str:
        """Return the file that a cell means, relative to `root`; where there is none, the path that was expected.

        Raises DataError where several files are meant.
        """
        paths = self.find(cell, subset)
        if len(paths) > 1:
            raise DataError(
                f"{where}: {cell!r} may be {paths[0]} or {paths[1]}; write the path in full, or name the folder that is meant: "
                "--images (read.images)"
            )
        folder = self.folders[0] if self.folders else "."
        word = _local(cell)
        return paths[0] if paths else (word if folder == "." else f"{folder}/{word}")


def is_foreign(cell: str) -> bool:
    """Return whether a cell is a URL, or an absolute path or one that leads upwards."""
    path = cell.replace("\\", "/")
    return bool(URL.match(path) or PureWindowsPath(path).anchor or ".." in path.split("/"))


def _local(cell: str) -> str:
    """Return a cell as a path without a drive, a host and parts that lead nowhere or upwards."""
    path = URL.sub("", cell.replace("\\", "/"))
    path = path.split("?")[0] if path != cell.replace("\\", "/") else path  # the query of a URL
    parts = PureWindowsPath(path).relative_to(PureWindowsPath(path).anchor).as_posix().split("/")
    return "/".join(part for part in parts if part not in ("", ".", ".."))


def _ends(path: str, word: str) -> bool:
    return path == word or path.endswith("/" + word)


def n_common(path: str, cell: str) -> int:
    """Return how many parts the ends of a file's path and of a cell have in common; case and suffix do not count."""
    parts = without_suffix(fold(path)).split("/")[::-1]
    words = without_suffix(fold(_local(cell))).split("/")[::-1]
    return next(
        (n for n, (part, word) in enumerate(zip(parts, words, strict=False)) if part != word),
        min(len(parts), len(words)),
    )


def is_moved(path: str, cell: str) -> bool:
    """Return whether a cell names a file by another path than it has here, of which only the end is the same."""
    converted = suffix_of(cell) in TRIED and suffix_of(cell) not in ("", suffix_of(path))
    return converted or is_foreign(cell) or n_common(path, cell) < _local(cell).count("/") + 1


def folder_above(path: str, cell: str) -> str:
    """Return the folder in which a file bears a cell's name: train for train/ISIC_1.jpg, which the cell ISIC_1 names."""
    return "/".join(path.split("/")[: -max(1, n_common(path, cell))]) or "."


def folders_of(pairs: Iterable[tuple[str, str]]) -> list[str]:
    """Return the folders that hold the images of (path, cell), none inside another."""
    folders = sorted({folder_above(path, cell) for path, cell in pairs})
    return [name for name in folders if not any(other != name and _inside(name, other) for other in folders)]


def _inside(name: str, other: str) -> bool:
    return other == "." or name.startswith(other + "/")
