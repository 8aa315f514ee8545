"""The data section of a report: samples and classes, the findings of the audit, the subset of every sample."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from pipeline.core.read_params import ReadParams
from pipeline.data import wording
from pipeline.data.tables import is_number
from pipeline.duplicates import summary
from pipeline.evaluation.report import Scores
from pipeline.reporting.results import Study

MOST_COLUMNS = 40  # described one by one
MOST_VALUES = 6  # of a column of words; rarer ones are counted together


@dataclass(frozen=True)
class Step:
    """A step from the raw files to the test set, with `n` samples."""

    title: str
    n: int
    note: str


@dataclass(frozen=True)
class ClassRow:
    """How many samples of a class are in each subset, and in how many groups."""

    name: str
    dev: int
    dev_groups: int
    test: int
    test_groups: int
    excluded: int


@dataclass(frozen=True)
class ColumnRow:
    """The distribution of a column in the development and in the test set, in words."""

    name: str
    dev: str
    test: str


@dataclass(frozen=True)
class Audit:
    """The findings of the audit, in lines; `story` describes a leaking shipped split, "" without one."""

    lines: list[str]
    story: str
    n_pairs: int


def flow(study: Study) -> list[Step]:
    """Return the steps from the raw files to the test set."""
    split, what = study.split, study.what
    left_out = split[split["subset"] == "excluded"]
    steps = [
        Step(f"{what}s found", len(study.samples), f"{len(study.audit.skipped)} other files skipped"),
        Step("left out", len(left_out), "; ".join(f"{reason}: {n}" for reason, n in reasons(study).items())),
    ]
    for title, subset in (("development", "dev"), ("test", "test")):
        part = split[split["subset"] == subset]
        note = wording.some([f"{name} {int((part['label'] == name).sum())}" for name in study.classes])
        steps.append(Step(title, len(part), note))
    return steps


def classes(study: Study) -> Iterator[ClassRow]:
    """Yield a row per class."""
    for name in study.classes:
        of_class = study.split[study.split["label"] == name]
        dev, test, excluded = (of_class[of_class["subset"] == subset] for subset in ("dev", "test", "excluded"))
        yield ClassRow(name, len(dev), dev["group"].nunique(), len(test), test["group"].nunique(), len(excluded))


def reasons(study: Study) -> dict[str, int]:
    """Return the reasons for which samples are left out, with counts, without naming any sample."""
    left_out = study.split[study.split["subset"] == "excluded"]
    return dict(sorted(Counter(reason.split(":")[0] for reason in left_out["reason"]).items()))


def unreadable(study: Study) -> dict[str, int]:
    """Return the reasons for which files cannot be read, with counts, without their names."""
    return dict(sorted(Counter(file.reason for file in study.audit.unreadable).items()))


def sizes(study: Study) -> str:
    """Return the images' sizes in words; empty for a table."""
    good = study.samples[study.samples["error"] == ""]
    pairs = zip(good["width"], good["height"], strict=True)
    return wording.sizes([(int(w), int(h)) for w, h in pairs]) if study.task.kind == "image" else ""


def columns(study: Study) -> Iterator[ColumnRow]:
    """Yield a row for each of the first MOST_COLUMNS columns."""
    subset = study.samples["path"].map(dict(zip(study.split["path"], study.split["subset"], strict=True)))
    for name in list(study.columns)[:MOST_COLUMNS]:
        column = study.columns[name]
        describe = numbers if is_number(column) else words
        yield ColumnRow(name, describe(column[subset == "dev"]), describe(column[subset == "test"]))


def numbers(values: pd.Series) -> str:
    """Return median, quartiles and the number of missing values."""
    present = values.dropna()
    if not len(present):
        return "all missing"
    low, middle, high = present.quantile([0.25, 0.5, 0.75])
    missing = len(values) - len(present)
    return f"{middle:.4g} ({low:.4g} to {high:.4g})" + (f", {missing} missing" if missing else "")


def words(values: pd.Series) -> str:
    """Return the commonest values with their shares."""
    counts = (
        values.replace("", "missing").value_counts(sort=False).sort_index().sort_values(ascending=False, kind="stable")
    )
    shares = [f"{value} {n / len(values):.0%}" for value, n in counts.items()]
    return wording.some(shares, MOST_VALUES)


def audit(study: Study) -> Audit:
    """Return the findings of the audit."""
    findings = study.audit
    shipped = study.samples.loc[study.samples["shipped"] == "test", "shipped"]
    story = ""
    if findings.leaks:
        story = (
            f"As shipped, {findings.n_leaked} of {len(shipped)} test {study.what}s also show up outside the test set, "
            "so a score on it would partly measure recognition. Here all copies are in one subset, or left out."
        ) + both_ways(study)
    return Audit(summary.summary(findings, study.what, done=True), story, len(findings.pairs))


def both_ways(study: Study) -> str:
    """Return the champion's accuracy when trained with and without the leak, in a sentence; "" where it was not measured."""
    published = study.test.as_published
    if not published:
        return ""

    def accuracy_of(scores: Scores) -> str:
        low, high = scores.ci["accuracy"]
        return f"accuracy {scores['accuracy']:.3f} [{low:.3f}, {high:.3f}]"

    return (
        f" Trained on the data as published, {study.winner} has {accuracy_of(published)} ({published.n_leaked} of "
        f"{study.test.counts.n} test {study.what}s are in train); trained without the leaks: {accuracy_of(study.test)}."
    )


def has_groups(read: ReadParams) -> bool:
    """Return whether params.yaml says which samples belong to one patient."""
    return bool(read.group or read.group_from or read.dicom_group)


def grouping(study: Study) -> str:
    """Return what a group is, as a sentence."""
    read, copies = study.task.read, "and their copies as found by the audit"
    if read.group_from:
        where = f"column {read.group!r}" if read.group else "path"
        return f"A group is all {study.what}s with the same part of the {where} by {read.group_from!r}, {copies}."
    if read.group or read.dicom_group:
        kind = " and ".join(map(repr, read.group_columns)) or f"{read.dicom_group} of DICOM"
        return f"A group is all {study.what}s with the same {kind}, {copies}."
    return f"No column names groups; a group is one {study.what} with its copies."


def division(study: Study) -> str:
    """Return in a sentence how the test set was chosen."""
    rule = study.task.split
    if rule.by == "shipped":
        return "The test set is the one that the data set ships with, without what is left out."
    if rule.by == "time":
        return f"The test set is the newest groups by {rule.time_column!r}, about {rule.test_fraction:.0%} of all."
    return (
        f"The test set is drawn by a hash of each group's name: about {rule.test_fraction:.0%} of the groups, and adding "
        "samples never moves existing ones."
    )
