"""Stage `preprocess@task`: write development and test set to separate files, so that selection cannot read the test set.

Writes `data/<task>/dev.npz` and `test.npz` (see `dataset`; of images the former with views, see `data.views`), dev_columns.csv
and test_columns.csv (path, and further columns of the task's CSV), and dev_pixels.npy: uint8 RGB (n_dev, 224, 224, 3) if the
task keeps pixels, otherwise empty.
"""

import sys
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pandas as pd

from pipeline.core import params, paths
from pipeline.core.params_models import TaskParams
from pipeline.core.paths import TaskPaths
from pipeline.core.stage import require, run
from pipeline.data import raw_changes, uploads, views
from pipeline.data.dataset import Dataset
from pipeline.data.feature_arrays import load_features, order_classes, take, write_pixels
from pipeline.data.folder_layout import COLUMNS
from pipeline.data.folders.archives import folder_of
from pipeline.data.images.pixel_rule import rule_of
from pipeline.data.written_samples import read_samples, read_split
from pipeline.evaluation import by_group, subgroups
from pipeline.evaluation.operating_point import check_classes


def main(name: str) -> None:
    task, folder = params.task(name), TaskPaths(name).data
    split, samples = read_split(name), read_samples(name)
    check_named_columns(name, task, folder, samples)
    # Uploads must not change which class is positive.
    counted = (split["subset"] == "dev") & ~split["path"].map(uploads.is_upload)
    classes = order_classes(split.loc[counted, "label"], task.preprocess.positive, name)
    check_classes(classes, task.select.operating_point, name)
    by_group.check(classes, task.select, name)
    features, row_of = load_features(folder / "scan", task), {path: row for row, path in enumerate(samples["path"])}
    dev, test = (take(split, subset, classes, features, row_of) for subset in ("dev", "test"))
    with raw_changes.as_scanned(name, task.raw, "preprocess") if task.kind == "image" else nullcontext():
        if task.kind == "image":
            dev = with_views(dev, task, name)
        shown = dev.path if task.preprocess.pixels else dev.path[:0]
        write_pixels(shown, task, name, folder / "dev_pixels.npy", params.workers())
    for subset, data in (("dev", dev), ("test", test)):
        data.save(folder / f"{subset}.npz")
        subgroups.write(folder, subset, data.path, samples)
    if dev.positive:
        print(f"preprocess {name}: the positive class is {dev.positive!r}", file=sys.stderr)


def with_views(dev: Dataset, task: TaskParams, name: str) -> Dataset:
    """Return the development set with the features of views of its images."""
    program, label = require(paths.EMBEDDER, "backbone"), f"preprocess {name}: views"
    computed = views.compute(dev.path, folder_of(task.raw), program, params.workers(), rule_of(task.read), label)
    if dev.vector_names:  # of images alone: features that the user computed have no views
        del computed["view_ood"]
    return replace(dev, arrays=dict(dev.arrays) | computed)


def check_named_columns(name: str, task: TaskParams, folder: Path, samples: pd.DataFrame) -> None:
    """Raise ParamsError where params.yaml names a column that the samples do not have."""
    columns = list(pd.read_csv(folder / "scan/columns.csv", nrows=0)) if task.kind == "table" else list(samples)
    columns = [column for column in columns if column not in COLUMNS]
    subgroups.check(columns, task.select.bands, f"{name}.select.subgroups")
    subgroups.check(columns, [task.select.site] if task.select.site else [], f"{name}.select.site")
    unit = task.select.unit
    subgroups.check(columns, [unit] if unit not in (by_group.SAMPLE, by_group.GROUP) else [], f"{name}.select.unit")
    subgroups.check(columns, task.preprocess.columns, f"{name}.preprocess.columns")


if __name__ == "__main__":
    run(main)
