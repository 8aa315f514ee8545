"""Section of the page Data: labels that contradict what other samples teach, to look at, and to correct in the ledger."""

from typing import Any

import pandas as pd
import streamlit as st

from app import access
from app.views import audit, written
from app.views.answer import percent, plain
from pipeline.core import params
from pipeline.core.errors import DataError
from pipeline.core.paths import TaskPaths
from pipeline.data import upload_ledger
from pipeline.data.folders.archives import folder_of
from pipeline.data.images.pixel_rule import rule_of
from pipeline.data.upload_ledger import Corrected
from pipeline.evaluation import suspect_labels

AT_ONCE = 12  # suspects on a page


def show(task: str) -> None:
    """Draw the section."""
    st.header("Suspect labels")
    winner = written.content(TaskPaths(task).selection, f"select_best@{task}")["winner"]
    rows = written.table(TaskPaths(task).suspects(winner), f"evaluate@{task}", text=True)
    split = written.table(TaskPaths(task).split, f"split@{task}", text=True)
    block = params.task(task)
    n, what = int((split["subset"] == "dev").sum()), "image" if block.kind == "image" else "row"
    st.write(plain(suspect_labels.in_words(rows, n, what)))
    if not len(rows):
        return
    st.caption("Look before correcting: the model may be what is wrong. The most suspect come first.")
    noted = upload_ledger.corrections(task)
    classes = sorted(set(split.loc[split["subset"] == "dev", "label"]))
    for row in rows[written.page_of(len(rows), AT_ONCE, "Suspects", f"suspects page of {task}")].to_dict("records"):
        with st.container(border=True, horizontal=what == "image"):
            if what == "image":
                with st.container(width=audit.TILE):
                    audit.tile(row["path"], row["path"], folder_of(block.raw), rule_of(block.read), audit.TILE)
            with st.container(width="stretch"):
                text = f"Labelled {row['label']} (probability {percent(float(row['probability']))})"
                named = "" if what == "image" else f"{row['path']}. "
                st.markdown(plain(f"{named}{text}, perhaps {row['instead']}"))
                offer(task, row, classes, noted.get(row["path"]))
    if noted:
        table = [{"Sample": line.path, "Label": line.label, "Corrected": line.corrected} for line in noted.values()]
        written.show(pd.DataFrame(table), "Corrections in the ledger")
        st.caption("Corrections are kept in the ledger; raw data are only read, so correct them where they are kept.")


def offer(task: str, row: dict[str, Any], classes: list[str], noted: Corrected | None) -> None:
    """Draw the choice of the correct label; a click notes it in the ledger."""
    if noted:
        st.caption(plain(f"In the ledger as {noted.corrected} since {noted.when}."))
    if not access.may_write():
        return
    chosen = st.selectbox("Correct label", classes, classes.index(row["instead"]), key=f"label of {task} {row['path']}")
    if st.button("Note in the ledger", key=f"note {task} {row['path']}"):
        try:
            with upload_ledger.locked(task):
                line = Corrected(path=row["path"], label=row["label"], corrected=chosen, who=access.who())
                upload_ledger.append(task, line)
            st.success(plain(f"Noted: {row['path']} is {chosen}."))
        except (DataError, OSError) as error:
            st.error(plain(str(error)))
