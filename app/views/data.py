"""The page Data."""

import streamlit as st


def show(task: str) -> None:
    """Draw the page."""
    st.title("Data")
