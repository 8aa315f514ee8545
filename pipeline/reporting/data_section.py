"""What a report says of the data: which there are, what the audit found, where every sample went."""

from typing import Any

import pandas as pd

from pipeline.data import wording
from pipeline.data.tables import is_number
from pipeline.duplicates import summary
from pipeline.reporting.results import Study

MOST_COLUMNS = 40  # described one by one
MOST_VALUES = 6  # of a column of words; rarer ones are counted together


def flow(study: Study) -> list[dict[str, Any]]:
    """Return the way of the samples from the raw files to the test set: title, n and what is to be said of each step."""
    split, what = study.split, study.what
    left_out = split[split["subset"] == "excluded"]
    steps = [
        {
            "title": f"{what}s found",
            "n": len(study.samples),
            "said": f"{len(study.audit.skipped)} other files passed over",
        },
        {"title": "left out", "n": len(left_out), "said": "; ".join(f"{r['why']}: {r['n']}" for r in reasons(study))},
    ]
    for title, subset in (("development", "dev"), ("test", "test")):
        part = split[split["subset"] == subset]
        said = wording.some([f"{name} {int((part['label'] == name).sum())}" for name in study.classes])
        steps.append({"title": title, "n": len(part), "said": said})
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
    """Return why samples are left out, and how many for each reason, without naming any of them."""
    left_out = study.split[study.split["subset"] == "excluded"]
    counts = left_out["reason"].str.split(":").str[0].value_counts().sort_index()
    return [{"why": why, "n": int(n)} for why, n in counts.items()]


def unreadable(study: Study) -> list[dict[str, Any]]:
    """Return why files cannot be read, without their names, and how many for each reason."""
    counts = pd.Series([file.reason for file in study.audit.unreadable], dtype=str).value_counts().sort_index()
    return [{"why": why, "n": int(n)} for why, n in counts.items()]


def sizes(study: Study) -> str:
    """Return the pictures' sizes in words; empty for a table."""
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
    known = values.dropna()
    if not len(known):
        return "all missing"
    low, middle, high = known.quantile([0.25, 0.5, 0.75])
    missing = len(values) - len(known)
    return f"{middle:.4g} ({low:.4g} to {high:.4g})" + (f", {missing} missing" if missing else "")


def words(values: pd.Series) -> str:
    """Return the commonest values with their shares."""
    counts = (
        values.replace("", "missing").value_counts(sort=False).sort_index().sort_values(ascending=False, kind="stable")
    )
    said = [f"{value} {n / len(values):.0%}" for value, n in counts.items()]
    return wording.some(said, MOST_VALUES)


def audit(study: Study) -> dict[str, Any]:
    """Return what the audit found, in lines; `story` is of a shipped split that leaks."""
    found = study.audit
    shipped = study.samples.loc[study.samples["shipped"] == "test", "shipped"]
    story = ""
    if found.leaks:
        story = (
            f"As shipped, {found.n_leaked} of {len(shipped)} test {study.what}s show what stands outside of the test set, "
            "too: a score on it would be that of recognising them. Here every such set stays on one side, or is left out."
        ) + both_ways(study)
    return {
        "lines": summary.summary(found, study.what, done=True),
        "story": story,
        "n_pairs": len(found.pairs),
        "confounders": found.confounders,
    }


def both_ways(study: Study) -> str:
    """Return in a sentence what the leak would have made of the champion, trained both ways; "" where that was not done."""
    report = study.test[study.winner]
    published = report.get("as_published")
    if not published:
        return ""

    def said(side: dict[str, Any]) -> str:
        low, high = side["ci"]["accuracy"]
        return f"accuracy {side['accuracy']:.3f} [{low:.3f}, {high:.3f}]"

    return (
        f" Trained on the data as published, {study.winner} has {said(published)} ({published['n_leaked']} of "
        f"{report['counts']['n']} test {study.what}s are in train); trained without what leaks: {said(report)}."
    )


def division(study: Study) -> str:
    """Return in a sentence how the test set was divided off."""
    rule = study.task.split
    if rule.by == "shipped":
        return "The test set is the one that the data ship with, less what is left out."
    return (
        f"The test set is drawn by a hash of each group's name: about {rule.test_fraction:.0%} of the groups, and adding "
        "samples never moves the old ones."
    )
