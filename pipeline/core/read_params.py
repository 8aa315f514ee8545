"""The block `read` of a task: how raw data become samples."""

import re
from typing import Literal

from pydantic import Field, model_validator

from pipeline.core.strict import Strict

FOLDERS = r"^((any|split)/)*class(/(any|split))*$"  # what each level of folders is


class ReadParams(Strict):
    """How raw data become samples: the CSV that lists them, and its columns for label, group and shipped split.

    `group_from` is a regular expression whose only group is what samples of one patient share in their paths, or in the column
    `group` where that is named too; `group_with` lists columns that say the patient together with `group`, for instance the first
    name, or the site where numbers start anew in each; `no_group` says that no two samples are of one patient; `exclude` lists
    columns that are not features. `header: none` is for a table whose first row is a sample: its columns are called column_1,
    column_2 and so on.

    Images: `folders` says what each level of folders is, for instance split/class or any/class; `skip` is a regular expression
    of the files that are not samples; `path_column` of the CSV names the images, which lie in `images`, folders below raw;
    `one_hot` lists the columns that are one label together; `valid_csv` and `test_csv` are the other parts of a shipped split.

    Of their values: `intensity` says what becomes 0..255 (see `data.images.pixel_rule`), `resize` how an image becomes square,
    `frames` which of a DICOM file are samples. `match` is the DICOM attribute by which `path_column` of the CSV names files, and
    `dicom_group` that by which files are one patient's, of which only a salted hash is kept. `features` is a Parquet file of
    features in raw that take the place of the embedding (see `data.own_features`).
    """

    csv: str | None = None
    header: Literal["first", "none"] = "first"
    valid_csv: str | None = None
    test_csv: str | None = None
    path_column: str = "path"
    images: list[str] = []
    one_hot: list[str] = []
    folders: str | None = Field(None, pattern=FOLDERS)
    skip: str | None = None
    label: str = "label"
    group: str | None = None
    group_with: list[str] = []
    group_from: str | None = None
    no_group: bool = False
    shipped: str | None = None
    exclude: list[str] = []
    unreadable: Literal["skip", "error"] = "skip"
    intensity: str | list[float] | None = None
    resize: Literal["stretch", "letterbox", "crop"] = "stretch"
    frames: Literal["middle", "all"] = "middle"
    match: Literal["PatientID", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"] | None = None
    dicom_group: Literal["PatientID", "StudyInstanceUID", "SeriesInstanceUID"] | None = None
    features: str | None = Field(None, pattern=r"\.parquet$")

    @property
    def group_columns(self) -> list[str]:
        """The columns that say the patient, none without `group`."""
        return [self.group, *self.group_with] if self.group else []

    @model_validator(mode="after")
    def _one_grouping(self) -> "ReadParams":
        given = [name for name in ("group", "group_from") if getattr(self, name)]
        if self.no_group and given:
            raise ValueError(f"{given[0]} and no_group exclude each other: leave one out")
        if self.group_with and (not self.group or self.group_from):
            raise ValueError("group_with: goes with group alone, the first of the columns that say the patient")
        for name in ("skip", "group_from"):
            try:
                n_groups = re.compile(getattr(self, name) or "()").groups
            except re.error as error:
                raise ValueError(f"{name}: {getattr(self, name)!r} is not a regular expression ({error})") from None
            if name == "group_from" and n_groups != 1:
                raise ValueError(f"group_from: {self.group_from!r} has {n_groups} groups (...); expected exactly one")
        return self
