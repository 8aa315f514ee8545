"""The page Data: samples by class and split, their distributions, excluded samples, audit findings."""

import pandas as pd
import streamlit as st

from app.views import audit, charts, distributions, gallery, suspects, written
from app.views.written import part
from pipeline.core import params
from pipeline.core.paths import TaskPaths

AT_ONCE = 20  # excluded samples or ignored files on a page


def show(task: str) -> None:
    """Draw the page."""
    st.title("Data")
    part(counts, task)
    part(audit.show, task)
    part(lambda: gallery.show(task, split_of(task)))
    part(samples, task)
    part(left_out, task)
    part(suspects.show, task)


def split_of(task: str) -> pd.DataFrame:
    """Return split.csv with a column `part`: fold 0, ..., test, excluded."""
    table = written.table(TaskPaths(task).split, f"split@{task}", text=True)
    return table.assign(part=table["subset"].where(table["subset"] != "dev", "fold " + table["fold"]))


def count(split: pd.DataFrame) -> pd.DataFrame:
    """Return samples by part of the split (rows) and class (columns), with All at the end; folds first, excluded last."""
    table = pd.crosstab(split["part"], split["label"])
    folds = sorted(
        (name for name in table.index if name not in ("test", "excluded")), key=lambda name: (len(name), name)
    )
    table = table.reindex([*folds, *(name for name in ("test", "excluded") if name in table.index)])
    development = pd.DataFrame({"development": table.loc[folds].sum()}).T
    table = pd.concat([table.loc[folds], development, table.drop(index=folds)])
    return table.assign(All=table.sum(axis=1))


def counts(task: str) -> None:
    """Draw the samples by class and part of the split."""
    st.header("Samples by class and split")
    split = split_of(task)
    table = count(split)
    for column, name in zip(st.columns(4), ("development", "test", "excluded"), strict=False):
        column.metric(name.capitalize(), f"{int(table['All'].get(name, 0)):,}")
    classes = [name for name in table if name != "All"]
    parts = table.drop(index="development")[classes]
    long = parts.rename_axis("part").reset_index().melt("part", var_name="name", value_name="n")
    long["turn"] = long["name"].map(classes.index)
    alt_text = "; ".join(f"{name}: " + ", ".join(f"{row[c]} {c}" for c in classes) for name, row in table.iterrows())
    charts.draw(charts.stacked(long, classes), f"Samples by class: {alt_text}", 110 + 30 * len(parts))
    written.show(table.rename_axis("Part").reset_index(), f"Samples of {task} by class and part of the split")
    st.caption(
        "Each fold of the development samples is held out once. The test set is evaluated after the champion was selected."
    )


def samples(task: str) -> None:
    """Draw the distributions of all samples, the development set or the test set."""
    st.header("Distributions")
    kind = params.task(task).kind
    chosen = st.radio("Samples", ["all", "development", "test"], horizontal=True, key=f"samples of {task}")
    if chosen == "all":
        paths = None
    else:
        split = split_of(task)
        paths = set(split.loc[split["subset"] == {"development": "dev"}.get(chosen, chosen), "path"])
    if kind == "image":
        part(distributions.images, task, paths)
        part(distributions.intensity, task)
    part(distributions.columns, task, kind, paths)


def left_out(task: str) -> None:
    """List excluded samples and ignored files with the reasons."""
    st.header("Excluded samples and ignored files")
    split = split_of(task)
    excluded = split.loc[split["subset"] == "excluded", ["path", "label", "reason"]]
    skipped = written.table(TaskPaths(task).skipped, f"scan@{task}", text=True)
    listed(excluded, "Excluded samples", f"excluded of {task}")
    listed(skipped, "Ignored files", f"ignored of {task}")


def listed(table: pd.DataFrame, what: str, key: str) -> None:
    """Draw samples or files with their whole reasons, page by page."""
    if not len(table):
        st.write(f"{what}: none.")
    else:
        rows = table.iloc[written.page_of(len(table), AT_ONCE, what, key)]
        written.show(rows.rename(columns=str.capitalize), f"{what} and their reasons")
