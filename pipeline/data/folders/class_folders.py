"""The samples of class folders: what each level of folders stands for decides label and shipped split."""

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.core.errors import DataError
from pipeline.core.read_params import ReadParams
from pipeline.data.folders.folder_names import DOCUMENTS, classes_of_patients, split_names
from pipeline.data.folders.folder_roles import FolderRoles, names_at, recognise, some
from pipeline.data.folders.image_names import without_suffix
from pipeline.data.folders.masks import find_masks
from pipeline.data.folders.sample_files import Sample, Skipped, is_system, reason_to_skip, suffix_of, walk

TWICE = 0.9  # of the images, that have one of the same name in another format


@dataclass(frozen=True)
class FolderReading:
    """The samples below a folder, the files that are none, and what the levels of folders were taken for."""

    samples: list[Sample]
    skipped: list[Skipped]
    roles: FolderRoles
    notes: list[str] = field(default_factory=list)


def read_folders(root: Path, read: ReadParams | None = None, name: str = "", is_new: bool = False) -> FolderReading:
    """Return the images in class folders, at the top or in another level.

    `read.folders` and `read.skip` say what is what; without them it is recognised. `name` is the folder's, or its archive's, in
    messages; in a new task (`is_new`) masks are sought although the levels are named.

    Raises DataError where more than one reading is possible, or a class would vanish because none of its files is an image by
    its name.
    """
    where = name or root.as_posix()
    folders: list[str] = []
    paths: list[str] = []
    skipped: list[Skipped] = []
    for path in walk(root, folders):
        parts = path.split("/")
        reason = reason_to_skip(parts, parts[:-1])
        if reason:
            skipped.append(Skipped(path.replace("\r", "?"), reason))  # macOS writes files named "Icon\r"
        else:
            paths.append(path)
    if read and read.folders:
        skip = find_masks(paths) if is_new and read.skip is None else read.skip
        roles = FolderRoles(read.folders, skip)
    else:
        roles = recognise(paths, where, read.skip if read else None, is_new)
    samples, others = assign(paths, roles, where)
    skipped += others
    if is_new and not (read and (read.folders or read.skip is not None)):
        check_samples(samples, where)
    notes = passed_over(folders, samples, skipped, roles, where) if samples else []
    return FolderReading(samples, skipped, roles, notes)


def assign(paths: list[str], roles: FolderRoles, where: str) -> tuple[list[Sample], list[Skipped]]:
    """Return the samples among the paths of images, and those that are left out."""
    levels, samples, skipped = roles.levels, [], []
    depth_class = levels.index("class")
    depth_split = levels.index("split") if "split" in levels else None
    kept = [path for path in paths if not roles.skip or not re.search(roles.skip, path)]
    subsets: dict[str, str] = {}
    if depth_split is not None:
        subsets = split_names(names_at([path.split("/")[:-1] for path in kept], depth_split))
        if not subsets and kept:
            raise DataError(
                f"{where}: no folder is named like train or test at level {depth_split + 1}; read.folders (--folders) "
                f"says {roles.folders}"
            )
    for path in paths:
        folders = path.split("/")[:-1]
        if roles.skip and re.search(roles.skip, path):
            skipped.append(Skipped(path, "is left out as a mask or otherwise no sample (read.skip)"))
        elif len(folders) < len(levels):
            skipped.append(Skipped(path, "is not in a class folder"))
        elif not folders[depth_class].strip():
            skipped.append(Skipped(path, "the name of its class folder is blank"))
        elif depth_split is not None and folders[depth_split] not in subsets:
            skipped.append(Skipped(path, "its folder is no shipped split (read.folders)"))
        else:
            subset = subsets[folders[depth_split]] if depth_split is not None else ""
            samples.append(Sample(path, folders[depth_class].strip(), shipped=subset))
    return samples, skipped


def check_samples(samples: list[Sample], where: str) -> None:
    """Raise DataError where classes look like patients of a class, or most images stand there twice, in another format."""
    classes = {sample.label for sample in samples}
    of_patients = classes_of_patients(classes)
    if of_patients:
        raise DataError(
            f"{where}: {some(classes)} look like patients of the classes {some(of_patients)}. Put them into folders of these "
            "classes. If each is a class of its own: --folders class (read.folders)"
        )
    suffixes: dict[str, set[str]] = defaultdict(set)
    for sample in samples:
        suffixes[without_suffix(sample.path)].add(suffix_of(sample.path))
    twice = Counter(suffix for kinds in suffixes.values() if len(kinds) > 1 for suffix in kinds)
    if sum(twice.values()) >= TWICE * len(samples) > 0:
        rarest = min(sorted(twice), key=lambda suffix: (twice[suffix], suffix in (".jpg", ".jpeg")))
        raise DataError(
            f"{where}: most images stand there twice, as {some(twice)}: masks, or copies in another format. Leave one kind out: "
            f"--skip '{re.escape(rarest)}$' (read.skip). If all are samples: --skip ''"
        )


def passed_over(
    folders: list[str], samples: list[Sample], skipped: list[Skipped], roles: FolderRoles, where: str
) -> list[str]:
    """Return notes on folders that could be classes and have no image; raise DataError where files of another kind are in one."""
    depth = roles.levels.index("class")
    of_class: dict[str, list[str]] = {}
    for path in folders:
        parts = path.split("/")
        is_hidden = any(map(is_system, parts))
        if len(parts) == depth + 1 and not is_hidden and parts[depth].strip():
            of_class.setdefault(parts[depth].strip(), []).append(path)
    for sample in samples:
        of_class.pop(sample.label, None)
    notes = []
    for name, folders in sorted(of_class.items()):
        prefixes = tuple(f"{folder}/" for folder in folders)
        inside = [skip for skip in skipped if skip.path.startswith(prefixes) and "system file" not in skip.reason]
        if roles.skip and any(re.search(roles.skip, skip.path) for skip in inside):
            continue
        odd = {suffix_of(skip.path) for skip in inside} - set(DOCUMENTS)
        if odd:
            raise DataError(
                f"{where}: none of the {len(inside)} files in {folders[0]} is an image by its name ({some(odd)}), so the class "
                f"{name!r} would vanish. Convert them to PNG, or leave the folder out: --skip '(^|/){re.escape(name)}/' "
                "(read.skip)"
            )
        what = f"holds {len(inside)} documents and no image" if inside else "is empty"
        notes.append(f"the folder {folders[0]!r} {what}: it is no class")
    labels = {sample.label for sample in samples}
    if notes and len(labels) == 1:
        raise DataError(f"{where}: only one class ({min(labels)}); at least two are needed; {notes[0]}")
    return notes
