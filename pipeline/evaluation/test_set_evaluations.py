"""How often a test set has been looked at: `reports/<task>/test_looks.csv`, kept by git, where `holdout` notes each candidate.

Whoever scores many candidates on one test set and keeps the best reports its luck, too; the count lets a reader allow for
that (Dwork et al. 2015, "The reusable holdout"). The file is a set: a row per test set and candidate, sorted, without a date,
so that a second run adds nothing and two clones write the same bytes. It grows from what is there already, hence `persist`
in dvc.yaml. It knows what was noted in this branch: who deletes it, or scores elsewhere, starts anew; so "at least".
"""

import csv
import json
from pathlib import Path
from typing import Any

from pipeline.core import artifacts
from pipeline.core.errors import DataError
from pipeline.core.paths import TaskPaths
from pipeline.training.candidate import Candidate

COLUMNS = ["test", "model", "candidate"]


def content_hash(candidate: Candidate, decision: dict[str, Any]) -> str:
    """Return 16 hex digits that stand for what is scored: the model's files and the decision.

    Names and versions of libraries are left out: they answer nothing. So is what
    refuses, because every sample is scored, and arrays beside the model, which refuse or explain.
    """
    files = {name: digest for name, digest in candidate.files.items() if not name.endswith(".npz")}
    content = [files, candidate.features, {key: value for key, value in decision.items() if key != "refusal"}]
    return artifacts.sha256(json.dumps(content, sort_keys=True).encode())[:16]


def read(path: Path) -> set[tuple[str, ...]]:
    """Return the rows of the file, as (test, model, candidate); none where there is no file.

    Raises DataError where it is not what `note` wrote, as after a merge with conflicts: a look must not get lost.
    """
    if not path.exists():
        return set()
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = [*csv.reader(file)] or [[]]
    bad = [row for row in (header, *rows) if len(row) != len(COLUMNS)]
    if header != COLUMNS or bad:
        raise DataError(
            f"{path.as_posix()}: found the line {','.join(bad[0] if bad else header)!r}; expected three cells under "
            f"{','.join(COLUMNS)}. Keep the lines of both sides of a merge, or restore the file with git"
        )
    return {tuple(row) for row in rows}


def note(task: str, test: str, candidates: dict[str, str]) -> None:
    """Add the `candidates`, {model: content hash}, to those that were scored on the test set of fingerprint `test`."""
    rows = read(TaskPaths(task).test_looks) | {(test, model, candidate) for model, candidate in candidates.items()}
    with artifacts.writing_csv(TaskPaths(task).test_looks, COLUMNS) as write:
        for row in sorted(rows):
            write(dict(zip(COLUMNS, row, strict=True)))


def count(task: str, model: str, root: Path = Path()) -> int:
    """Return how many different candidates are known to have been scored on the test set of the model's test report.

    0 where there is none, or one from before looks were counted.
    """
    report = TaskPaths(task, root).test_report(model)
    test = artifacts.read_json(report).get("data_fingerprint") if report.exists() else None
    return len({candidate for known, _, candidate in read(TaskPaths(task, root).test_looks) if known == test})


def in_words(looks: int) -> str:
    """Return "at least 7 looks"."""
    return f"at least {looks} look{'' if looks == 1 else 's'}"
