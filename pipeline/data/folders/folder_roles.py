"""What each level of folders stands for: a class, a shipped split, or neither. Where two readings are possible, it asks.

The answer is written to params.yaml: `read.folders`, for instance `split/class`, and `read.skip`, a regular expression of
files that are no samples. Names and what lies below them decide; no image is opened.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from pipeline.core.errors import DataError
from pipeline.data.columns.negative_class import is_negative
from pipeline.data.columns.words import plain
from pipeline.data.folders.folder_names import (
    CONTAINERS,
    MASKS,
    are_cases,
    are_folds,
    are_numbers,
    are_patients,
    split_names,
    subset_of,
)
from pipeline.data.folders.masks import find_masks

MOST_CLASSES = 20  # below folders of patients
FEWEST_NUMBERS = 8  # folders with a number for a name, from which on they may be patients
CERTAIN_NUMBERS = 20


@dataclass(frozen=True)
class FolderRoles:
    """How folders are read.

    folders : what each level is, from the top: any, split and class, with / between them
    skip : a regular expression of the files that are no samples
    group_from : a regular expression that finds the patient in a path, where a level holds patients
    """

    folders: str
    skip: str | None = None
    group_from: str | None = None

    @property
    def levels(self) -> list[str]:
        """What each level is."""
        return self.folders.split("/")


def recognise(paths: Sequence[str], where: str, skip: str | None = None, is_new: bool = True) -> FolderRoles:
    """Return what the folders above the images at `paths` stand for; `skip` overrules the search for masks.

    In a task that is there already (`is_new` is false), classes within classes and numbered classes are as they were read.

    Raises DataError, which names both readings and the options that decide, where more than one is possible.
    """
    skip = skip if skip is not None else find_masks(paths)
    kept = [path.split("/")[:-1] for path in paths if not skip or not re.search(skip, path)]
    levels: list[str] = []
    while True:
        depth = len(levels)
        names = names_at(kept, depth)
        below = names_at(kept, depth + 1)
        splits = split_names(names)
        if splits and "split" not in levels:
            check_splits(splits, names, where)
            levels.append("split")
        elif len(names) == 1 and below and not _is_class(min(names)):
            levels.append("any")  # a single folder is no class of several; those below it are
        else:
            break
    check_folds(names, below, levels, where)
    if is_new:
        check_parts(names, levels, where)
    check_containers(names, levels, where)
    if is_new and (pattern := _patients_above_split(kept, depth, levels, where)):
        return FolderRoles("/".join([*levels, "any", "split", "class"]), skip, pattern)
    if _split_inside(kept, depth, levels, where):
        return FolderRoles("/".join([*levels, "class", "split"]), skip)
    if _holds_patients(kept, depth, levels, where, is_new):
        pattern = rf"^(?:[^/]+/){{{depth}}}([^/]+)/" if depth else "^([^/]+)/"
        return FolderRoles("/".join([*levels, "any", "class"]), skip, pattern)
    check_shared(kept, depth, levels, where)
    if is_new:
        check_nested(kept, depth, levels, where)
    return FolderRoles("/".join([*levels, "class"]), skip)


def names_at(folders: Sequence[Sequence[str]], depth: int) -> set[str]:
    """Return the names of folders that hold images at a depth."""
    return {path[depth] for path in folders if len(path) > depth}


def _is_class(name: str) -> bool:
    """Return whether a folder that is alone is one class of which the others are missing, as benign is."""
    return is_negative(name, "") or plain(name) in ("malignant", "positive", "abnormal", "tumor", "cancer")


def some(names: Collection[str], most: int = 4) -> str:
    """Return the first names, and the number of the others."""
    ordered = sorted(names)
    return ", ".join(ordered[:most]) + (f" and {len(ordered) - most} more" if len(ordered) > most else "")


def check_splits(splits: dict[str, str], names: set[str], where: str) -> None:
    """Raise DataError for other folders next to train and test: either these or train and test may be classes."""
    others = sorted(names - set(splits))
    if others:
        pattern = "|".join(map(re.escape, others))
        missing = "train" if set(splits.values()) <= {"test", "valid"} else "test"
        rename = "" if len(set(splits.values())) > 1 else f"if {some(others)} is the other part, call it {missing}; "
        raise DataError(
            f"{where}: {', '.join(sorted(splits))} look like shipped splits, but there are other folders: {some(others)}; "
            f"{rename}move these elsewhere, leave them out with --skip '(^|/)({pattern})/' (read.skip), or, where all of them "
            "are classes, say --folders class (read.folders)"
        )


def check_folds(names: set[str], below: set[str], levels: list[str], where: str) -> None:
    """Raise DataError where folders are named like folds: they may be folds of one data set, or classes."""
    if not are_folds(names):
        return
    above = "".join(f"{level}/" for level in levels)
    inner = "split/class" if below and set(split_names(below)) == below else "class"
    levels_below = "parts of a shipped split" if "/" in inner else "the classes"
    classes = f"{levels_below} are the folders below, {some(below)}" if below else "there are no classes below them"
    raise DataError(
        f"{where}: {some(names)} may be folds or parts of one data set ({classes}), or classes. Folds: --folders "
        f"{above}any/{inner}, and the folds are drawn anew. Classes: --folders {above}class (read.folders)"
    )


def check_parts(names: set[str], levels: list[str], where: str) -> None:
    """Raise DataError where each folder is named like a class and like a part of a shipped split: a_train, a_test."""
    parts = {subset_of(name) for name in names}
    if "split" not in levels and len(names) > 2 and "" not in parts and len(parts) > 1:
        above = "".join(f"{level}/" for level in levels)
        raise DataError(
            f"{where}: {some(names)} are named like classes in parts of a shipped split. Put them into train/CLASS and "
            f"test/CLASS to keep the split. If each is a class of its own: --folders {above}class (read.folders)"
        )


def check_containers(names: set[str], levels: list[str], where: str) -> None:
    """Raise DataError where a folder named images or masks would be one of several classes."""
    above = "".join(f"{level}/" for level in levels)
    odd = {name for name in names if plain(name) in CONTAINERS | (MASKS - {"roi", "rois"})}
    if len(names) > 1 and odd:
        name = min(odd)
        raise DataError(
            f"{where}: {name} may be no class but images or masks of the same samples as {some(names - {name})}. "
            f"Leave it out: --skip '(^|/){re.escape(name)}/' (read.skip). A class: --folders {above}class (read.folders)"
        )


def check_shared(kept: list[list[str]], depth: int, levels: list[str], where: str) -> None:
    """Raise DataError where every folder holds the same folders: either level may be the classes, as in organ/diagnosis.

    A level that names the absence of a disease, as benign does, holds the classes; numbers and patients are none.
    """
    below: dict[str, set[str]] = defaultdict(set)
    for path in kept:
        if len(path) > depth:
            below[path[depth]].add(path[depth + 1] if len(path) > depth + 1 else "")
    names, shared = set(below), set().union(*below.values())
    if len(names) < 2 or not 2 <= len(shared) <= MOST_CLASSES or any(inside != shared for inside in below.values()):
        return
    if "" in shared or are_numbers(shared) or are_patients(shared) or are_folds(shared) or has_negative(names):
        return
    above = "".join(f"{level}/" for level in levels)
    raise DataError(
        f"{where}: the classes may be {some(names)}, or {some(shared)}, which each of these holds. The upper level: --folders "
        f"{above}class. The lower one: --folders {above}any/class (read.folders)"
    )


def check_nested(kept: list[list[str]], depth: int, levels: list[str], where: str) -> None:
    """Raise DataError where every folder holds several others and no image: these may be the classes, as in organ/diagnosis."""
    below: dict[str, set[str]] = defaultdict(set)
    for path in kept:
        if len(path) > depth:
            below[path[depth]].add(path[depth + 1] if len(path) > depth + 1 else "")
    names, inner = set(below), set().union(*below.values()) if below else set()
    is_nested = len(names) > 1 and all(len(inside) > 1 for inside in below.values()) and "" not in inner
    is_apart = sum(map(len, below.values())) == len(inner) <= MOST_CLASSES
    if not is_nested or not is_apart or has_negative(names):
        return
    if are_numbers(inner) or are_patients(inner) or are_folds(inner) or any(map(has_digits, inner)):
        return
    above = "".join(f"{level}/" for level in levels)
    raise DataError(
        f"{where}: the classes may be {some(names)}, or the folders in them, {some(inner)}. The upper level: --folders "
        f"{above}class. The lower one: --folders {above}any/class (read.folders)"
    )


def has_digits(name: str) -> bool:
    """Return whether a name may number a patient, visit or date."""
    return any(sign.isdigit() for sign in name)


def has_negative(names: Collection[str]) -> bool:
    """Return whether one of several names, such as benign or normal, is the absence of another."""
    return any(is_negative(name, other) for name in names for other in names if other != name)


def _patients_above_split(kept: list[list[str]], depth: int, levels: list[str], where: str) -> str | None:
    """Return the regular expression of patients above train and test, with the classes below these; None for other levels.

    Raises DataError where the folders above may be sites as well as classes.
    """
    names, below, inner = (names_at(kept, depth + level) for level in range(3))
    if "split" in levels or len(names) < 2 or len(inner) < 2 or not below or set(split_names(below)) != below:
        return None
    tops = defaultdict(set)
    for path in kept:
        if len(path) > depth + 2:
            tops[path[depth + 2]].add(path[depth])
    if len(inner) > MOST_CLASSES or any(len(tops[name]) < 2 for name in inner) or are_patients(inner):
        return None
    pattern = rf"^(?:[^/]+/){{{depth}}}([^/]+)/" if depth else "^([^/]+)/"
    if are_patients(names) or are_cases(names):
        return pattern
    above = "".join(f"{level}/" for level in levels)
    raise DataError(
        f"{where}: {some(names)} hold parts of a shipped split ({some(below)}), and each of these {some(inner)}. The classes are "
        f"the lowest level: --folders {above}any/split/class; below patients with --group-from '{pattern}'. The upper one: "
        f"--folders {above}class/split (read.folders)"
    )


def _split_inside(kept: list[list[str]], depth: int, levels: list[str], where: str) -> bool:
    """Return whether each class folder holds folders of a shipped split; raise DataError where only some do."""
    below: dict[str, set[str]] = defaultdict(set)
    loose = set()
    for path in kept:
        if len(path) > depth + 1:
            below[path[depth]].add(path[depth + 1])
        elif len(path) > depth:
            loose.add(path[depth])
    names = set().union(*below.values()) if below else set()
    splits = split_names(names)
    if "split" in levels or not splits:
        return False
    classes = {path[depth] for path in kept if len(path) > depth}
    with_split = {name for name, inside in below.items() if inside <= set(splits)}
    if with_split == classes and not loose:
        return True
    above = "".join(f"{level}/" for level in levels)
    raise DataError(
        f"{where}: {some({name for name, inside in below.items() if inside & set(splits)})} hold folders of a shipped split "
        f"({some(splits)}), but not only these, or not every class does. Keep the split: --folders {above}class/split "
        f"leaves out all other files. A test set drawn anew: --folders {above}class (read.folders)"
    )


def _holds_patients(kept: list[list[str]], depth: int, levels: list[str], where: str, is_new: bool) -> bool:
    """Return whether a level holds patients and the one below the classes; raise DataError where it cannot be told."""
    names, below = names_at(kept, depth), names_at(kept, depth + 1)
    is_named, is_numbered = (
        are_patients(names) or (is_new and are_cases(names)),
        are_numbers(names) and len(names) >= FEWEST_NUMBERS,
    )
    if not is_named and not is_numbered:
        return False
    tops = defaultdict(set)
    for path in kept:
        if len(path) > depth + 1:
            tops[path[depth + 1]].add(path[depth])
    shared = [name for name in below if len(tops[name]) > 1]
    has_classes = 2 <= len(below) <= min(MOST_CLASSES, max(2, len(names))) and len(shared) == len(below)
    above = "".join(f"{level}/" for level in levels)
    if has_classes and (is_named or len(names) > CERTAIN_NUMBERS):
        return True
    if has_classes:
        raise DataError(
            f"{where}: {some(names)} may be patients, with the classes {some(below)} below, or classes. Patients: --folders "
            f"{above}any/class --group-from '^{'[^/]+/' * depth}([^/]+)/'. Classes: --folders {above}class (read.folders)"
        )
    if is_named and len(names) > 2:
        raise DataError(
            f"{where}: {some(names)} look like patients, not classes, and no class is below them. Name the labels in a "
            f"CSV, or, where they are classes, say --folders {above}class (read.folders)"
        )
    return False
