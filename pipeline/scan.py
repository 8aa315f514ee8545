"""Stage `scan@task`: one streaming pass over the raw files and the included uploads, without fitting anything.

Writes to `data/<task>/scan/`: samples.csv (a row per file or table row) and skipped.csv; for images embeddings.npy,
classical.npy and ood.npy, with the rows of samples.csv, and intensity.csv, histograms of each class by channel; for tables
columns.csv, the features as text, and formats.json for columns with other number formats; raw.json, the hash of the raw data;
pixel_rule.json only where images are not read by the default; vector_names.json where `read.features` are in the place of
embeddings.
"""

import sys
from collections.abc import Iterable
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from pipeline.core import artifacts, params, paths
from pipeline.core.params_models import TaskParams
from pipeline.core.paths import TaskPaths
from pipeline.core.stage import require, run
from pipeline.data import folder_layout, own_features, raw_changes, uploads
from pipeline.data.folder_layout import COLUMNS
from pipeline.data.folders.archives import folder_of
from pipeline.data.folders.sample_files import Skipped
from pipeline.data.image_features import scan_images
from pipeline.data.images.pixel_rule import rule_of
from pipeline.data.samples import check_upload, list_uploads, report_misfits, report_unreadable, scan_table
from pipeline.data.tabular import formats


def write_samples(rows: Iterable[dict], columns: list[str], task: TaskParams, name: str, out: Path) -> int:
    """Write samples.csv row by row, report unreadable samples and misfits, and return the number of samples."""
    bad, misfits, n_samples = [], [], 0
    with artifacts.writing_csv(out / "samples.csv", columns) as add:
        for row in rows:
            if uploads.is_upload(row["path"]):
                check_upload(name, Path(row["path"]).stem, row.get("id", ""))
            misfit = row.pop("misfit", "")
            if misfit and not uploads.is_upload(row["path"]):
                misfits.append((row["path"], misfit))
            add(row)
            n_samples += 1
            if row["error"]:
                bad.append((row["path"], row["error"]))
        report_unreadable(bad, n_samples, task, name)
        report_misfits(misfits, name)
    return n_samples


def write_all(task: TaskParams, name: str, out: Path) -> None:
    """Write the samples and features of a task."""
    skipped: list[Skipped] = []
    if task.kind == "table":
        scanned = scan_table(task, name)
        for notice in scanned.notices:
            print(f"scan {name}: {notice}", file=sys.stderr)
        artifacts.write_csv(out / "columns.csv", scanned.features)
        TaskPaths(name).formats.unlink(missing_ok=True)
        if unusual := formats.to_json(scanned.formats):
            artifacts.write_json(TaskPaths(name).formats, unusual)
        rows, columns = scanned.samples.to_dict("records"), list(scanned.samples)
    else:
        listed, skipped = folder_layout.list_samples(task, name)
        columns = COLUMNS + list(listed[0].extra)
        listed += list_uploads(name)
        program = require(paths.EMBEDDER, "backbone")
        rule = rule_of(task.read)
        TaskPaths(name).pixel_rule.unlink(missing_ok=True)
        if rule.to_json():
            artifacts.write_json(TaskPaths(name).pixel_rule, rule.to_json())
        scanned_rows = scan_images(listed, folder_of(task.raw), program, out, params.workers(), rule)
        rows = tqdm(scanned_rows, f"scan {name}", total=len(listed), unit=" images", mininterval=1, delay=3)
    n_samples = write_samples(rows, columns, task, name, out)
    TaskPaths(name).vector_names.unlink(missing_ok=True)
    if task.read.features:
        own_features.put_in_place(name, Path(task.raw) / task.read.features)
    artifacts.write_csv(out / "skipped.csv", pd.DataFrame([vars(skip) for skip in skipped], columns=["path", "reason"]))
    print(f"scan {name}: {n_samples} samples, {len(skipped)} other files ignored", file=sys.stderr)


def main(name: str) -> None:
    task, out = params.task(name), TaskPaths(name).scan
    out.mkdir(parents=True, exist_ok=True)
    with raw_changes.unchanged(task.raw, f"scan {name}") as raw:
        write_all(task, name, out)
    raw_changes.record(raw, name)


if __name__ == "__main__":
    run(main)
