"""The page Compare."""

import streamlit as st


def show(task: str) -> None:
    """Draw the page."""
    st.title("Compare")
