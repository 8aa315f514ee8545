"""Stage `scan@task`: one streaming pass over the raw files, which learns nothing from them.

Writes to `data/<task>/scan/`: samples.csv (a row per file or table row) and skipped.csv; for images embeddings.npy and
classical.npy, whose rows are those of samples.csv; for tables columns.csv, the features as text.
"""

import sys
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from pipeline import artifacts, images, layout, params, tables
from pipeline.layout import COLUMNS, Sample
from pipeline.parallel import run_parallel
from pipeline.params import TaskParams
from pipeline.stage import DataError, require, run

EMBEDDER = Path("models/backbone/embedder.tflite")
N_CLASSICAL = 320
MAX_BYTES = 450_000_000  # of a file: 50 megapixels of four 16-bit channels are 400 MB
BATCH = 16  # files handed to a worker at once: the hand-over costs less than 1 % and progress stays smooth

_of_thread = threading.local()


def embedder(program: Path) -> images.Embedder:
    """Return this thread's own embedder; an interpreter serves one thread."""
    if getattr(_of_thread, "program", None) != program:
        _of_thread.program, _of_thread.embedder = program, images.Embedder(program.read_bytes())
    return _of_thread.embedder


def scan_file(path: Path, program: Path) -> tuple[dict, np.ndarray | None, np.ndarray | None]:
    """Return a file's facts, its embedding (n,) and its classical features (320,); for a bad file facts with `error`."""
    try:
        if path.exists() and not path.is_file():
            return {"error": "is no file"}, None, None  # a pipe would never end
        if path.stat().st_size > MAX_BYTES:
            return {"error": f"is over {MAX_BYTES // 1_000_000} MB, more than a picture needs"}, None, None
        data = path.read_bytes()
    except OSError as error:
        return {"error": f"cannot be opened ({error.strerror})"}, None, None
    facts = {"bytes": len(data), "error": ""}
    try:
        picture = images.decode(data)
    except DataError as error:
        # the bytes identify what cannot be decoded
        return facts | {"error": str(error), "id": artifacts.sha256(data)[:16]}, None, None
    square = images.resize(picture.pixels)
    facts |= {"id": picture.id, "width": picture.width, "height": picture.height}
    facts |= {"mode": picture.mode, "format": picture.format}
    return facts, embedder(program)(square), images.classical(square)


def scan_files(paths: list[Path], program: Path) -> list[tuple]:
    """Return `scan_file` of each of a handful of files."""
    return [scan_file(path, program) for path in paths]


def scan_images(samples: list[Sample], root: Path, program: Path, out: Path, workers: int) -> Iterator[dict]:
    """Yield each sample's row for samples.csv; write features to .npy files row by row, in constant memory."""
    batches = [
        [root / sample.path for sample in samples[start : start + BATCH]] for start in range(0, len(samples), BATCH)
    ]
    found = (facts for batch in run_parallel(partial(scan_files, program=program), batches, workers) for facts in batch)
    size = embedder(program).size
    with (
        artifacts.writing_npy(out / "embeddings.npy", np.float32, (len(samples), size)) as add_embedding,
        artifacts.writing_npy(out / "classical.npy", np.float32, (len(samples), N_CLASSICAL)) as add_classical,
    ):
        for sample, (facts, embedding, colours) in zip(samples, found, strict=True):
            add_embedding(np.zeros(size) if embedding is None else embedding)
            add_classical(np.zeros(N_CLASSICAL) if colours is None else colours)
            known = {key: getattr(sample, key) for key in ("path", "label", "group", "shipped")}
            yield known | facts | sample.extra


def scan_table(task: TaskParams, name: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return samples.csv and columns.csv of a table task.

    Raises DataError for a missing file or column, or labels that differ only in case. A row without a label is kept,
    with an error, so that it is reported rather than lost.
    """
    path = Path(task.raw)
    if not path.is_file():
        raise DataError(f"{path.as_posix()}: there is no such file (from tasks.{name}.raw)")
    table = tables.read_csv(path)
    special = {"label": task.read.label, "group": task.read.group, "shipped": task.read.shipped}
    for key, column in special.items():
        if column:
            tables.require_column(table, column, path, f"tasks.{name}.read.{key}")
    features = table.drop(columns=[column for column in special.values() if column])
    if not len(features.columns):
        raise DataError(f"{path.as_posix()}: has no column besides the label; expected at least one feature")
    layout.check_labels(set(table[task.read.label]) - {""}, path.as_posix())
    rows = range(1, len(table) + 1)
    samples = pd.DataFrame({"id": tables.row_ids(features), "path": [f"row {row}" for row in rows]})
    samples["label"] = table[task.read.label]
    samples["group"] = table[task.read.group] if task.read.group else ""
    samples["shipped"] = (
        [layout.shipped_name(word, path, row) for row, word in zip(rows, table[task.read.shipped], strict=True)]
        if task.read.shipped
        else ""
    )
    samples["error"] = np.where(table[task.read.label] == "", "the label is empty", "")
    return samples.reindex(columns=COLUMNS, fill_value=""), features


def report_unreadable(samples: pd.DataFrame, task: TaskParams, name: str) -> None:
    """Say which samples cannot be used; raise DataError if the task does not allow any, or if none is left."""
    bad = samples[samples["error"] != ""]
    for path, error in zip(bad["path"][:10], bad["error"], strict=False):
        print(f"scan {name}: {path}: {error}: left out", file=sys.stderr)
    if len(bad) > 10:
        print(f"scan {name}: ... and {len(bad) - 10} more, all listed in data/{name}/audit.json", file=sys.stderr)
    if len(bad) and task.read.unreadable == "error":
        first = bad.iloc[0]
        raise DataError(
            f"{task.raw}/{first['path']}: {first['error']}. Delete it, or set tasks.{name}.read.unreadable: skip"
        )
    if len(bad) == len(samples):
        raise DataError(f"{task.raw}: none of the {len(samples)} samples can be read")


def main(name: str) -> None:
    task, out = params.task(name), Path(f"data/{name}/scan")
    out.mkdir(parents=True, exist_ok=True)
    if task.kind == "table":
        samples, features = scan_table(task, name)
        skipped = []
        for doubt in tables.nearly_numbers(features):
            print(f"scan {name}: {doubt}", file=sys.stderr)
        artifacts.write_csv(out / "columns.csv", features)
    else:
        listed, skipped = layout.list_samples(task, name)
        program = require(EMBEDDER, "backbone")
        rows = scan_images(listed, Path(task.raw), program, out, params.workers())
        shown = tqdm(rows, f"scan {name}", total=len(listed), unit=" images", mininterval=1, delay=3)
        samples = pd.DataFrame(list(shown), dtype=object).fillna("")
        extra = [column for column in samples if column not in COLUMNS]
        samples = samples.reindex(columns=COLUMNS + extra, fill_value="")
    report_unreadable(samples, task, name)
    artifacts.write_csv(out / "skipped.csv", pd.DataFrame([vars(skip) for skip in skipped], columns=["path", "reason"]))
    artifacts.write_csv(out / "samples.csv", samples)
    print(f"scan {name}: {len(samples)} samples, {len(skipped)} other files passed over", file=sys.stderr)


if __name__ == "__main__":
    run(main)
