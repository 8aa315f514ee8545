"""Which samples of a new task are one patient's and which columns are no features: what a user decides, and what is found."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.core.artifacts import JSON
from pipeline.core.errors import DataError
from pipeline.core.parallel import run_parallel
from pipeline.data import tables
from pipeline.data.columns.group_names import find_named, is_other_id
from pipeline.data.columns.id_columns import NoFeature, find_ids
from pipeline.data.columns.visit_names import find_visits
from pipeline.data.folders.sample_files import Sample
from pipeline.data.images import decoding, image_file, squares
from pipeline.data.images.pixel_rule import PixelRule
from pipeline.data.tabular.files import Header
from pipeline.duplicates.group_search import Grouping, search_table, with_site
from pipeline.duplicates.image_groups import search_images
from pipeline.duplicates.label_leaks import find_joint_leaks, find_label_leaks

MOST_PAIRS = 3  # of columns that say the label together, that are listed
SEED = 0  # of the images that are looked at to confirm a group


@dataclass(frozen=True)
class Choices:
    """The options of init_task on groups, columns, folders and the split; without any, these are found and reported.

    `images`: the folder of the images that a CSV names; `folders`, `skip`: as in params.yaml; `split`: hash draws a new test set
    although one is shipped; `expected_label`: taken without asking where there is such a column.
    """

    group: str | None = None
    group_with: tuple[str, ...] = ()
    group_from: str | None = None
    no_group: bool = False
    exclude: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    header: Header = "first"
    images: str | None = None
    folders: str | None = None
    skip: str | None = None
    split: str | None = None
    expected_label: str | None = None

    @property
    def has_group(self) -> bool:
        """Whether the user has decided how samples are grouped."""
        return bool(self.group or self.group_from or self.no_group)

    def label_of(self, table: pd.DataFrame, label: str | None) -> str | None:
        """Return the user's `label`, else the expected one if the table has it, else None."""
        return label or (self.expected_label if self.expected_label in table else None)


def decided(read: JSON, choices: Choices) -> JSON:
    """Return `read` with the user's decision on groups in place of what was guessed."""
    if not choices.has_group:
        return read
    rest = {key: value for key, value in read.items() if key != "group"}
    with_group = list(choices.group_with)
    given = {
        "group": choices.group,
        "group_with": with_group,
        "group_from": choices.group_from,
        "no_group": choices.no_group,
    }
    return rest | {key: value for key, value in given.items() if value}


def search_paths(root: Path, samples: list[Sample], fixed: int, workers: int, rule: PixelRule) -> Grouping:
    """Return the part of the paths by which images are one patient's, below `fixed` folders; see `search_images`."""
    paths = [sample.path for sample in samples]
    columns = pd.DataFrame([sample.extra for sample in samples], index=range(len(samples)))

    def read(rows: list[int]) -> np.ndarray:
        return np.stack(list(run_parallel(lambda row: read_features(root / paths[row], rule), rows, workers)))

    return search_images(paths, [sample.label for sample in samples], fixed, columns, read, SEED)


def search_site(samples: list[Sample], column: str) -> Grouping:
    """Return the grouping by the column of a CSV that names images, with that of the site where numbers start anew at each."""
    table = pd.DataFrame([sample.extra for sample in samples], index=range(len(samples)), dtype=object)
    table[column] = [sample.group for sample in samples]
    return with_site(table, Grouping(column), [sample.label for sample in samples])


def read_features(path: Path, rule: PixelRule) -> np.ndarray:
    """Return the classical features of an image, NaN where it cannot be read."""
    try:
        return squares.classical(squares.resize(decoding.decode(image_file.read(path), rule).pixels))
    except (DataError, OSError):
        return np.full(squares.classical(np.zeros((224, 224, 3), np.uint8)).shape, np.nan)


def about_group(read: JSON, grouping: Grouping | None) -> list[tuple[str, str]]:
    """Return the line that says which samples are taken as one patient's, and how to decide otherwise."""
    otherwise = "--group COLUMN, --group-from REGEX or --no-group decides otherwise"
    if read.get("no_group"):
        return [("group", "none: each sample is another patient, as you decided")]
    if read.get("dicom_group"):
        where = f"{read['dicom_group']} of the DICOM files, of which a salted hash is kept (data/.salt)"
        return [("group", f"{where}: samples that share it stay together; {otherwise}")]
    if grouping is None:
        return []
    if not grouping.is_known:
        return [("group", f"none found: each sample counts as another patient ({grouping.grounds}); {otherwise}")]
    columns = [grouping.column, *grouping.group_with] if grouping.column else []
    where = f"column {' and '.join(map(repr, columns))}" if columns else f"the path by {grouping.pattern!r}"
    return [("group", f"{where}: samples that share it stay together ({grouping.grounds}); {otherwise}")]


def check_visits(columns: pd.DataFrame, grouping: Grouping, path: Path) -> None:
    """Raise DataError where a column counts the visits of patients and nothing says who they are."""
    visits = None if grouping.is_known else find_visits(columns)
    if visits:
        raise DataError(
            f"{path.as_posix()}: column {visits!r} says which visit of a patient a sample is, and no column says which patient: "
            "figures would be too good. Name the patient with --group COLUMN (A,B for several columns); if each sample is "
            "another patient, --no-group"
        )


def search_rows(table: pd.DataFrame, read: JSON) -> Grouping:
    """Return the column by which rows are one patient's; `table` holds all columns."""
    taken = [column for column in (read.get("label"), read.get("shipped")) if column]
    return search_table(table.drop(columns=taken), SEED, table[read["label"]].tolist() if "label" in read else None)


def find_no_features(
    features: pd.DataFrame, labels: Sequence[str], groups: Sequence[str]
) -> tuple[list[NoFeature], list[tuple[str, str]]]:
    """Return the columns that are no features, and lines on measurements that say the label nearly by themselves.

    `features`: as text; `labels`, `groups`: (n,), "" where a row has none.
    """
    no_features = find_ids(features)
    ids = {entry.column for entry in no_features}
    others = [entry for entry in find_named(features) if is_other_id(entry) and entry.column not in ids]
    no_features += [NoFeature(entry.column, "id", "is another id of patients or lesions") for entry in others]
    rest = features.drop(columns=[entry.column for entry in no_features])
    has_label = np.array([label != "" for label in labels])
    together = pd.Series(groups, dtype=object).where(
        lambda group: group != "", pd.Series(range(len(groups))).map("row {}".format)
    )
    typed = tables.typed(rest[has_label].reset_index(drop=True))
    known, codes = np.asarray(labels, dtype=str)[has_label], pd.factorize(together[has_label])[0]
    leaks = find_label_leaks(typed, known, codes)
    no_features += [leak.as_no_feature() for leak in leaks if leak.is_left_out]
    kept = [leak.why_kept for leak in leaks if not leak.is_left_out]
    pairs = find_joint_leaks(typed.drop(columns=[leak.column for leak in leaks]), known, codes)
    kept += [
        f"{first} and {second}: each pair of their values stands for one label; kept, --exclude leaves one out"
        for first, second in pairs[:MOST_PAIRS]
    ]
    return no_features, [("leaks the label", why) for why in kept]


def exclude(no_features: list[NoFeature], choices: Choices) -> tuple[list[str], list[tuple[str, str]]]:
    """Return the columns that are left out, and lines that say why; what the user keeps or leaves out comes first."""
    taken = [entry for entry in no_features if entry.column not in choices.keep]
    own = [column for column in choices.exclude if column not in {entry.column for entry in taken}]
    lines = [
        ("left out", f"{entry.column}: {entry.reason}; --keep {entry.column} takes it as a feature") for entry in taken
    ]
    lines += [("left out", f"{column}: as you decided") for column in own]
    return [entry.column for entry in taken] + own, lines
