"""Count how often a test set has been evaluated: `holdout` adds each candidate to `reports/<task>/test_looks.csv`, kept by git.

The best of many candidates on one test set has a figure that is too good; the count lets a reader allow for that (Dwork et al.
2015, "The reusable holdout"). The file is a set: a row per test set and candidate, sorted, without a date, so that a second run
adds nothing and two clones write the same bytes. Rows are added to those of before, hence `persist` in dvc.yaml. Evaluations
elsewhere, or before the file was deleted, are not counted; hence "or more".
"""

import csv
import json
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.core import artifacts
from pipeline.core.errors import DataError
from pipeline.core.paths import TaskPaths
from pipeline.evaluation.report import Report
from pipeline.training.candidate import Candidate

if TYPE_CHECKING:  # it brings numpy, for which the first page of the app does not wait
    from pipeline.prediction.decision_rule import DecisionRule

COLUMNS = ["test", "model", "candidate"]
DETERMINING = ("estimator", "features", "hyperparameters", "data_fingerprint", "classes")  # of candidate.json
FIGURES = ("log_loss", "roc_auc")
COARSE = 3  # digits, which a last bit does not move in practice


@dataclass(frozen=True)
class CandidateId:
    """A candidate's id in test_looks.csv: `hash` by `content_hash`, `former` by `former_hash`."""

    hash: str
    former: str = ""


def identify(candidate: Candidate, rule: "DecisionRule", report: Report) -> CandidateId:
    """Return the id of a candidate with its decision rule and its out-of-fold report, all as read from disk."""
    return CandidateId(content_hash(candidate, rule, report), former_hash(candidate, rule))


def content_hash(candidate: Candidate, rule: "DecisionRule", report: Report) -> str:
    """Return 16 hex digits of the content of a candidate: its parameters, its data and rounded figures.

    The bytes of the model do not count, because their last bits depend on the processor; nor do names and versions of
    libraries. Training that changed under the same parameters shows in the out-of-fold figures, at three digits.
    """
    content = {key: getattr(candidate, key) for key in DETERMINING} | {
        "tuned": candidate.tuned.chosen if candidate.tuned else None,
        "calibration": rule.calibration.method,
        "chosen_for": rule.chosen_for,
        "threshold": round(rule.threshold, COARSE),
        **({"pooling": rule.pooling} if rule.unit != "sample" else {}),
        "out_of_fold": [None if math.isnan(report[name]) else round(report[name], COARSE) for name in FIGURES],
    }
    return _digits(content)


def former_hash(candidate: Candidate, rule: "DecisionRule") -> str:
    """Return the hash by which older versions named a candidate: of the bytes of its files and the decision rule."""
    files = {name: digest for name, digest in candidate.files.items() if not name.endswith(".npz")}
    return _digits([files, candidate.features, replace(rule, refusal=math.inf, pooling="", unit="sample").to_json()])


def _digits(content: Any) -> str:
    return artifacts.sha256(json.dumps(content, sort_keys=True).encode())[:16]


def read(path: Path) -> set[tuple[str, ...]]:
    """Return the rows of the file, as (test, model, candidate); none where there is no file.

    Raises DataError where it is not what `note` wrote, as after a merge with conflicts: an evaluation must not get lost.
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


def note(task: str, test: str, candidates: dict[str, CandidateId]) -> None:
    """Add the `candidates`, by model, to those that were scored on the test set of fingerprint `test`.

    A row with a candidate's former hash gets the present one. A candidate that is there under another model's name is not
    added again.
    """
    renamed = {candidate.former: candidate.hash for candidate in candidates.values()}
    path = TaskPaths(task).test_set_evaluations
    rows = {(of, model, renamed.get(key, key) if of == test else key) for of, model, key in read(path)}
    for model, candidate in sorted(candidates.items()):
        if (test, candidate.hash) not in {(of, key) for of, _, key in rows}:
            rows.add((test, model, candidate.hash))
    with artifacts.writing_csv(path, COLUMNS) as write:
        for row in sorted(rows):
            write(dict(zip(COLUMNS, row, strict=True)))


def count(task: str, model: str, root: Path = Path()) -> int:
    """Return how many different candidates have been scored on the test set of the model's test report.

    0 where there is none, or one from before evaluations were counted.
    """
    report = TaskPaths(task, root).test_report(model)
    test = artifacts.read_json(report).get("data_fingerprint") if report.exists() else None
    rows = read(TaskPaths(task, root).test_set_evaluations)
    return len({candidate for fingerprint, _, candidate in rows if fingerprint == test})


def in_words(n: int) -> str:
    """Return "test set evaluated 7 times or more"."""
    return f"test set evaluated {'once' if n == 1 else f'{n} times'} or more"
