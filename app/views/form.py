"""A form for one row of a table, drawn from what the bundle's schema says of each column."""

import csv
import io
import math
from typing import Any

import streamlit as st

from app.views.answer import plain

ACROSS = 2  # fields side by side


def row_form(schema: list[dict[str, Any]], task: str) -> dict[str, Any] | None:
    """Draw the form; return the row by column name once the button was pressed for it, else None.

    What is left empty is missing: None.
    """
    with st.form(f"row {task}", border=False):
        asked = st.form_submit_button("Predict", type="primary")  # above the fields, beside the answer
        row = {}
        for start in range(0, len(schema), ACROSS):  # a row of columns each, so that Tab goes as one reads
            for place, one in zip(st.columns(ACROSS), schema[start : start + ACROSS], strict=False):
                with place:
                    row[one["name"]] = field(one)
    if asked:
        st.session_state[f"asked {task}"] = row
    return row if st.session_state.get(f"asked {task}") == row else None


def beside_form(schema: list[dict[str, Any]], task: str) -> dict[str, Any]:
    """Draw the fields of what the model takes beside a picture; return the row by column name.

    They start empty: a value that nobody gave must not be taken for the patient's.
    """
    st.markdown("**Beside the picture**")
    row = {}
    for start in range(0, len(schema), ACROSS):
        for place, one in zip(st.columns(ACROSS), schema[start : start + ACROSS], strict=False):
            with place:
                row[one["name"]] = field(one | {"default": None}, key=f"beside {task} {one['name']}")
    empty = [name for name, value in row.items() if value is None]
    st.caption(
        "These go with every picture that is given." + (f" Not known: {plain(', '.join(empty))}." if empty else "")
    )
    return row


def field(one: dict[str, Any], key: str | None = None) -> Any:
    """Draw the input of one column of the schema, empty where it has no default; return its value."""
    label = plain(one["name"] + (f" ({one['unit']})" if "unit" in one else ""))
    options = one.get("choices") or one.get("values")
    if options:
        index = options.index(one["default"]) if one["default"] in options else len(options)
        return st.selectbox(label, [*options, None], index, or_unknown, key=key)
    if one["type"] == "choice" or one["min"] is None:
        return st.text_input(label, help="never given in training", key=key) or None
    span = one["max"] - one["min"]
    step = 10.0 ** math.floor(math.log10(span / 20)) if span > 0 else 1.0
    hint = f"In training: {one['min']:g} to {one['max']:g}. Leave it empty where it is not known."
    start = None if one["default"] is None else float(one["default"])
    return st.number_input(label, value=start, step=step, format="%g", help=hint, key=key)


def or_unknown(value: Any) -> str:
    """Return a choice in words."""
    return "unknown" if value is None else str(value)


def template(schema: list[dict[str, Any]]) -> str:
    """Return a CSV with the schema's columns and one row, the defaults."""
    out = io.StringIO()
    rows = [[one["name"] for one in schema], ["" if one["default"] is None else one["default"] for one in schema]]
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()
