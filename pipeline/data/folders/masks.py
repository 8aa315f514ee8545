"""Masks: images that show where a lesion is, in the folder of the images or in a separate one. They are not samples."""

import os
import re
from collections import defaultdict
from collections.abc import Sequence

from pipeline.data.columns.words import plain
from pipeline.data.folders.folder_names import CONTAINERS, MASK_FILE, MASKS

NEARLY_ALL = 0.95  # the same of a single letter, such as 12_L.png: of pairs of eyes there is no 12.png
FEWEST_PARTNERS = 0.5  # share of the files named like masks that must have an image to belong to


def find_masks(paths: Sequence[str]) -> str | None:
    """Return a regular expression that finds masks among the paths of images, None where there is none.

    A folder holds masks if a folder of images is next to it, or if its subfolders or files have the names of those next to it. A
    file is a mask if its name is the name of another file followed by `_mask`.
    """
    folders = sorted(_mask_folders(paths))
    in_folder = rf"(?:^|/)(?:{'|'.join(map(re.escape, folders))})/" if folders else None
    rest = [path for path in paths if not in_folder or not re.search(in_folder, path)]
    words = sorted(_mask_words(rest))
    named = rf"[ _.-](?i:{'|'.join(map(re.escape, words))})(?:[ _-]?\d{{1,3}})?\.[^./]+$" if words else None
    patterns = [pattern for pattern in (in_folder, named) if pattern]
    return "|".join(patterns) or None


def _mask_folders(paths: Sequence[str]) -> set[str]:
    """Return the names of folders that hold masks."""
    children: dict[str, set[str]] = defaultdict(set)
    stems: dict[str, set[str]] = defaultdict(set)
    for path in paths:
        *folders, file = path.split("/")
        stems["/".join(folders)].add(os.path.splitext(file)[0])
        for depth in range(len(folders)):
            children["/".join(folders[:depth])].add(folders[depth])
    folders_of_masks = set()
    for parent, names in list(children.items()):
        for name in names:
            if plain(name) not in MASKS:
                continue
            inside = f"{parent}/{name}" if parent else name
            siblings = names - {name}
            has_images = any(plain(other) in CONTAINERS for other in siblings)
            mirrors = children.get(inside) and children[inside] <= siblings
            if has_images or mirrors or _shares(stems.get(inside, set()), stems.get(parent, set())):
                folders_of_masks.add(name)
    return folders_of_masks


def _shares(masks: set[str], images: set[str]) -> bool:
    """Return whether most masks are named like an image, with or without a word behind."""
    bases = [match["base"] if (match := MASK_FILE.match(stem)) else stem for stem in masks]
    return bool(bases) and sum(base in images for base in bases) >= FEWEST_PARTNERS * len(bases)


def _mask_words(paths: Sequence[str]) -> set[str]:
    """Return the words behind the names of files that belong to another one in their folder."""
    stems = {os.path.splitext(path)[0] for path in paths}
    with_partner: dict[str, int] = defaultdict(int)
    n_named: dict[str, int] = defaultdict(int)
    for path in paths:
        folder, file = os.path.split(path)
        match = MASK_FILE.match(os.path.splitext(file)[0])
        if match:
            word = match["word"].lower()
            n_named[word] += 1
            with_partner[word] += (f"{folder}/{match['base']}" if folder else match["base"]) in stems
    return {
        word
        for word, n in n_named.items()
        if with_partner[word] >= (NEARLY_ALL if len(word) == 1 else FEWEST_PARTNERS) * n
    }
