"""The app's pages Compare and Data alone, driven by Streamlit's own tester."""

import json
from collections.abc import Iterator
from typing import Any

import streamlit as st
from streamlit.testing.v1 import AppTest


def _draw(page: str, task: str) -> None:
    import importlib

    importlib.import_module(f"app.views.{page}").show(task)


def opened(page: str, task: str) -> AppTest:
    """Return a page, drawn for a task of the working folder, without an exception."""
    st.cache_data.clear()
    drawn = AppTest.from_function(_draw, default_timeout=60, kwargs={"page": page, "task": task}).run()
    assert not drawn.exception
    return drawn


def charts(page: AppTest) -> dict[str, dict[str, Any]]:
    """Return the specifications of a page's charts by what they say to who cannot see them."""
    return {chart.proto.alt: json.loads(chart.proto.spec) for chart in page.get("vega_lite_chart")}


def said(page: AppTest) -> str:
    """Return all texts of a page, without the backslashes that protect names from Markdown."""
    return "\n".join(texts(page)).replace("\\", "")


def texts(page: AppTest) -> Iterator[str]:
    """Yield the texts of a page."""
    for kind in ("title", "header", "subheader", "markdown", "caption", "info", "success"):
        yield from (element.value for element in getattr(page, kind))


def table(page: AppTest, column: str) -> Any:
    """Return the first table that has the column, its names without backslashes."""
    tables = [one.value.rename(columns=lambda name: name.replace("\\", "")) for one in page.table]
    found = next(one for one in tables if column in one)
    return found.map(lambda cell: cell.replace("\\", "") if isinstance(cell, str) else cell)
