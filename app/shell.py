"""The script that Streamlit runs for every session: access, choice of the task, navigation."""

import importlib
import logging
import traceback
from collections.abc import Callable
from functools import partial

import streamlit as st
from starlette.formparsers import MultiPartParser

from app import access, limits, theme
from pipeline.core.errors import AssayError

# Uploads stay in memory; by default those over 1 MB go to a temporary file.
MultiPartParser.spool_max_size = 2 * limits.FILE_BYTES
PAGES = ("Predict", "Compare", "Data", "Monitor", "Retrain")
# Tasks that are chosen by a button each: without the scripts of a list the first page appears sooner (benchmarks/app.py).
FEW = 6
USE = "Assay. Research use, not a medical device."
# Less white space above, readable line length. The prediction stays in view next to a long form, and above it on a phone.
STYLE = """
.stMainBlockContainer {padding-top: 3.5rem; padding-bottom: 3rem; max-width: 74rem}
.st-key-answer_image, .st-key-answer_table {position: sticky; top: 4rem}
@media (max-width: 640px) {
.stColumn:has(.st-key-answer_table) {order: -1}
[class*="st-key-pair-"] .stColumn {min-width: 40%; flex: 1 1 40%}
[data-testid="stExpandSidebarButton"] {width: auto; padding: 0 .6rem; border: 1px solid currentColor; border-radius: .4rem}
[data-testid="stExpandSidebarButton"]::after {content: "Menu"; font-size: .9rem; margin-left: .3rem}
[data-testid="stTable"] table {font-size: .75rem; table-layout: auto}
[data-testid="stTable"] :is(th, td) {padding: .2rem .25rem; white-space: normal; overflow-wrap: anywhere}
[data-testid="stTable"] :is(th, td) p {font-size: .75rem}
}
"""
log = logging.getLogger("assay.app")


def chosen_task(tasks: list[str]) -> str:
    """Draw the choice of the task and return it. All pages share it, and the URL contains it."""
    if st.session_state.get("task") not in tasks:
        wanted = [st.session_state.get("chosen"), st.query_params.get("task"), tasks[0]]
        st.session_state["task"] = next(task for task in wanted if task in tasks)
    if len(tasks) > FEW:
        st.sidebar.selectbox("Task", sorted(tasks), key="task")
    else:
        st.sidebar.segmented_control("Task", sorted(tasks), key="task", required=True)
    task: str = st.session_state["task"]
    st.session_state["chosen"] = task  # a widget's own value may be dropped when the page changes
    if st.query_params.get("task") != task:
        st.query_params["task"] = task
    return task


def show(page: str, task: str | None) -> None:
    """Draw a page for the chosen task; its module is imported when it is first opened."""
    if task:
        importlib.import_module(f"app.views.{page}").show(task)
    else:
        st.title(page.capitalize())
        st.info("No task has a champion yet. Run `make demo`, or `dvc repro`, then reload this page.")


def shielded(draw: Callable[[], None]) -> None:
    """Call `draw`; show an error of ours; on any other log the traceback without submitted data, and show that there was one."""
    try:
        draw()
    except AssayError as error:
        from app.views.answer import plain

        st.error(plain(str(error)))
    except Exception as error:
        frames = "".join(traceback.format_tb(error.__traceback__)[-3:])
        log.error("%s while drawing a page:\n%s", type(error).__name__, frames)
        st.error(
            "This page could not be shown because of an internal error. The server's log shows where; please report it."
        )


def main() -> None:
    st.set_page_config("Assay", layout="wide", initial_sidebar_state="auto")
    st.html(f"<style>{STYLE}{theme.style()}</style>")
    st.caption(USE)
    if access.granted():
        from app import champions  # imported after the first texts are sent, because it takes numpy

        tasks = champions.tasks()
        task = chosen_task(tasks) if tasks else None
        pages = [st.Page(partial(show, name.lower(), task), title=name, url_path=name.lower()) for name in PAGES]
        st.navigation(pages).run()


shielded(main)
