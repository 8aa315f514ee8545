"""The data section of a report: samples and classes, the findings of the audit, the subset of every sample."""

from typing import Any

import pandas as pd

from pipeline.data import wording
from pipeline.data.tables import is_number
from pipeline.duplicates import summary
from pipeline.reporting.results import Study

MOST_COLUMNS = 40  # described one by one
MOST_VALUES = 6  # of a column of words; rarer ones are counted together


def flow(study: Study) -> list[dict[str, Any]]:
    """Return the steps from the raw files to the test set: title, number of samples and a note."""
    split, what = study.split, study.what
    left_out = split[split["subset"] == "excluded"]
    steps = [
        {
            "title": f"{what}s found",
            "n": len(study.samples),
            "note": f"{len(study.audit.skipped)} other files skipped",
        },
        {"title": "left out", "n": len(left_out), "note": "; ".join(f"{r['why']}: {r['n']}" for r in reasons(study))},
    ]
    for title, subset in (("development", "dev"), ("test", "test")):
        part = split[split["subset"] == subset]
        note = wording.some([f"{name} {int((part['label'] == name).sum())}" for name in study.classes])
        steps.append({"title": title, "n": len(part), "note": note})
    return steps


def classes(study: Study) -> list[dict[str, Any]]:
    """Return of each class how many samples and groups there are in development and test, and how many are left out."""
    rows = []
    for name in study.classes:
        of_class = study.split[study.split["label"] == name]
        row: dict[str, Any] = {"name": name, "positive": name == study.dev.positive}
        for subset in ("dev", "test", "excluded"):
            part = of_class[of_class["subset"] == subset]
            row[subset], row[f"{subset}_groups"] = len(part), part["group"].nunique()
        rows.append(row)
    return rows


def reasons(study: Study) -> list[dict[str, Any]]:
    """Return the reasons for which samples are left out, with counts, without naming any sample."""
    left_out = study.split[study.split["subset"] == "excluded"]
    counts = left_out["reason"].str.split(":").str[0].value_counts().sort_index()
    return [{"why": why, "n": int(n)} for why, n in counts.items()]


def unreadable(study: Study) -> list[dict[str, Any]]:
    """Return the reasons for which files cannot be read, with counts, without their names."""
    counts = pd.Series([file.reason for file in study.audit.unreadable], dtype=str).value_counts().sort_index()
    return [{"why": why, "n": int(n)} for why, n in counts.items()]


def sizes(study: Study) -> str:
    """Return the images' sizes in words; empty for a table."""
    good = study.samples[study.samples["error"] == ""]
    pairs = zip(good["width"], good["height"], strict=True)
    return wording.sizes([(int(w), int(h)) for w, h in pairs]) if study.task.kind == "image" else ""


def columns(study: Study) -> list[dict[str, Any]]:
    """Return how each column is distributed in development and in the test set, of the first MOST_COLUMNS."""
    subset = dict(zip(study.split["path"], study.split["subset"], strict=True))
    where = study.samples["path"].map(subset)
    rows = []
    for name in list(study.columns)[:MOST_COLUMNS]:
        column = study.columns[name]
        say = numbers if is_number(column) else words
        rows.append({"name": name} | {part: say(column[where == part]) for part in ("dev", "test")})
    return rows


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


def audit(study: Study) -> dict[str, Any]:
    """Return the findings of the audit, in lines; `story` describes a leaking shipped split."""
    findings = study.audit
    shipped = study.samples.loc[study.samples["shipped"] == "test", "shipped"]
    story = ""
    if findings.leaks:
        story = (
            f"As shipped, {findings.n_leaked} of {len(shipped)} test {study.what}s also show up outside the test set, "
            "so a score on it would partly measure recognition. Here all copies are kept in one subset, or left out."
        ) + both_ways(study)
    return {
        "lines": summary.summary(findings, study.what, done=True),
        "story": story,
        "n_pairs": len(findings.pairs),
        "confounders": findings.confounders,
    }


def both_ways(study: Study) -> str:
    """Return the champion's accuracy when trained with and without the leak, in a sentence; "" where it was not measured."""
    report = study.test[study.winner]
    published = report.get("as_published")
    if not published:
        return ""

    def accuracy_of(side: dict[str, Any]) -> str:
        low, high = side["ci"]["accuracy"]
        return f"accuracy {side['accuracy']:.3f} [{low:.3f}, {high:.3f}]"

    return (
        f" Trained on the data as published, {study.winner} has {accuracy_of(published)} ({published['n_leaked']} of "
        f"{report['counts']['n']} test {study.what}s are in train); trained without what leaks: {accuracy_of(report)}."
    )


def division(study: Study) -> str:
    """Return in a sentence how the test set was chosen."""
    rule = study.task.split
    if rule.by == "shipped":
        return "The test set is the one that the data set ships with, without what is left out."
    return (
        f"The test set is drawn by a hash of each group's name: about {rule.test_fraction:.0%} of the groups, and adding "
        "samples never moves existing ones."
    )
