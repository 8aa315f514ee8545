"""The app's shell, which Streamlit runs for every session: who may see it, which task, which page."""

import importlib
import logging
import traceback
from collections.abc import Callable
from functools import partial

import streamlit as st
from starlette.formparsers import MultiPartParser

from app import access, limits

MultiPartParser.spool_max_size = (
    2 * limits.FILE_BYTES
)  # uploads stay in memory: over 1 MB they would go to a temporary file
PAGES = ("Predict", "Compare", "Data", "Monitor", "Retrain")
USE = "Assay. Research use, not a medical device."
# Less white above, lines not too long to read. The answer stays in view beside a long form, and above it on a phone.
STYLE = """<style>
.stMainBlockContainer {padding-top: 3.5rem; padding-bottom: 3rem; max-width: 74rem}
.st-key-answer_image, .st-key-answer_table {position: sticky; top: 4rem}
@media (max-width: 640px) {.stColumn:has(.st-key-answer_table) {order: -1}}
</style>"""
log = logging.getLogger("assay.app")


def chosen_task(tasks: list[str]) -> str:
    """Draw the choice of the task; return it. It is the same on all pages, and stands in the address."""
    if st.session_state.get("task") not in tasks:
        wanted = [st.session_state.get("chosen"), st.query_params.get("task"), tasks[0]]
        st.session_state["task"] = next(task for task in wanted if task in tasks)
    task = st.sidebar.selectbox("Task", sorted(tasks), key="task")
    st.session_state["chosen"] = task  # a widget's own value may be dropped when the page changes
    if st.query_params.get("task") != task:
        st.query_params["task"] = task
    return task


def show(page: str, task: str | None) -> None:
    """Draw a page, which is imported when it is first opened, for the chosen task."""
    if task:
        importlib.import_module(f"app.views.{page}").show(task)
    else:
        st.title(page.capitalize())
        st.info("No task has a champion yet. Run `make demo`, or `dvc repro`, then reload this page.")


def shielded(draw: Callable[[], None]) -> None:
    """Call `draw`; of a bug of ours the page says that there was one, and the log where, but not what was sent."""
    try:
        draw()
    except Exception as error:
        place = "".join(traceback.format_tb(error.__traceback__)[-3:])
        log.error("%s while drawing a page:\n%s", type(error).__name__, place)
        st.error("This could not be shown: a bug of ours. The server's log says where; please report it.")


def main() -> None:
    st.set_page_config("Assay", layout="wide", initial_sidebar_state="auto")
    st.html(STYLE)
    st.caption(USE)
    if access.granted():
        from app import champions  # after the first words are on their way: it brings numpy

        tasks = champions.tasks()
        task = chosen_task(tasks) if tasks else None
        pages = [st.Page(partial(show, name.lower(), task), title=name, url_path=name.lower()) for name in PAGES]
        st.navigation(pages).run()


shielded(main)
