"""Forms for one row of a table or for clinical columns, drawn from the bundle's schema."""

import csv
import io
import math
from typing import TYPE_CHECKING, Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.views.answer import plain
from pipeline.data.tabular.formats import Field

if TYPE_CHECKING:  # imports numpy, for which the first page does not wait
    from pipeline.prediction.answer import Row

ACROSS = 2  # fields side by side


def row_form(schema: list[Field], task: str, area: DeltaGenerator) -> "Row | None":
    """Draw the form; return the row by column name after the button was pressed for it, otherwise None.

    What is missing is said in `area`, next to the button, which a long form has far above its end.

    An empty field is None (missing). Where training saw no missing value, one is asked for before anything is predicted.
    """
    with st.form(f"row {task}", border=False):
        asked = st.form_submit_button("Predict", type="primary")  # above the fields, next to the prediction
        row = {}
        for start in range(0, len(schema), ACROSS):  # row by row, so that Tab follows the reading order
            for area, column in zip(st.columns(ACROSS), schema[start : start + ACROSS], strict=False):
                with area:
                    row[column.name] = field(column)
    empty = [column.name for column in schema if column.is_required and row[column.name] is None]
    if asked and empty:
        area.warning(f"Fill in {plain(', '.join(empty))}: every training row had a value there.")
    elif asked:
        st.session_state[f"asked {task}"] = row
    return row if st.session_state.get(f"asked {task}") == row else None


def clinical_form(schema: list[Field], task: str) -> "Row":
    """Draw the fields of the clinical columns; return the row by column name."""
    st.markdown("**Clinical columns**")
    row = {}
    for start in range(0, len(schema), ACROSS):
        for area, column in zip(st.columns(ACROSS), schema[start : start + ACROSS], strict=False):
            with area:
                row[column.name] = field(column, key=f"clinical {task} {column.name}")
    empty = [name for name, value in row.items() if value is None]
    st.caption("These values apply to every image." + (f" Unknown: {plain(', '.join(empty))}." if empty else ""))
    return row


def field(column: Field, key: str | None = None) -> Any:
    """Draw the input of one column of the schema; return its value.

    It starts empty, with what is usual as a placeholder: a default must not be mistaken for the patient's value.
    """
    label = plain(column.name + (f" ({column.unit})" if column.unit else ""))
    options: list[Any] = column.choices or column.values or []
    if options:
        unknown = [] if column.is_required else [None]
        return st.selectbox(label, [*options, *unknown], None, or_unknown, key=key, placeholder=usual(column))
    if column.min is None or column.max is None:
        return st.text_input(label, help="always missing in training", key=key) or None
    span = column.max - column.min
    step = 10.0 ** math.floor(math.log10(span / 20)) if span > 0 else 1.0
    hint = f"In training: {column.min:g} to {column.max:g}." + " Leave it empty if unknown." * (not column.is_required)
    return st.number_input(label, value=None, step=step, format="%g", help=hint, key=key, placeholder=usual(column))


def usual(column: Field) -> str:
    """Return the usual value of a column in words, for a field that is empty."""
    if isinstance(column.default, str) or column.default is None:
        return f"most often {column.default}" if column.default else "unknown"
    return f"median {column.default:g}"


def or_unknown(value: Any) -> str:
    """Return a choice as text, None as "unknown"."""
    return "unknown" if value is None else str(value)


def template(schema: list[Field]) -> str:
    """Return the header line of a CSV with the schema's columns: values are the user's to give."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow([column.name for column in schema])
    return out.getvalue()
