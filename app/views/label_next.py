"""Section of the page Retrain: which of some unlabelled images to label next."""

import pandas as pd
import streamlit as st

from app import champions, limits
from app.views import written
from app.views.answer import percent, plain
from pipeline.core import params
from pipeline.core.errors import AssayError

MOST = 20


def show(task: str) -> None:
    """Draw the form and what it chooses; nothing for tables and models that take clinical columns."""
    try:
        champion, _ = champions.champion(task)
    except AssayError:
        return
    if params.task(task).kind != "image" or champion.info.clinical_columns:
        return
    st.subheader("What to label next", anchor=False)
    given = st.file_uploader(
        f"Images without a label; up to {limits.PAGE_FILES} at once. For a folder: assay next {task} FOLDER",
        accept_multiple_files=True,
        max_upload_size=limits.FILE_BYTES // limits.MB,
        key=f"unlabelled {task}",
    )
    if not given:
        return
    from pipeline.retraining import label_next

    predictor = champion.load()
    predictions = [predictor.predict_with_ood(file.getvalue(), file.name) for file in given[: limits.PAGE_FILES]]
    rows = label_next.choose(predictions, MOST)
    if not rows:
        st.info("The champion refuses all of these images.")
        return
    shown = {
        "Image": [row.file for row in rows],
        "Answer": [row.answer for row in rows],
        "Probability": [percent(row.probability) for row in rows],
    }
    written.show(pd.DataFrame(shown), "Images to label next, the most useful first")
    st.caption(
        plain("Chosen are images that the champion is least sure of, no two alike. They are not counted on Monitor.")
    )
    st.download_button("CSV", label_next.as_csv(rows), "label_next.csv", "text/csv")
