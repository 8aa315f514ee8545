"""Stage `preprocess@task`: write development and test set to separate files, so that selection cannot read the test set.

Writes `data/<task>/dev.npz` and `test.npz` (see `dataset`), dev_columns.csv and test_columns.csv (path, and further columns of
the task's CSV), and dev_pixels.npy: uint8 RGB (n_dev, 224, 224, 3) if the task keeps pixels, otherwise empty.
"""

import sys
from contextlib import nullcontext

import pandas as pd

from pipeline.core import params
from pipeline.core.paths import TaskPaths
from pipeline.core.stage import run
from pipeline.data import raw_changes, uploads
from pipeline.data.feature_arrays import load_features, order_classes, take, write_pixels
from pipeline.data.folders.folder_layout import COLUMNS
from pipeline.data.samples import read_samples, read_split
from pipeline.evaluation import subgroups
from pipeline.evaluation.operating_point import check_classes


def main(name: str) -> None:
    task, folder = params.task(name), TaskPaths(name).data
    split, samples = read_split(name), read_samples(name)
    row_of = {path: row for row, path in enumerate(samples["path"])}
    known = list(pd.read_csv(folder / "scan/columns.csv", nrows=0)) if task.kind == "table" else list(samples)
    known = [column for column in known if column not in COLUMNS]
    subgroups.check(known, task.select.bands, f"{name}.select.subgroups")
    subgroups.check(known, [task.select.site] if task.select.site else [], f"{name}.select.site")
    subgroups.check(known, task.preprocess.columns, f"{name}.preprocess.columns")
    features = load_features(folder / "scan", task)
    counted = (split["subset"] == "dev") & ~split["path"].map(
        uploads.is_upload
    )  # Uploads must not change which class is positive.
    classes = order_classes(split.loc[counted, "label"], task.preprocess.positive, name)
    check_classes(classes, task.select.operating_point, name)
    dev = take(split, "dev", classes, features, row_of)
    dev.save(folder / "dev.npz")
    test = take(split, "test", classes, features, row_of)
    test.save(folder / "test.npz")
    for subset, data in (("dev", dev), ("test", test)):
        subgroups.write(folder, subset, data.path, samples)
    reading = raw_changes.as_scanned(name, task.raw, "preprocess") if task.preprocess.pixels else nullcontext()
    with reading:
        write_pixels(
            dev.path if task.preprocess.pixels else dev.path[:0],
            task,
            name,
            folder / "dev_pixels.npy",
            params.workers(),
        )
    if dev.positive:
        print(f"preprocess {name}: the positive class is {dev.positive!r}", file=sys.stderr)


if __name__ == "__main__":
    run(main)
