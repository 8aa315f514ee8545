"""dev.npz and test.npz: the samples of one side of the split, as every later stage reads them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np

from pipeline.core import artifacts
from pipeline.core.artifacts import JSON
from pipeline.core.mapped_rows import MappedArrays, MappedRows
from pipeline.core.paths import TaskPaths
from pipeline.core.stage import require
from pipeline.data.image_with_columns import ImageWithColumns, has_columns, image_part

if TYPE_CHECKING:  # only data sets with columns need them
    import pandas as pd

    from pipeline.data.tabular.formats import ColumnFormat

PIXEL_RULE = "pixel_rule"  # the array that says how images are read where that is not the default, as JSON
VECTOR_NAMES = "vector_names"  # the array that names features that the user computed, as JSON
FORMATS = "column_formats"  # the array that says how columns that are not plain are written, as JSON


@dataclass(frozen=True)
class Views:
    """Views of images: `row`, int (m,), the image of each, and `features`, float32 (m, n_features)."""

    row: np.ndarray
    features: np.ndarray


@dataclass(frozen=True)
class Dataset:
    """Samples sorted by id, and their features by name.

    id, path, group: str (n,); y: int64 (n,), an index into `classes`; fold: int64 (n,), -1 in the test set; classes: list of
    str, for two classes the positive one last. `arrays` holds `embedding` (n, 1280) and `classical` (n, 320) as float32, `ood`
    (n, 576), from which out-of-distribution scores are computed, and for the development set its views (see `data.views`);
    columns, of a table or in addition to images, as `column:<name>`, float64 or str (n,); and where folds are drawn several
    times, fold_2 and so on. Read lazily: what is not asked for costs nothing. Features of many samples are `MappedRows`.
    """

    id: np.ndarray
    path: np.ndarray
    group: np.ndarray
    y: np.ndarray
    fold: np.ndarray
    classes: list[str]
    arrays: Mapping[str, Any]

    @classmethod
    def load(cls, file: Path) -> "Dataset":
        """Return the data set that `save` wrote to `file`."""
        arrays = MappedArrays(file)
        return cls(
            **{name: arrays[name] for name in ("id", "path", "group", "y", "fold")},
            classes=[str(name) for name in arrays["classes"]],
            arrays=arrays,
        )

    @classmethod
    def read(cls, task: str, subset: str, root: Path = Path()) -> "Dataset":
        """Return a task's development or test set; `subset` is dev or test."""
        return cls.load(require(TaskPaths(task, root).data / f"{subset}.npz", f"preprocess@{task}"))

    def save(self, file: Path) -> None:
        """Write the data set, byte for byte the same for the same samples."""
        own = {name: getattr(self, name) for name in ("id", "path", "group", "y", "fold")}
        artifacts.write_npz(file, own | {"classes": np.array(self.classes)} | dict(self.arrays))

    def rows(self, kept: np.ndarray) -> "Dataset":
        """Return the samples at `kept`, int (m,), without features."""
        own = {name: getattr(self, name)[kept] for name in ("id", "path", "group", "y", "fold")}
        return replace(self, **own, arrays={})

    @overload
    def X(self, features: Literal["columns"]) -> "pd.DataFrame": ...

    @overload
    def X(self, features: Literal["embedding", "classical"]) -> np.ndarray | MappedRows: ...

    @overload
    def X(self, features: str) -> "np.ndarray | MappedRows | pd.DataFrame | ImageWithColumns": ...

    def X(self, features: str) -> "np.ndarray | MappedRows | pd.DataFrame | ImageWithColumns":
        """Return the features of this name: an array (n, n_features), for `columns` a DataFrame (n, n_columns), or both."""
        if has_columns(features):
            return ImageWithColumns(self.arrays[image_part(features)], self.X("columns"))
        # A view: whoever adds a column to it adds it to no other
        return self._columns.copy(deep=False) if features == "columns" else self.arrays[features]

    @cached_property
    def _columns(self) -> "pd.DataFrame":
        import pandas as pd

        return pd.DataFrame(
            {
                name.removeprefix("column:"): array if array.dtype == np.float64 else array.astype(object)
                for name in self.column_names
                for array in [self.arrays[name]]
            }
        )

    def views(self, features: Literal["ood", "classical"]) -> "Views":
        """Return the views of the development images (see `data.views`) by their features; none where there are none."""
        if f"view_{features}" not in self.arrays:
            return Views(np.empty(0, int), np.empty((0, self.arrays[features].shape[1]), np.float32))
        return Views(self.arrays["view_row"], self.arrays[f"view_{features}"])

    @property
    def column_names(self) -> list[str]:
        """The names of the arrays that are columns, in their order."""
        return [name for name in self.arrays if name.startswith("column:")]

    @property
    def formats(self) -> "dict[str, ColumnFormat]":
        """How columns are written that are not plain, by name; see `data.tabular.formats`."""
        if FORMATS not in self.arrays:
            return {}
        from pipeline.data.tabular import formats

        return formats.from_json(json.loads(str(self.arrays[FORMATS])))

    @property
    def pixel_rule(self) -> JSON:
        """How images are read, as `PixelRule.to_json` gives it: empty for the default, and for tables."""
        return json.loads(str(self.arrays[PIXEL_RULE])) if PIXEL_RULE in self.arrays else {}

    @property
    def vector_names(self) -> list[str]:
        """The names of the embedding's features where the user computed them; empty where the network did."""
        return json.loads(str(self.arrays[VECTOR_NAMES])) if VECTOR_NAMES in self.arrays else []

    @property
    def folds(self) -> np.ndarray:
        """The folds of every repeat, int64 (n_repeats, n); the first is `fold`."""
        return np.stack([self.fold, *(self.arrays[name] for name in self.arrays if name.startswith("fold_"))])

    def tiled(self, times: int) -> "Dataset":
        """Return the samples `times` over, without features, to match as many predictions of each.

        A copy has its sample's group, and its first fold: what is drawn by group, or fitted without a fold, has no copy of it.
        """
        if times == 1:
            return self
        own = {name: np.tile(getattr(self, name), times) for name in ("id", "path", "group", "y", "fold")}
        return Dataset(**own, classes=self.classes, arrays={})

    @property
    def positive(self) -> str | None:
        """The class that metrics of two classes speak of; None for more classes."""
        return self.classes[1] if len(self.classes) == 2 else None

    @property
    def fingerprint(self) -> str:
        """SHA-256 of which samples there are, how they are labelled and in which fold they stand."""
        rows = zip(self.id, self.group, self.y, *self.folds, strict=True)
        lines = ["\t".join(self.classes), *("\t".join(map(str, row)) for row in rows)]
        return artifacts.sha256("\n".join(lines).encode())
