"""Stage `split@task`: assign samples to folds and test set, and exclude samples with a reason.

Writes `data/<task>/split.csv`: id, path, label, group, subset (dev, test, excluded), fold (0.. in dev, else empty), reason;
with `repeats`, also fold_2 and so on: further divisions of the same samples. The previous split.csv is read first, so that new
samples do not move existing ones.
"""

import sys
from pathlib import Path

import pandas as pd

from pipeline.core import artifacts, params
from pipeline.core.paths import TaskPaths
from pipeline.core.stage import require, run
from pipeline.data.audit_result import AuditResult
from pipeline.data.grouping.splitting import split
from pipeline.data.samples import read_samples, read_times


def read_last(path: Path) -> pd.DataFrame | None:
    """Return the previous split.csv or None; samples in it stay in development or test."""
    if not path.is_file():
        return None
    try:
        last = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (ValueError, OSError):
        return None
    return last if {"id", "path", "group", "subset"} <= set(last) else None


def main(name: str) -> None:
    samples = read_samples(name)
    audit = AuditResult.read(require(TaskPaths(name).audit, f"audit@{name}"))
    task, last = params.task(name), read_last(TaskPaths(name).split)
    times = read_times(samples, name, task.split.time_column) if task.split.time_column else None
    table = split(samples, audit, task.split, params.seed(), last, times)
    artifacts.write_csv(TaskPaths(name).split, table)
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
