"""Section of the page Compare: the wrong decisions of a model out of fold, as images or rows."""

import pandas as pd
import streamlit as st

from app.views import audit, written
from app.views.answer import percent, plain
from pipeline.core import params
from pipeline.core.paths import TaskPaths
from pipeline.data.folders.archives import folder_of
from pipeline.data.images.pixel_rule import rule_of

AT_ONCE = 12


def show(task: str, model: str) -> None:
    """Draw the choice of the kind of mistake and the samples, the most confident mistakes first."""
    st.subheader("Mistakes, out of fold")
    oof = TaskPaths(task).oof(model)
    table = of_model(task, model, oof.stat().st_mtime_ns if oof.exists() else 0)
    kinds = (table["label"] + " taken for " + table["decided"]).value_counts()
    if not len(table):
        st.write("No development sample was misclassified.")
        return
    every = f"all ({len(table)})"
    options = {every: table} | {
        f"{kind} ({n})": table[table["label"] + " taken for " + table["decided"] == kind] for kind, n in kinds.items()
    }
    chosen = st.radio("Kind of mistake", list(options), horizontal=True, key=f"mistakes of {task} {model}")
    rows = options[chosen].head(AT_ONCE)
    block = params.task(task)
    captions = [
        f"{row.path}: {row.label}, taken for {row.decided} ({percent(row.probability)})" for row in rows.itertuples()
    ]
    if block.kind == "image":
        audit.tiles(rows["path"].tolist(), captions, folder_of(block.raw), rule_of(block.read))
    else:
        shown = {
            "Row": rows["path"],
            "Actual": rows["label"],
            "Taken for": rows["decided"],
            "Probability": rows["probability"].map(percent),
        }
        written.show(pd.DataFrame(shown), "The most confident mistakes")
    st.caption(
        plain(
            f"The {len(rows)} most confident of {len(options[chosen])}. Look for wrong labels and for what they have in common. "
            "Those of the test set are not shown: a model that is changed after looking at them would be tested no more."
        )
    )


@st.cache_data(max_entries=16, show_spinner=False)
def of_model(task: str, model: str, changed: int) -> pd.DataFrame:
    """Return `pipeline.evaluation.mistakes.of_model`, cached until the predictions change."""
    from pipeline.evaluation import mistakes

    return mistakes.of_model(task, model)
