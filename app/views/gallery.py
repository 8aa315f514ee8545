"""Section of the page Data: the samples themselves, by class, part of the split and finding of the audit."""

import pandas as pd
import streamlit as st

from app.views import audit, written
from pipeline.core import artifacts, params
from pipeline.core.paths import TaskPaths
from pipeline.data.audit_result import AuditResult
from pipeline.data.folders.archives import folder_of
from pipeline.data.images.pixel_rule import rule_of

AT_ONCE = 24  # samples on a page
NOTHING, SUSPECT = "nothing found", "suspect label"
EVERY = "all"


def show(task: str, split: pd.DataFrame) -> None:
    """Draw filters and samples. `split`: split.csv with a column `part` (fold 0, ..., test, excluded)."""
    st.header("Samples one by one")
    table = split.assign(finding=split["path"].map(findings(task)).fillna(NOTHING))
    columns = st.columns(3)
    chosen = table
    for column, (title, name) in zip(
        columns, (("Class", "label"), ("Split", "part"), ("Finding", "finding")), strict=True
    ):
        with column:
            chosen = filtered(chosen, table, title, name, task)
    if not len(chosen):
        st.write("No sample has all of these.")
        return
    n = len(chosen)
    rows = chosen.iloc[written.page_of(n, AT_ONCE, "Samples", f"samples page of {task} {n}")]
    block = params.task(task)
    if block.kind == "image":
        captions = [
            " · ".join(filter(None, [row.path, row.label, row.part, row.finding.replace(NOTHING, "")]))
            for row in rows.itertuples()
        ]
        audit.tiles(rows["path"].tolist(), captions, folder_of(block.raw), rule_of(block.read))
    else:
        shown = {"Row": rows["path"], "Class": rows["label"], "Split": rows["part"], "Finding": rows["finding"]}
        written.show(pd.DataFrame(shown), "Rows by class, split and finding")


def filtered(chosen: pd.DataFrame, table: pd.DataFrame, title: str, name: str, task: str) -> pd.DataFrame:
    """Draw the choice of a value of the column `name`; return the rows of `chosen` that have it."""
    counts = table[name].value_counts()
    options = [EVERY, *sorted(counts.index, key=lambda value: (value == NOTHING, value))]
    if name == "part" and any(value.startswith("fold ") for value in options):
        options.insert(1, "development")

    def described(value: str) -> str:
        """Return a value with its count; none where several values share it."""
        return f"{value} ({counts[value]:,})" if value in counts else value

    value = st.selectbox(title, options, format_func=described, key=f"{name} of {task}")
    if value == "development":
        return chosen[chosen["part"].str.startswith("fold ")]
    return chosen if value == EVERY else chosen[chosen[name] == value]


def findings(task: str) -> dict[str, str]:
    """Return what was found of each sample that anything was found of; the one that matters most."""
    result = artifacts.from_json(AuditResult, written.content(TaskPaths(task).audit, f"audit@{task}"))
    finding_of = dict.fromkeys(suspects(task), SUSPECT)
    finding_of |= dict.fromkeys(result.unjudged, "nearly empty")
    finding_of |= {misfit.path: "other values than the rest" for misfit in result.misfits or []}
    for name, sets in (
        ("found twice", result.groups),
        ("two labels", result.label_conflicts),
        ("across the shipped split", result.leaks),
    ):
        finding_of |= {path: name for paths in sets for path in paths}
    return finding_of | {file.path: "unreadable" for file in result.unreadable}


def suspects(task: str) -> list[str]:
    """Return the paths of samples whose label the champion holds to be suspect; none before there is one."""
    selection = TaskPaths(task).selection
    if not selection.exists():
        return []
    winner = written.content(selection, f"select_best@{task}")["winner"]
    path = TaskPaths(task).suspects(winner)
    return written.table(path, f"evaluate@{task}", text=True)["path"].tolist() if path.exists() else []
