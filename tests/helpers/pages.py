"""The app's pages, driven by Streamlit's own tester."""

import json
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.testing.v1 import AppTest

MAIN = Path(__file__).resolve().parents[2] / "app/shell.py"
TEXTS = ("title", "header", "subheader", "markdown", "caption", "error", "warning", "info", "success")


def _draw(page: str, task: str) -> None:
    import importlib

    importlib.import_module(f"app.views.{page}").show(task)


def opened(page: str, task: str, view: str = "Leaderboard") -> AppTest:
    """Return a page, drawn for a task of the working folder, without an exception; `view` is a tab of the page Compare."""
    st.cache_data.clear()
    drawn = AppTest.from_function(_draw, default_timeout=60, kwargs={"page": page, "task": task})
    drawn.session_state["view"] = view
    drawn.run()
    assert not drawn.exception
    return drawn


def first_page(**query: str) -> AppTest:
    """Return the app's first page, with a query in its address."""
    page = AppTest.from_file(str(MAIN), default_timeout=60)
    page.query_params.update(query)
    return page.run()


def charts(page: AppTest) -> dict[str, dict[str, Any]]:
    """Return the specifications of a page's charts by their alternative texts."""
    return {chart.proto.alt: json.loads(chart.proto.spec) for chart in page.get("vega_lite_chart")}


def text_of(page: AppTest) -> str:
    """Return all texts of a page, without the backslashes that protect names from Markdown."""
    texts = (element.value for kind in TEXTS for element in getattr(page, kind))
    return "\n".join(texts).replace("\\", "")


def table(page: AppTest, column: str) -> Any:
    """Return the first table that has the column, its names without backslashes."""
    tables = [element.value.rename(columns=lambda name: name.replace("\\", "")) for element in page.table]
    first = next(table for table in tables if column in table)
    return first.map(lambda cell: cell.replace("\\", "") if isinstance(cell, str) else cell)


def button(page: AppTest, label: str) -> Any:
    """Return the button that bears the label."""
    return next(button for button in page.button if button.label == label)


def metrics(page: AppTest) -> dict[str, str]:
    """Return the values of a page's metrics by their labels."""
    return {metric.label: metric.value for metric in page.metric}
