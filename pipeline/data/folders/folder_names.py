"""What names of folders and files say: shipped splits, folds, containers of images, masks, patients."""

import re
from collections import Counter
from collections.abc import Collection

from pipeline.data.columns.words import OTHER_SPLITS, SHIPPED

FILLERS = frozenset("set sets data dataset images image imgs img split input folder files".split())
CONTAINERS = frozenset(
    (
        "image images imgs img jpg jpegs jpeg png pngs tif tiff data dataset input inputs pictures photos originals original "
        "scans slices frames rgb"
    ).split()
)
MASKS = frozenset(
    (
        "mask masks segmentation segmentations seg segs segmented annotation annotations roi rois groundtruth gt overlay "
        "overlays heatmap heatmaps contour contours labels maskimages lesionmasks groundtruths"
    ).split()
)
FOLD = re.compile(
    r"(?i)(?:\w*[ _-])?(?:k?folds?|cv|parts?|partitions?|batch|chunk|subset|set|split|images?|imgs?)[ _-]?\d{1,3}"
)
NUMBERED_CLASSES = frozenset("class klasse classe label grade grad stage level type category cluster".split())
FEWEST_CASES = 6  # folders with one name and a number, from which on they are cases rather than grades
PATIENT = re.compile(
    r"(?i)(?:patients?|pat|pt|p|subjects?|subj|sub|s|participants?|persons?|cases?|mrn|pid|id|volunteer|donor|tcga)[ _-]?"
    r"[a-z]{0,3}[ _-]?\d+[a-z0-9_-]*"
)
MASK_WORDS = "masks?|segmentations?|segmented|seg|gt|ground_?truth|rois?|annotations?|contours?|overlay|heatmap"
MASK_WORDS += "|labels?|label_?(?:maps?|ids?)|lbl|superpixels?|manual|anno?t?|bin(?:ary)?|[lm]"
MASK_FILE = re.compile(rf"(?i)^(?P<base>.+?)[ _.-]+(?P<word>{MASK_WORDS})(?:[ _-]?\d{{1,3}})?$")
DOCUMENTS = tuple(
    (
        ".txt .md .rst .pdf .csv .tsv .xml .json .yaml .yml .py .ipynb .html .log .doc .docx .xls .xlsx .ini .cfg .m .r .sh "
        ".bib .tex"
    ).split()
)


def split_names(names: Collection[str]) -> dict[str, str]:
    """Return which of some folders' names mean a shipped split, and which one.

    Words that all names share, and fillers such as set or images, do not count.

    Examples
    --------
    >>> split_names(["train_set", "test_set", "notes"])
    {'train_set': 'train', 'test_set': 'test'}
    >>> split_names(["ISIC_Training_Input", "ISIC_Test_Input"])
    {'ISIC_Training_Input': 'train', 'ISIC_Test_Input': 'test'}
    """
    words = {
        name: re.findall(r"[^\W\d_]+|\d+", _without_set(re.sub(r"^(?:\d+[ _.-]+|[a-z]\.)", "", _apart(name))))
        for name in names
    }
    lists = list(words.values())
    common = set.intersection(*map(set, lists)) if len(lists) > 1 else set()
    splits = {}
    for name, parts in words.items():
        left = [part for part in parts if part not in common and part not in FILLERS]
        if len(left) == 1 and left[0] in SHIPPED | OTHER_SPLITS:
            splits[name] = (SHIPPED | OTHER_SPLITS)[left[0]]
    return splits


def subset_of(name: str) -> str:
    """Return train, valid or test where the name of a folder or CSV has exactly one such word: train_labels; else ""."""
    words = re.findall(r"[^\W\d_]+", _without_set(_apart(name)))
    subsets = {(SHIPPED | OTHER_SPLITS)[word] for word in words if word in SHIPPED | OTHER_SPLITS}
    return subsets.pop() if len(subsets) == 1 else ""


def _apart(name: str) -> str:
    """Return a name in lower case with a space where camel case has a new word: trainLabels."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).casefold()


def _without_set(name: str) -> str:
    """Return a name with the word before an attached "set" or "data" cut free: trainset, testdata."""
    return re.sub(rf"\b({'|'.join(SHIPPED | OTHER_SPLITS)})(set|data)\b", r"\1 \2", name)


def are_folds(names: Collection[str]) -> bool:
    """Return whether all of several names are numbered folds or parts."""
    return len(names) > 1 and all(FOLD.fullmatch(name.strip()) for name in names)


def are_patients(names: Collection[str]) -> bool:
    """Return whether nearly all names are those of patients: patient012, sub-03, TCGA-A1."""
    return len(names) > 1 and sum(bool(PATIENT.fullmatch(name.strip())) for name in names) >= 0.9 * len(names)


def are_cases(names: Collection[str]) -> bool:
    """Return whether many folders bear one name and a number, as cases do and as classes and grades do not."""
    words = set().union(*(re.findall(r"[a-z]+", _apart(name)) for name in names))
    return len(names) >= FEWEST_CASES and are_numbered(names) and not words & NUMBERED_CLASSES


def are_numbered(names: Collection[str]) -> bool:
    """Return whether all names are one word with numbers of two digits or more: Base11, Base12; BraTS20_Training_001."""
    parts = [re.fullmatch(r"(.*\D)(\d{2,})", name.strip()) for name in names]
    stems = {part[1] if part else None for part in parts}
    return len(names) > 1 and len(stems) == 1 and None not in stems


def classes_of_patients(names: Collection[str]) -> list[str]:
    """Return the classes where each of many folders is a patient of one, benign_P01 and malignant_02; none otherwise."""
    parts = [re.fullmatch(r"(.*[A-Za-z])[ _-]+([^ _-]+)", name.strip()) for name in names]
    if len(parts) < FEWEST_CASES or not all(
        part and (re.fullmatch(r"\d{2,}", part[2]) or PATIENT.fullmatch(part[2])) for part in parts
    ):
        return []
    counts = Counter(part[1] for part in parts if part)
    is_repeated = len(counts) > 1 and min(counts.values()) > 1
    return sorted(counts) if is_repeated and not {name.lower() for name in counts} & NUMBERED_CLASSES else []


def are_numbers(names: Collection[str]) -> bool:
    """Return whether all names are numbers."""
    return all(name.strip().isdigit() for name in names)
