"""The page Retrain: hand in labelled samples, try a batch beside the champion, and decide what becomes of it.

What takes long runs in a process of its own, which a reload and a restart of the app find again by its files.
"""

import subprocess
import sys
from typing import Any

import pandas as pd
import streamlit as st

from app import access, limits
from app.views import written
from app.views.answer import plain
from pipeline.core import paths
from pipeline.retraining.records import Comparison

LATEST = 20  # batches that are shown
OUT = paths.LOGS / "retrain.log"  # of the processes that are started here
REFRESH = 2  # s between two looks at what runs


def show(task: str) -> None:
    """Draw the page."""
    st.title("Retrain", anchor=False)
    st.markdown(
        "Hand in labelled samples, try them, then decide. Handing in changes nothing. A batch is trained beside the champion, "
        "in a copy of the project, and compared with it on the champion's own samples; the champion goes on answering."
    )
    if not access.may_write():
        st.info(
            "This app can be reached from other machines without a key or a login: here nothing can be handed in or decided."
        )
    elif not lacking():
        hand_in(task)
        batches(task)
    else:
        st.info(
            f"This app only answers: {lacking()} is not installed here. Hand samples in where the models are trained."
        )


def lacking() -> str:
    """Return the package without which nothing can be checked or trained here, or ""."""
    try:
        from pipeline import collect, retrain  # noqa: F401
    except ImportError as error:
        return str(error.name)
    return ""


def hand_in(task: str) -> None:
    """Draw the form that takes samples, and what became of them."""
    from pipeline.core import params
    from pipeline.core.errors import AssayError
    from pipeline.retraining import intake
    from pipeline.retraining.existing_samples import ExistingSamples

    try:
        labels = ExistingSamples(task).labels
    except AssayError as error:
        st.error(plain(str(error)))
        return
    is_table = params.task(task).kind == "table"
    st.subheader("Hand in samples", anchor=False)
    with st.form("hand in", clear_on_submit=True):
        first, second, third = st.columns(3)
        helps = (
            "Of a CSV that has a column of labels, leave it out." if is_table else "The class that all of them are of."
        )
        label = first.selectbox("Label", labels, index=None, help=helps)
        helps = "What the samples share, for instance the patient or the lesion; may be empty."
        group = second.text_input("Group", help=helps)
        helps = "Samples of one batch are tried and decided together."
        batch = third.text_input("Batch", intake.new_batch(), help=helps)
        what = "A CSV with the task's columns" if is_table else f"Pictures; up to {limits.PAGE_FILES} at once"
        size = limits.FILE_BYTES // limits.MB
        files = st.file_uploader(what, accept_multiple_files=True, max_upload_size=size)
        pressed = st.form_submit_button("Hand in", type="primary")
    if pressed:
        st.session_state["handed in"] = "Choose files first."
        if files and not (label or is_table):
            st.session_state["handed in"] = "Choose the label that these pictures share, and then the files again."
        elif files:
            read_in = [read(task, one.name, one.getvalue(), label, group) for one in files[: limits.PAGE_FILES]]
            st.session_state["handed in"] = taken(
                task, [offer for offers in read_in for offer in offers], batch.strip()
            )
            if len(files) > limits.PAGE_FILES:
                more = len(files) - limits.PAGE_FILES
                st.warning(
                    f"The last {more} files were not looked at: {limits.PAGE_FILES} at once. Hand them in again."
                )
    said(st.session_state.get("handed in"))


def read(task: str, name: str, data: bytes, label: str | None, group: str) -> list[Any]:
    """Return the offers in an uploaded file."""
    from pipeline.retraining import intake

    return intake.read_data(task, name, data, label, group.strip())


def taken(task: str, offers: list[Any], batch: str) -> list[dict[str, Any]] | str:
    """Hand samples in; return what became of each, or why of none."""
    from pipeline.core.errors import AssayError
    from pipeline.retraining import intake

    try:
        with st.spinner("Checking"):
            return intake.collect(task, offers, batch, access.who(), "app")
    except AssayError as error:
        return str(error)
    except OSError as error:
        return f"{error.strerror}: what was not accepted yet is not stored. Make room, then hand it in again."


def said(found: list[dict[str, Any]] | str | None) -> None:
    """Draw what became of the samples handed in last."""
    if isinstance(found, str):
        st.error(plain(found))
    elif found:
        bad = [item for item in found if not item["accepted"]]
        (st.warning if bad else st.success)(f"{len(found) - len(bad)} stored, {len(bad)} refused")
        if bad:
            table = {"File": [item["file"] for item in bad], "Reason": [item["reason"] for item in bad]}
            written.show(pd.DataFrame(table), "A row for each refused sample: file and reason")


@st.fragment(run_every=REFRESH)
def batches(task: str) -> None:
    """Draw the batches, what runs, and the buttons; drawn again every REFRESH seconds."""
    from app.views import challenger
    from pipeline.retraining import batch_status, decide

    found = decide.batches(task)[:LATEST]
    if not found:
        st.caption("Nothing was handed in yet.")
        return
    st.subheader("Batches", anchor=False)
    names = [batch.batch for batch in found]
    shown = {
        "Batch": names,
        "Samples": [batch.n for batch in found],
        "Classes": [counted(batch.labels) for batch in found],
        "State": [batch.state for batch in found],
    }
    written.show(pd.DataFrame(shown), "The batches, the latest first: samples, classes and state")
    name = st.selectbox("Batch to decide about", names, key=f"batch of {task}")
    chosen = found[names.index(name)]
    st.markdown(f"**{plain(chosen.state)}**: {chosen.n} samples ({plain(counted(chosen.labels))})")
    now, busy = batch_status.status(task, chosen.batch), batch_status.is_running()
    if now.state == "running":
        st.progress(min(1.0, now.done / now.total), plain(chosen.says))
        log(task, chosen.batch)
    elif chosen.state in batch_status.ACTIVE:
        st.caption(f"{chosen.state.capitalize()} ...")
    elif chosen.state == "failed":
        st.error(plain(chosen.says))
    elif chosen.state == "interrupted":
        st.warning("The process that worked on it is gone. Nothing is lost, and it can be done again.")
    elif not busy and chosen.state != "cancelled":
        last_words()
    comparison = decide.read_comparison(task, chosen.batch)
    if comparison:
        challenger.say(comparison)
    buttons(task, chosen.batch, chosen.state, busy, comparison)
    if comparison:
        challenger.show(comparison)


def counted(labels: dict[str, int]) -> str:
    """Return how many samples there are of each class."""
    return ", ".join(f"{n} {label}" for label, n in sorted(labels.items()))


def log(task: str, batch: str) -> None:
    """Draw the end of what a challenge has printed."""
    from pipeline.retraining import batch_status

    path = batch_status.folder(task, batch) / "log.txt"
    if path.exists():
        lines = path.read_text(encoding="utf-8", errors="replace").replace("\r", "\n").splitlines()
        st.code("\n".join(lines[-8:]), language=None)


def buttons(task: str, batch: str, state: str, busy: bool, comparison: Comparison | None) -> None:
    """Draw what can be done with a batch now."""
    from pipeline.data import uploads
    from pipeline.retraining import batch_status, decide

    rows = uploads.read(task)
    names = {row.batch for row in rows}
    inside = batch in names
    with st.container(horizontal=True, vertical_alignment="center"):
        if state in ("preparing", "running"):
            if st.button("Cancel", help="Ends this challenge; what was handed in stays"):
                batch_status.cancel(task, batch)
            return
        if state not in ("promoted", "rejected") and not inside:
            to_decide(task, batch, state, busy, comparison)
        killed = inside and state != "promoted"
        if killed and st.button("Finish the promotion", disabled=busy, type="primary"):
            start(task, "--promote", batch)
        last = decide.unfinished(task, names) or (rows[-1].batch if rows else "")
        helps = "Takes this batch out again: the former champion's bytes"
        if batch == last and st.button("Roll back", disabled=busy, help=helps):
            start(task, "--rollback")


def to_decide(task: str, batch: str, state: str, busy: bool, comparison: Comparison | None) -> None:
    """Draw what can be done with a batch that nothing was decided about."""
    decidable = state == "compared" and comparison is not None
    again = "Try again" if comparison else "Try it"
    if st.button(again, disabled=busy, type="secondary" if decidable else "primary", help="Changes nothing"):
        start(task, "--batch", batch)
    if decidable and comparison.passed:
        if st.button("Promote", disabled=busy, type="primary", help="The champion is made anew, with this batch"):
            start(task, "--promote", batch)
    elif decidable:
        sure = st.checkbox("Against the recommendation", key=f"sure {task} {batch}")
        if st.button("Promote", disabled=busy or not sure, help="The ledger notes that a person decided"):
            start(task, "--promote", batch, "--force")
    if st.button("Reject", disabled=busy, help="It stays stored, and is marked"):
        start(task, "--reject", batch)


def start(task: str, *arguments: str) -> None:
    """Start a decision in a process of its own, which goes on when the app ends; its last words go to a log."""
    from pipeline.retraining import batch_status

    if batch_status.is_running():
        st.warning("Another challenge or decision runs already.")
        return
    OUT.parent.mkdir(exist_ok=True)
    with OUT.open("ab") as log:
        place = log.tell()
        command = [sys.executable, "-m", "pipeline.retrain", task, *arguments, "--who", access.who()]
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
    children()[:] = [(process, place)]
    st.toast("Started")


@st.cache_resource
def children() -> list[tuple[subprocess.Popen, int]]:
    """Return the process that this server has started last, if any, and where in OUT its words begin."""
    return []


def last_words() -> None:
    """Say why the process that was started last has ended, if it was not well; that takes it off the system's list, too."""
    for process, place in children():
        if process.poll():
            with OUT.open("rb") as log:
                log.seek(place)
                lines = log.read().decode("utf-8", "replace").strip().splitlines()
            st.error(plain(lines[-1] if lines else f"It ended with {process.returncode}."))
