"""Folders of images, and how the readers take them."""

from pathlib import Path

from pipeline.core.params_models import TaskParams
from pipeline.core.read_params import ReadParams
from pipeline.data import folder_layout, tables
from pipeline.data.folders.class_folders import FolderReading, read_folders
from pipeline.data.folders.image_csv import ImageColumn, find_image_column
from pipeline.data.folders.sample_files import Sample
from tests.helpers.samples import put, task

AB = ("a", "b")


def reading(root: Path, paths: list[str], is_new: bool = False, **read: str) -> FolderReading:
    """Return what is read of empty files at these paths; a path that ends with / is an empty folder."""
    put(root, {path: b"" for path in paths if not path.endswith("/")})
    for path in paths:
        if path.endswith("/"):
            (root / path).mkdir(parents=True)
    return read_folders(root, ReadParams(**read), is_new=is_new)


def subsets(layout: FolderReading) -> set[tuple[str, str]]:
    """Return the pairs of label and shipped split."""
    return {(sample.label, sample.shipped) for sample in layout.samples}


TWO = {"benign/1.png": b"", "malignant/2.png": b""}


def list_images(root: Path, **read: str) -> tuple[dict[str, Sample], dict[str, str]]:
    """Return {path: sample} and {path: why it was skipped}."""
    samples, skipped = folder_layout.list_samples(TaskParams(**task(raw=str(root), read=read)), "skin")
    return {sample.path: sample for sample in samples}, {skip.path: skip.reason for skip in skipped}


NAMES = [f"ISIC_{n:07}" for n in range(8)]


def find_column(path: Path, images: str | None = None) -> ImageColumn | None:
    """Return the column of a CSV that names images."""
    return find_image_column(tables.read_csv(path), path, images)


def csv(header: str, cells: list[str]) -> str:
    """Return a CSV of one column of names and a label."""
    return f"{header},dx\n" + "".join(f"{cell},{'xy'[n % 2]}\n" for n, cell in enumerate(cells))
