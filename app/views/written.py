"""Read files that stages wrote, cached until they change, and show a message if one is missing."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from app.views.answer import decimals, plain
from pipeline.core import artifacts
from pipeline.core.errors import AssayError, DataError
from pipeline.core.stage import require
from pipeline.evaluation.report import Report


def table(path: str | Path, stage: str, text: bool = False) -> pd.DataFrame:
    """Return a CSV file that `stage` wrote; with `text` every cell as a string.

    Raises StageError if it is missing, DataError if it cannot be read.
    """
    return _read(_table, path, stage, text)


def content(path: str | Path, stage: str) -> Any:
    """Return a JSON file that `stage` wrote; raises as `table` does."""
    return _read(_content, path, stage)


def report(path: str | Path, stage: str) -> Report:
    """Return a report that `stage` wrote; raises as `table` does."""
    read: Report = artifacts.from_json(Report, content(path, stage))
    return read


def _read(reader: Callable, path: str | Path, stage: str, *more: Any) -> Any:
    path = require(path, stage)
    stat = path.stat()
    try:
        return reader(str(path.absolute()), (stat.st_mtime_ns, stat.st_size), *more)
    except (OSError, ValueError, DataError) as error:  # pandas' and json's errors are ValueErrors
        why = str(error) if isinstance(error, DataError) else f"cannot be read ({type(error).__name__})"
        raise DataError(f"{path.as_posix()}: {why}: run 'dvc checkout --force', or 'dvc repro {stage}'") from None


@st.cache_data(max_entries=32, show_spinner=False)
def _table(path: str, changed: tuple[int, int], text: bool) -> pd.DataFrame:
    data = Path(path).read_bytes()
    if not data.endswith(b"\n"):  # half a number is a number, too
        raise DataError("is cut off in the middle of a line")
    return pd.read_csv(BytesIO(data), dtype=str, keep_default_na=False) if text else pd.read_csv(BytesIO(data))


@st.cache_data(max_entries=64, show_spinner=False)
def _content(path: str, changed: tuple[int, int]) -> Any:
    return artifacts.read_json(path)


def part(draw: Callable[..., None], *arguments: Any) -> None:
    """Call `draw(*arguments)`; if a file is missing, show which command to run and continue with the page."""
    try:
        draw(*arguments)
    except AssayError as error:
        st.info(plain(str(error)))


def show(shown: pd.DataFrame, alt: str) -> None:
    """Draw a small table in full, with texts escaped; `alt` is its alternative text."""
    cells = shown.map(lambda cell: plain(cell) if isinstance(cell, str) else cell)
    st.table(cells.rename(columns=plain), alt=alt, hide_index=True)


def show_columns(columns: dict[str, list], alt: str) -> None:
    """Draw a small table given by column, as `show` does."""
    show(pd.DataFrame(columns), alt)


def three(value: float | None) -> str:
    """Return a number with three decimals."""
    return "not defined" if value is None or pd.isna(value) else decimals(value)


def span(ends: list[float] | tuple[float, float] | None) -> str:
    """Return an interval, as [low, high]."""
    if not ends or any(end is None or pd.isna(end) for end in ends):
        return ""
    return f"[{decimals(ends[0])}, {decimals(ends[1])}]"


def page_of(n: int, at_once: int, what: str, key: str) -> slice:
    """Draw the choice of a page of `n` things, `at_once` on each; `what` names them. Return the range to show."""
    last = -(-n // at_once)
    number = st.number_input(f"Page (1 to {last})", 1, last, key=key) if last > 1 else 1
    first = (number - 1) * at_once
    st.markdown(f"**{what} {first + 1} to {min(first + at_once, n)} of {n:,}**")
    return slice(first, first + at_once)
