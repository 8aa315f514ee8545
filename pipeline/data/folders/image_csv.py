"""Whether a CSV names images, by which column and where they lie: decided by the files that its cells find, not by its header."""

import os
import posixpath
import re
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from pipeline.core.errors import DataError
from pipeline.data.columns.label_names import named_label
from pipeline.data.columns.words import SHIPPED, plain
from pipeline.data.folders.folder_names import CONTAINERS, FILLERS, MASKS, split_names, subset_of
from pipeline.data.folders.image_names import ImageIndex, folders_of, is_moved
from pipeline.data.folders.sample_files import JPEGS
from pipeline.data.images.limits import SUFFIXES
from pipeline.data.tables import is_missing

# Names of columns in lower case and without spaces and signs, the likelier first.
NAMES = tuple(
    (
        "path imagepath imgpath filepath relativepath imagefile imagefilename imgfile filename fname file files imagename "
        "imgname imageid imgid imageindex isicid idcode image images img picture photo picturename photoname imageurl "
        "imgurl url dicomid "
        "sopinstanceuid pngfile datei dateiname dateipfad bild bildname bilddatei bildid foto fotoname fichier nomfichier imagen "
        "archivo imagem arquivo immagine nomefile afbeelding bestand bestandsnaam plik obraz bildfil файл "
        "изображение 文件名 图像 图片 画像"
    ).split()
)
PROBED = 60  # cells of a column that are looked up
FEWEST_FOUND = 0.5  # share of these that must be files
MOST_DIFFERENT = 0.9  # share of a column's cells that are different, where it is not named like images
MOST_FOLDERS = 50


class AmbiguousImageError(DataError):
    """Raised where a CSV names images that are in several folders."""


@dataclass(frozen=True)
class ImageColumn:
    """The column of a CSV that names images.

    column : its name
    raw : the folder that holds the CSV and the images
    csv : the CSV, relative to raw
    images : the folders below raw that hold the images; none where the cells are paths from raw
    moved : a cell with the path of another computer, and the file that it names here; empty where there is none
    match : the DICOM attribute by which the column names files, None where cells are names of files
    """

    column: str
    raw: Path
    csv: str
    images: list[str]
    moved: tuple[str, ...] = ()
    match: str | None = None


def find_image_column(
    table: pd.DataFrame, path: Path, images: str | None = None, top: Path | None = None
) -> ImageColumn | None:
    """Return the column of the CSV at `path` that names images; None where the CSV is a table of features.

    `images` is the folder of the images where the user names one, `top` a folder that is not left.

    Raises DataError where a column clearly names images, by
    its header or their suffix, but no such file is found.
    """
    candidates = [name for name in table if may_name_images(name, table[name])]
    candidates.sort(key=lambda name: NAMES.index(plain(name)) if plain(name) in NAMES else len(NAMES))
    sure = [name for name in candidates if plain(name) in NAMES or have_suffix(table[name])]
    if images is None and "path" in table:
        exact = ImageColumn("path", path.parent, path.name, [])
        if finds_exactly(table["path"], path.parent):
            return exact
    for root, folder in places(path, images, top) if candidates else ():
        if images is None and root not in (path.parent, top) and not sure:
            continue
        index = ImageIndex(root, [folder])
        likely = candidates if images is not None or root in (path.parent, top) else sure
        for name in likely if len(index) else ():
            subset = subset_of(path.stem)
            if images is None and name not in sure and not is_list_of(table[name], index, subset):
                continue
            folders = look_up(table[name], index, images is not None, subset)
            if folders is not None:
                exact_here = images is None and root == path.parent and finds_exactly(table[name], root)
                moved = () if exact_here else find_moved(table[name], index, subset)
                return ImageColumn(name, root, path.relative_to(root).as_posix(), [] if exact_here else folders, moved)
    if images is not None:
        raise DataError(
            f"{path.as_posix()}: no column names files in {images} (looked at: {', '.join(candidates) or 'none'}); "
            "give the folder of the images"
        )
    check_repeated(table, path, top)
    if "path" in table:  # its errors name the files
        return ImageColumn("path", path.parent, path.name, [])
    if sure:
        cell = next(cell for cell in table[sure[0]] if not is_missing(cell))
        raise DataError(
            f"{path.as_posix()}: column {sure[0]!r} seems to name images ({cell}), but there is no such file in "
            f"{path.parent.as_posix()} or in a folder next to it. Give the folder of the images: --images DIR; to read the "
            f"other columns as a table of features: --exclude {sure[0]}"
        )
    return None


def check_repeated(table: pd.DataFrame, path: Path, top: Path | None) -> None:
    """Raise AmbiguousImageError where a CSV with labels names the images next to it, each in several rows."""
    root = top or path.parent
    repeated = [name for name in table if plain(name) in NAMES and not is_different(table[name])]
    if not repeated or named_label(table.drop(columns=repeated)) is None:
        return
    index = ImageIndex(root, ["."])
    for name in repeated if len(index) else ():
        cells = probe(table[name])
        hits = [index.find(cell) for cell in cells]
        if sum(map(bool, hits)) < MOST_DIFFERENT * len(cells):
            continue
        cell, paths = next((cell, paths) for cell, paths in zip(cells, hits, strict=True) if paths)
        several = next((paths for paths in hits if len(paths) > 1), [])
        what = (
            f"which may be {several[0]} or {several[1]}: write paths in full" if several else f"all of them {paths[0]}"
        )
        raise AmbiguousImageError(
            f"{path.as_posix()}: column {name!r} names images, but {cell!r} is in {(table[name] == cell).sum()} rows, {what}. "
            f"Expected one row for each image. Class folders instead: --folders class; a table of features: --exclude {name}"
        )


def is_different(cells: pd.Series) -> bool:
    """Return whether nearly all cells that hold something differ."""
    known = [cell for cell in cells if not is_missing(cell)]
    return len(set(known)) >= MOST_DIFFERENT * len(known)


def may_name_images(name: str, cells: pd.Series) -> bool:
    """Return whether a column may name images: by its header, by suffixes, or because its cells are different words."""
    known = [cell for cell in cells if not is_missing(cell)]
    if not known or all(re.fullmatch(r"[+-]?\d*\.\d+([eE][+-]?\d+)?", cell) for cell in known[:PROBED]):
        return False
    different = is_different(cells)
    is_number = all(cell.lstrip("+-").isdigit() for cell in known[:PROBED])
    if plain(name) in NAMES and (different or have_suffix(cells)):
        return not is_number or plain(name) not in ("image", "images", "file", "files", "path") or different
    if have_suffix(cells):
        return True
    short = all(len(cell) <= 200 and "\n" not in cell for cell in known[:PROBED])
    return different and short and (not is_number or plain(name).endswith("id") or plain(name) in ("id", "name"))


def have_suffix(cells: pd.Series) -> bool:
    """Return whether most cells end like the name of an image."""
    probed = probe(cells)
    return bool(probed) and sum(cell.lower().endswith((*SUFFIXES, *JPEGS)) for cell in probed) > len(probed) / 2


def probe(cells: pd.Series) -> list[str]:
    """Return some cells that hold something, evenly spread over a column."""
    known = [cell for cell in cells if not is_missing(cell)]
    return known[:: max(1, len(known) // PROBED)][: 2 * PROBED]


def finds_exactly(cells: pd.Series, root: Path) -> bool:
    """Return whether most cells are paths of files from `root`."""
    probed = [cell.replace("\\", "/") for cell in probe(cells)]
    hits = sum(_is_file(root, cell) for cell in probed)
    return bool(probed) and hits >= FEWEST_FOUND * len(probed)


def _is_file(root: Path, cell: str) -> bool:
    try:
        return ".." not in cell.split("/") and not cell.startswith("/") and (root / cell).is_file()
    except (OSError, ValueError):
        return False  # too long for a name


def places(path: Path, images: str | None, top: Path | None) -> list[tuple[Path, str]]:
    """Return where images are searched: (folder that holds the CSV and them, folder below it)."""
    folder = path.parent
    if images is not None:
        wanted = Path(images)
        if not wanted.is_dir():
            raise DataError(f"--images {images}: there is no such folder")
        root = Path(os.path.commonpath([folder.resolve(), wanted.resolve()]))
        if root == Path(root.anchor) or Path.cwd().is_relative_to(root):
            raise DataError(
                f"--images {images}: lies too far from {path.as_posix()}: both must be in one folder that holds nothing else, "
                "because any change in it re-runs the task. Copy the CSV next to the images"
            )
        return [(_as_given(root, folder), os.path.relpath(wanted.resolve(), root).replace(os.sep, "/"))]
    candidates = [(folder, ".")]
    above = Path(os.path.normpath(folder / ".."))
    if top is not None:
        return [(top, ".")]
    if folder.resolve() != above.resolve() and not Path.cwd().is_relative_to(above.resolve()):
        names = sorted(
            entry.name for entry in os.scandir(above) if entry.is_dir() and entry.name != folder.resolve().name
        )
        candidates += [(above, name) for name in names if may_hold_images(name, path)][:MOST_FOLDERS]
    return candidates


def may_hold_images(name: str, path: Path) -> bool:
    """Return whether a folder next to that of a CSV may hold its images: other data sets lie there, too.

    It is named images, train or the like, and all further words of its name are in that of the CSV or its folder.
    """
    words = _words(name)
    known = _words(f"{path.parent.resolve().name} {path.stem}") | CONTAINERS | FILLERS | set(SHIPPED)
    return words <= known and (bool(words & (CONTAINERS | FILLERS)) or bool(split_names([name])))


def _words(name: str) -> set[str]:
    return set(re.findall(r"[^\W\d_]+", name.casefold()))


def _as_given(root: Path, folder: Path) -> Path:
    """Return `root` the way `folder`, which lies in it, was written."""
    up = os.path.relpath(root, folder.resolve())
    return Path(os.path.normpath(folder / up))


def look_up(cells: pd.Series, index: ImageIndex, is_given: bool, subset: str = "") -> list[str] | None:
    """Return the folders in which most of a column's cells find a file, None where they do not.

    `subset`: train, valid or test where the CSV is named so; a folder of that name is meant then.
    """
    probed = probe(cells)
    hits = [(cell, index.find(cell, subset)) for cell in probed]
    if sum(bool(paths) for _, paths in hits) < (1 if is_given else FEWEST_FOUND * len(probed)):
        return None
    clear = [(cell, paths) for cell, paths in hits if len(paths) == 1]
    if clear and len(clear) >= sum(bool(paths) for _, paths in hits):
        pairs = [(paths[0], cell) for cell in cells if len(paths := index.find(cell, subset)) == 1]
        folders = folders_of(pairs)
        return folders if len(folders) <= MOST_FOLDERS else [posixpath.commonpath(folders) or "."]
    return choose_folder([(cell, paths) for cell, paths in hits if len(paths) > 1])


def find_moved(cells: pd.Series, index: ImageIndex, subset: str) -> tuple[str, ...]:
    """Return the first probed cell that names its file by the path of another computer, and this file."""
    hits = ((cell, index.find(cell, subset)) for cell in probe(cells))
    return next(((cell, paths[0]) for cell, paths in hits if len(paths) == 1 and is_moved(paths[0], cell)), ())


def is_list_of(cells: pd.Series, index: ImageIndex, subset: str) -> bool:
    """Return whether nearly every cell of a column that is not named like images finds one file, and most files are paths.

    A column of ids 1, 2, 3 is no list of the images 1.png, 2.png of another data set.
    """
    hits = [index.find(cell, subset) for cell in cells]
    clear = {paths[0] for paths in hits if len(paths) == 1}
    return len(clear) >= MOST_DIFFERENT * len(cells) and len(clear) >= FEWEST_FOUND * index.n_files


def choose_folder(hits: list[tuple[str, list[str]]]) -> list[str]:
    """Return the folder that is meant where each cell finds a file in several; masks are not meant."""
    folders: dict[str, int] = {}
    for cell, paths in hits:
        for path in paths:
            name = folders_of([(path, cell)])[0]
            folders[name] = folders.get(name, 0) + 1
    likely = {name: n for name, n in folders.items() if not any(plain(part) in MASKS for part in name.split("/"))}
    most = max(likely.values(), default=0)
    best = sorted(name for name, n in likely.items() if n == most)
    if len(best) != 1:
        raise AmbiguousImageError(
            f"{hits[0][0]!r} names a file in {' and in '.join(best[:3] or sorted(folders)[:3])}; say which folder is meant: "
            "--images DIR (read.images)"
        )
    return best
