"""The page Predict."""

import streamlit as st

from app import champions
from pipeline.stage import BundleError


def show(task: str) -> None:
    """Draw the page."""
    st.title("Predict")
    try:
        champion, note = champions.champion(task)
    except BundleError as error:
        st.error(str(error))
        return
    if note:
        st.warning(note)
    st.write(champion.id)
