"""Stage `split@task`: assign samples to folds and test set, and exclude samples with a reason.

Writes `data/<task>/split.csv`: id, path, label, group, subset (dev, test, excluded), fold (0.. in dev, else empty), reason;
with `repeats`, also fold_2 and so on: further divisions of the same samples. The previous split.csv is read first, so that new
samples do not move existing ones; where that matters, `reports/<task>/fixed_sides.csv` says so to other clones.
"""

import csv
import sys
from pathlib import Path

import pandas as pd

from pipeline.core import artifacts, params
from pipeline.core.errors import DataError
from pipeline.core.paths import TaskPaths
from pipeline.core.stage import run
from pipeline.data.audit_result import AuditResult
from pipeline.data.grouping.splitting import find_fixed, find_known, split
from pipeline.data.written_samples import read_samples, read_times

COLUMNS, SIDES = ["sample", "subset"], {"dev", "test"}  # of fixed_sides.csv


def read_last(path: Path) -> pd.DataFrame | None:
    """Return the previous split.csv or None; samples in it stay in development or test."""
    if not path.is_file():
        return None
    try:
        last = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (ValueError, OSError):
        return None
    return last if {"id", "path", "group", "subset"} <= set(last) else None


def read_fixed(path: Path) -> dict[str, str]:
    """Return what fixed_sides.csv holds; raise DataError for anything else, such as the marks of a merge."""
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    fixed = dict(row for row in rows[1:] if len(row) == 2)
    if rows[:1] != [COLUMNS] or len(fixed) != len({tuple(row) for row in rows[1:]}) or not set(fixed.values()) <= SIDES:
        raise DataError(
            f"{path.as_posix()}: expected the header {','.join(COLUMNS)} and lines of one sample each, in dev or test; take "
            "the file from git"
        )
    return fixed


def main(name: str) -> None:
    samples = read_samples(name)
    audit = AuditResult.read(name)
    task, seed, paths = params.task(name), params.seed(), TaskPaths(name)
    times = read_times(samples, name, task.split.time_column) if task.split.time_column else None
    known = find_known(samples, task.split, seed, read_last(paths.split), read_fixed(paths.fixed_sides))
    table = split(samples, audit, task.split, seed, known, times)
    artifacts.write_csv(paths.split, table)
    fixed = find_fixed(samples, audit, task.split, seed, known)
    artifacts.write_csv(paths.fixed_sides, pd.DataFrame(sorted(fixed.items()), columns=COLUMNS))
    counts = table["subset"].value_counts()
    why = table.loc[table["subset"] == "excluded", "reason"].str.split(":").str[0].value_counts()
    left_out = ", ".join(f"{reason} {count}" for reason, count in sorted(why.items())) or "none"
    print(
        f"split {name}: {counts.get('dev', 0)} development, {counts.get('test', 0)} test, "
        f"{counts.get('excluded', 0)} excluded ({left_out})",
        file=sys.stderr,
    )


if __name__ == "__main__":
    run(main)
