"""Section of the page Predict: submit the sample with its correct class, with one click."""

from typing import TYPE_CHECKING

import streamlit as st

from app import access
from app.champions import Champion
from app.views.answer import plain

if TYPE_CHECKING:  # imports numpy, for which the first page does not wait
    from pipeline.prediction.answer import Item, Row


def offer(champion: Champion, item: "Item", data: "bytes | Row") -> None:
    """Draw a button for each class; a click submits the sample to today's batch."""
    if not access.may_write():
        return
    with st.expander("The correct class is ..."):
        st.caption(
            "Stores the sample for a later training on this machine; nothing is trained now. See the page Retrain."
        )
        with st.container(horizontal=True):
            for name in champion.info.classes:
                if st.button(plain(name), key=f"right {name}"):
                    submit(champion.task, item, data, name)


def submit(task: str, item: "Item", data: "bytes | Row", label: str) -> None:
    """Submit the sample and show the outcome."""
    from app.views import retrain

    if retrain.lacking():
        st.info(f"This app only predicts: {retrain.lacking()} is not installed here.")
        return
    from pipeline.retraining import intake

    outcome = retrain.collect(task, [intake.Offer(item["file"], data, label)], intake.new_batch())
    if isinstance(outcome, str):
        st.error(plain(outcome))
    elif outcome[0]["accepted"]:
        st.success(plain(f"Stored as {label} in the batch {intake.new_batch()}."))
    else:
        st.error(plain(f"Refused: {outcome[0]['reason']}"))
