"""The page Retrain: submit labelled samples, train a challenger with a batch, and decide about the batch.

Long tasks run in a separate process, whose state is in files, so that it survives a reload and a restart of the app.
"""

import subprocess
import sys
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd
import streamlit as st

from app import access, limits
from app.views import label_next, written
from app.views.answer import plain
from pipeline.core import paths
from pipeline.retraining.records import Comparison, Outcome

if TYPE_CHECKING:  # what these import may not be installed
    from streamlit.runtime.uploaded_file_manager import UploadedFile

    from pipeline.retraining.batch_status import Status
    from pipeline.retraining.decide import Batch
    from pipeline.retraining.intake import Offer

LATEST = 20  # batches that are shown
OUT = paths.LOGS / "retrain.log"  # output of the processes that are started here
REFRESH = 2  # s between updates
DECIDED = ("promoted", "rejected", "rolled back")


def show(task: str) -> None:
    """Draw the page."""
    st.title("Retrain", anchor=False)
    st.markdown(
        "Submit labelled samples, try the batch, then decide. Submitting does not change the champion. Trying a batch trains a "
        "challenger with it in a copy of the project, and compares both on the champion's samples; the champion stays in use."
    )
    if not access.may_write():
        st.info(
            "This app can be reached from other machines without a key or a login, so it accepts no samples or decisions."
        )
    elif not lacking():
        submit(task)
        batches(task)
        written.part(label_next.show, task)
    else:
        st.info(
            f"This app only predicts: {lacking()} is not installed here. Submit samples where the models are trained."
        )


def lacking() -> str:
    """Return the name of a missing package that checks and training need, or ""."""
    try:
        from pipeline.retraining import decide, intake  # noqa: F401
    except ImportError as error:
        return str(error.name)
    return ""


def submit(task: str) -> None:
    """Draw the form for samples, and the outcome of the last submission."""
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
    st.subheader("Submit samples", anchor=False)
    number = st.session_state.setdefault("submissions", 0)
    given = form(labels, is_table, f"submit {number}")
    if given and not given.files:
        st.session_state["submitted"] = "Choose files first."
    elif given and not (given.label or is_table):
        st.session_state["submitted"] = "Choose the label of these images; the files are kept."
    elif given:
        files, more = given.files[: limits.PAGE_FILES], given.files[limits.PAGE_FILES :]
        offers = [intake.read_data(task, file.name, file.getvalue(), given.label, given.group) for file in files]
        st.session_state["submitted"] = collect(task, list(chain.from_iterable(offers)), given.batch)
        st.session_state["ignored"] = len(more)
        if not isinstance(st.session_state["submitted"], str):
            st.session_state["submissions"] = number + 1  # another form, which is empty
            st.rerun()
    if n := st.session_state.get("ignored"):
        st.warning(f"The last {n} files were ignored: at most {limits.PAGE_FILES} at once. Submit them separately.")
    show_outcome(st.session_state.get("submitted"))


class Given(NamedTuple):
    """What the form was filled with."""

    files: "list[UploadedFile]"
    label: str | None
    group: str
    batch: str


def form(labels: list[str], is_table: bool, key: str) -> Given | None:
    """Draw the form; return what it was filled with when its button is pressed, otherwise None. It keeps what was entered."""
    from pipeline.retraining import intake

    with st.form(key):
        first, second, third = st.columns(3)
        helps = "Leave empty if the CSV has a column of labels." if is_table else "The class of all these images."
        label = first.selectbox("Label", labels, index=None, help=helps, key=f"{key} label")
        helps = "What the samples share, for instance the patient or the lesion. Optional."
        group = second.text_input("Group", help=helps, key=f"{key} group")
        helps = "A batch is tried and promoted or rejected as a whole."
        batch = third.text_input("Batch", intake.new_batch(), help=helps, key=f"{key} batch")
        what = "A CSV with the task's columns" if is_table else f"Images; up to {limits.PAGE_FILES} at once"
        size = limits.FILE_BYTES // limits.MB
        files = st.file_uploader(what, accept_multiple_files=True, max_upload_size=size, key=f"{key} files")
        pressed = st.form_submit_button("Submit", type="primary")
    return Given(files, label, group.strip(), batch.strip()) if pressed else None


def collect(task: str, offers: "list[Offer]", batch: str) -> list[Outcome] | str:
    """Submit samples; return the outcome of each, or the reason why none was stored."""
    from pipeline.core.errors import AssayError
    from pipeline.retraining import intake

    try:
        with st.spinner("Checking"):
            return intake.collect(task, offers, batch, access.who(), "app")
    except AssayError as error:
        return str(error)
    except OSError as error:
        return f"{error.strerror}: samples that were not yet accepted are not stored. Free some space, then submit them again."


def show_outcome(outcome: list[Outcome] | str | None) -> None:
    """Draw the outcome of the last submission."""
    if isinstance(outcome, str):
        st.error(plain(outcome))
    elif outcome:
        bad = [item for item in outcome if not item["accepted"]]
        (st.warning if bad else st.success)(f"{len(outcome) - len(bad)} stored, {len(bad)} refused")
        noted = sorted((item for item in outcome if item["reason"]), key=lambda item: item["accepted"])  # refused first
        if noted:
            table = {"File": [item["file"] for item in noted], "Reason": [item["reason"] for item in noted]}
            written.show(pd.DataFrame(table), "A row for each sample that was refused or is unusual: file and reason")


@st.fragment(run_every=REFRESH)
def batches(task: str) -> None:
    """Draw `batches_now` every REFRESH seconds."""
    written.part(batches_now, task)


def batches_now(task: str) -> None:
    """Draw the batches, the progress of a running challenge and the buttons."""
    from app.views import challenger
    from pipeline.retraining import batch_status, decide

    listed = decide.batches(task)[:LATEST]
    if not listed:
        st.caption("No samples were submitted yet.")
        return
    st.subheader("Batches", anchor=False)
    names = [batch.batch for batch in listed]
    shown = {
        "Batch": names,
        "Samples": [batch.n for batch in listed],
        "Classes": [counted(batch.labels) for batch in listed],
        "State": [batch.state for batch in listed],
    }
    written.show(pd.DataFrame(shown), "The batches, latest first: samples, classes and state")
    name = st.selectbox("Batch", names, key=f"batch of {task}")
    chosen = listed[names.index(name)]
    st.markdown(f"**{plain(chosen.state)}**: {chosen.n} samples ({plain(counted(chosen.labels))})")
    now, busy = batch_status.status(task, chosen.batch), batch_status.is_running()
    if now.state in batch_status.ACTIVE:
        progress(task, chosen, now)
    elif chosen.state == "failed":
        st.error(plain(chosen.says))
    elif chosen.state == "interrupted":
        st.warning("The process has ended unexpectedly. Nothing is lost; you can start it again.")
    elif not busy and chosen.state != "cancelled":
        show_failure()
    comparison, decided = decide.read_comparison(task, chosen.batch), chosen.state in DECIDED
    if decided:
        challenger.decision(task, chosen.batch)
    elif comparison:
        challenger.recommend(comparison)
    buttons(task, chosen.batch, chosen.state, busy, comparison)
    if comparison and not decided:
        challenger.show(comparison)
    elif comparison:
        with st.expander("The comparison before the decision"):
            challenger.show(comparison)


def progress(task: str, batch: "Batch", now: "Status") -> None:
    """Draw how far a challenge, a promotion or a rollback is, and the last lines of its log."""
    share = min(1.0, now.done / now.total) if now.total else 0.0
    st.progress(
        share, plain(f"{now.state.capitalize()}: {batch.says}" if now.stage else f"{now.state.capitalize()} ...")
    )
    log(task, batch.batch)


def counted(labels: dict[str, int]) -> str:
    """Return how many samples there are of each class."""
    return ", ".join(f"{n} {label}" for label, n in sorted(labels.items()))


def log(task: str, batch: str) -> None:
    """Draw the last lines of a challenge's log."""
    from pipeline.retraining import batch_status

    path = batch_status.folder(task, batch) / "log.txt"
    if path.exists():
        lines = path.read_text(encoding="utf-8", errors="replace").replace("\r", "\n").splitlines()
        st.code("\n".join(lines[-8:]), language=None)


def buttons(task: str, batch: str, state: str, busy: bool, comparison: Comparison | None) -> None:
    """Draw the buttons for a batch."""
    from pipeline.data import uploads
    from pipeline.retraining import batch_status, decide

    rows = uploads.read(task)
    names = {row.batch for row in rows}
    with st.container(horizontal=True, vertical_alignment="center"):
        if state in ("preparing", "running"):
            if st.button("Cancel", help="Ends this challenge; the submitted samples stay stored"):
                batch_status.cancel(task, batch)
            return
        if state not in ("promoted", "rejected") and batch not in names:
            decision_buttons(task, batch, state, busy, comparison)
        is_unfinished = batch in names and state != "promoted"
        if is_unfinished and st.button("Finish the promotion", disabled=busy, type="primary"):
            start(task, "--promote", batch)
        last = decide.unfinished(task, names) or (rows[-1].batch if rows else "")
        helps = "Removes this batch again and restores the previous champion"
        if batch == last and st.button("Roll back", disabled=busy, help=helps):
            start(task, "--rollback")


def decision_buttons(task: str, batch: str, state: str, busy: bool, comparison: Comparison | None) -> None:
    """Draw the buttons for a batch that is neither promoted nor rejected."""
    decidable = comparison if state == "compared" else None
    again = "Try again" if comparison else "Try it"
    if st.button(
        again,
        disabled=busy,
        type="secondary" if decidable else "primary",
        help="Trains a challenger; the champion does not change",
    ):
        start(task, "--batch", batch)
    if decidable and decidable.passed:
        if st.button("Promote", disabled=busy, type="primary", help="Trains a new champion with this batch"):
            start(task, "--promote", batch)
    elif decidable:
        sure = st.checkbox("Promote against the recommendation", key=f"sure {task} {batch}")
        if st.button("Promote", disabled=busy or not sure, help="The ledger records that this was a manual decision"):
            start(task, "--promote", batch, "--force")
    if st.button("Reject", disabled=busy, help="Marks the batch as rejected; it stays stored"):
        start(task, "--reject", batch)


def start(task: str, *arguments: str) -> None:
    """Start a decision in a separate process, which continues if the app ends; its output goes to a log."""
    from pipeline.retraining import batch_status

    if batch_status.is_running():
        st.warning("Another challenge or decision is running.")
        return
    OUT.parent.mkdir(exist_ok=True)
    with OUT.open("ab") as log:
        offset = log.tell()
        command = [sys.executable, "-m", "pipeline.retrain", task, *arguments, "--who", access.who()]
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
    children()[:] = [(process, offset)]
    st.toast("Started")


@st.cache_resource
def children() -> list[tuple[subprocess.Popen, int]]:
    """Return the process that this server started last, if any, and the offset of its output in OUT."""
    return []


def show_failure() -> None:
    """Show the error of the last started process if it failed. Polling it also reaps the process."""
    for process, offset in children():
        if process.poll():
            with OUT.open("rb") as log:
                log.seek(offset)
                lines = log.read().decode("utf-8", "replace").strip().splitlines()
            st.error(plain(lines[-1] if lines else f"The process ended with exit code {process.returncode}."))
