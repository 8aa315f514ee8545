"""From a cell that names an image to its file: with or without suffix, in one of several folders."""

import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from pipeline.core.errors import DataError
from pipeline.data.folders.folder_names import split_names
from pipeline.data.folders.sample_files import SYSTEM, TRIED, suffix_of

MOST_FILES = 2_000_000  # that are listed in search of images


def list_images(root: Path, folder: str, most: int = MOST_FILES) -> list[str]:
    """Return the files below `root`/`folder` that may be images, as sorted POSIX paths relative to `root`."""
    paths: list[str] = []
    n_files = 0
    for above, subfolders, files in os.walk(root / folder, followlinks=False):
        subfolders[:] = [name for name in subfolders if not name.startswith(SYSTEM)]
        n_files += len(files)
        if n_files > most:
            break
        prefix = os.path.relpath(above, root).replace(os.sep, "/")
        prefix = "" if prefix == "." else f"{prefix}/"
        paths += [
            prefix + name
            for name in files
            if not name.startswith(SYSTEM) and suffix_of(name) in TRIED and suffix_of(name) != ""
        ]
    return sorted(paths)


def without_suffix(path: str) -> str:
    """Return a path without the suffix of an image; what follows another point is part of the name."""
    suffix = suffix_of(path)
    return path[: -len(suffix)] if suffix and suffix in TRIED else path


class ImageIndex:
    """The images in some folders below `root`, found by their names in a CSV.

    A cell is a path or the end of one, with or without suffix: `ISIC_0024306`, `train/1.png`, `1.png`. Case counts only where
    two files differ in nothing else.
    """

    def __init__(self, root: Path, folders: Sequence[str]):
        self.root, self.folders = root, list(folders)
        self._by_name: dict[str, list[str]] = defaultdict(list)
        listed = sorted({path for folder in folders for path in list_images(root, folder)})
        self.n_files = len(listed)
        for path in listed:
            name = path.rsplit("/", 1)[-1].casefold()
            self._by_name[name].append(path)
            stem = without_suffix(name)
            if stem != name:
                self._by_name[stem].append(path)

    def __len__(self) -> int:
        return len(self._by_name)

    def find(self, cell: str, subset: str = "") -> list[str]:
        """Return the files that a cell may mean: one, none, or several where it is not clear.

        `subset`: train, valid or test; of files in folders named like that, these come first.
        """
        word = cell.replace("\\", "/").strip("/").removeprefix("./")
        hits = self._by_name.get(word.rsplit("/", 1)[-1].casefold(), [])
        tests = (
            lambda path: _ends(path, word),
            lambda path: _ends(without_suffix(path), word),
            lambda path: _ends(path.casefold(), word.casefold()),
            lambda path: _ends(without_suffix(path.casefold()), word.casefold()),
        )
        for is_meant in tests:
            paths = [path for path in hits if is_meant(path)]
            if paths:
                return self._prefer(paths, word, subset)
        return []

    def _prefer(self, paths: list[str], word: str, subset: str) -> list[str]:
        """Return the best of several files: in the folder of the same subset, else the one that the cell names in full."""
        if len(paths) > 1 and subset:
            tops = {path.split("/")[0] for path in paths}
            named = split_names(tops)
            same = [path for path in paths if named.get(path.split("/")[0]) == subset]
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
        return paths[0] if paths else (cell if folder == "." else f"{folder}/{cell}")


def _ends(path: str, word: str) -> bool:
    return path == word or path.endswith("/" + word)


def folder_above(path: str, cell: str) -> str:
    """Return the folder in which a file bears a cell's name: train for train/ISIC_1.jpg, which the cell ISIC_1 names."""
    depth = cell.replace("\\", "/").strip("/").removeprefix("./").count("/") + 1
    return "/".join(path.split("/")[:-depth]) or "."


def folders_of(pairs: Iterable[tuple[str, str]]) -> list[str]:
    """Return the folders that hold the images of (path, cell), none inside another."""
    folders = sorted({folder_above(path, cell) for path, cell in pairs})
    return [name for name in folders if not any(other != name and _inside(name, other) for other in folders)]


def _inside(name: str, other: str) -> bool:
    return other == "." or name.startswith(other + "/")
