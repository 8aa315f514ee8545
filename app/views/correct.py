"""Below an answer on the page Predict: what the right one was, which makes a labelled sample of it with one click."""

from typing import Any

import streamlit as st

from app import access
from app.champions import Champion
from app.views.answer import plain


def offer(champion: Champion, item: dict[str, Any], data: bytes | dict[str, Any]) -> None:
    """Draw a button for each class; a click hands the sample in, to today's batch."""
    if not access.may_write():
        return
    with st.expander("The right answer was ..."):
        st.caption("Stored for a later training on this machine; nothing is trained now. See the page Retrain.")
        with st.container(horizontal=True):
            for name in champion.info.classes:
                if st.button(plain(name), key=f"right {name}"):
                    hand_in(champion.task, item, data, name)


def hand_in(task: str, item: dict[str, Any], data: bytes | dict[str, Any], label: str) -> None:
    """Hand the sample in and say what became of it."""
    from app.views import retrain

    if retrain.lacking():
        st.info(f"This app only answers: {retrain.lacking()} is not installed here.")
        return
    from pipeline.retraining import intake

    found = retrain.taken(task, [intake.Offer(item["file"], data, label)], intake.new_batch())
    if isinstance(found, str):
        st.error(plain(found))
    elif found[0]["accepted"]:
        st.success(plain(f"Stored as {label} in the batch {intake.new_batch()}."))
    else:
        st.error(plain(f"Refused: {found[0]['reason']}"))
