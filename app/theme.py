"""Colours of the theme that the reader's browser shows, with a contrast of at least 4.5:1 for text and 3:1 for marks.

The backgrounds are those of .streamlit/config.toml.
"""

import streamlit as st

BACKGROUNDS = {"light": "#FFFFFF", "dark": "#12181F"}
MUTED = {"light": "#566370", "dark": "#A9B4BF"}  # captions, axes and legends
ON_PRIMARY = {"light": "#FFFFFF", "dark": "#12181F"}  # the text of buttons in the primary colour
# Visible on both backgrounds. The first four are Okabe and Ito's, which colour-blind readers can distinguish.
MARKS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#A87400", "#8064B8", "#888888"]


def current() -> str:
    """Return the theme of this page, light or dark."""
    return st.context.theme.type or "light"


def style() -> str:
    """Return the rules that Streamlit's own options do not reach."""
    muted, on_primary = MUTED[current()], ON_PRIMARY[current()]
    return f"""
[data-testid="stCaptionContainer"], [data-testid="stImageCaption"] {{opacity: 1}}
[data-testid="stCaptionContainer"] p, [data-testid="stImageCaption"] p {{color: {muted}}}
[data-testid^="stBaseButton-primary"] p {{color: {on_primary}}}
"""
