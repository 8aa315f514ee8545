"""The page Retrain: hand in labelled samples, try a batch beside the champion, and decide what becomes of it.

What takes long runs in a process of its own, which a reload and a restart of the app find again by its files.
"""

import subprocess
import sys
from pathlib import Path
from typing import Any

import streamlit as st

from app import access, limits
from app.views.answer import plain

LATEST = 20  # batches that are shown
REFRESH = 2  # s between two looks at what runs


def show(task: str) -> None:
    """Draw the page."""
    st.title("Retrain", anchor=False)
    st.markdown(
        "Handed-in samples change nothing by themselves. A batch is trained beside the champion, in a copy of the project, and "
        "compared with it on the champion's own samples. Then you decide."
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
    from pipeline import collect, params
    from pipeline.known import Known
    from pipeline.stage import AssayError

    try:
        labels = Known(task).labels
    except AssayError as error:
        st.error(plain(str(error)))
        return
    is_table = params.task(task).kind == "table"
    with st.form("hand in", clear_on_submit=True):
        label = st.selectbox("Label", labels, index=None, help="Of a CSV that has a column of labels, leave it out.")
        group = st.text_input(
            "Group", help="What the samples share, for instance the patient or the lesion; may be empty."
        )
        batch = st.text_input("Batch", collect.new_batch(), help="Samples of one batch are tried and decided together.")
        what = "A CSV with the task's columns" if is_table else f"Pictures; up to {limits.PAGE_FILES} at once"
        size = limits.FILE_BYTES // limits.MB
        files = st.file_uploader(what, accept_multiple_files=True, max_upload_size=size)
        pressed = st.form_submit_button("Hand in", type="primary")
    if pressed and files:
        offers = [
            one for file in files[: limits.PAGE_FILES] for one in read(task, file.name, file.getvalue(), label, group)
        ]
        st.session_state["handed in"] = taken(task, offers, batch.strip())
    said(st.session_state.get("handed in"))


def read(task: str, name: str, data: bytes, label: str | None, group: str) -> list[Any]:
    """Return the offers in an uploaded file."""
    from pipeline import collect

    return collect.read_data(task, name, data, label, group.strip())


def taken(task: str, offers: list[Any], batch: str) -> list[dict[str, Any]] | str:
    """Hand samples in; return what became of each, or why of none."""
    from pipeline import collect
    from pipeline.stage import AssayError

    try:
        with st.spinner("Checking"):
            return collect.collect(task, offers, batch, access.who(), "app")
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
        st.success(f"{len(found) - len(bad)} stored, {len(bad)} refused")
        if bad:
            table = {"file": [item["file"] for item in bad], "reason": [item["reason"] for item in bad]}
            st.dataframe(table, hide_index=True, alt="A row for each refused sample: file and reason")


@st.fragment(run_every=REFRESH)
def batches(task: str) -> None:
    """Draw the batches, what runs, and the buttons; drawn again every REFRESH seconds."""
    from pipeline import challenge, retrain

    found = retrain.batches(task)[:LATEST]
    if not found:
        st.caption("Nothing was handed in yet.")
        return
    st.subheader("Batches", anchor=False)
    names = [one["batch"] for one in found]
    chosen = found[names.index(st.selectbox("Batch", names, key=f"batch of {task}"))]
    counts = ", ".join(f"{n} {label}" for label, n in sorted(chosen["labels"].items()))
    st.markdown(f"**{plain(chosen['state'])}**: {chosen['n']} samples ({plain(counts)})")
    now = challenge.status(task, chosen["batch"])
    if chosen["state"] == "running":
        st.progress(now["done"] / now["total"], plain(chosen["says"]))
        log(task, chosen["batch"])
    elif chosen["says"]:
        (st.error if chosen["state"] == "failed" else st.info)(plain(chosen["says"]))
    comparison(task, chosen["batch"])
    buttons(task, chosen["batch"], chosen["state"], challenge.is_running())


def log(task: str, batch: str) -> None:
    """Draw the end of what a challenge has printed."""
    from pipeline import challenge

    path = challenge.folder(task, batch) / "log.txt"
    if path.exists():
        lines = path.read_text(encoding="utf-8", errors="replace").replace("\r", "\n").splitlines()
        st.code("\n".join(lines[-8:]), language=None)


def comparison(task: str, batch: str) -> None:
    """Draw a batch's comparison with the champion, if there is one."""
    from pipeline import artifacts, challenge

    path = challenge.folder(task, batch) / "comparison.json"
    if not path.exists():
        return
    found = artifacts.read_json(path)
    rows = {name: one for name, one in found["metrics"].items() if name in {*found["guarded"], "brier_score_loss"}}
    for label, one in found["per_class"].items():
        rows |= {f"{name} of {label}": figures for name, figures in one.items()}
    table = {
        "metric": list(rows),
        "champion": [one["champion"] for one in rows.values()],
        "with the batch": [one["challenger"] for one in rows.values()],
        "difference": [one["difference"] for one in rows.values()],
        "95 % from": [one["ci"][0] for one in rows.values()],
        "to": [one["ci"][1] for one in rows.values()],
    }
    with st.expander("Champion against challenger"):
        st.dataframe(table, hide_index=True, alt="A row for each metric: champion, challenger and their difference")
        about = found["batch"]
        left = ", ".join(f"{n} for {reason}" for reason, n in about["left_out"].items()) or "none"
        refused = f"{about['refused']:.0%} of it as unlike its training data"
        st.caption(plain(f"Left out by the audit: {left}. The champion refuses {refused}."))


def buttons(task: str, batch: str, state: str, busy: bool) -> None:
    """Draw what can be done with a batch now."""
    from pipeline import challenge, included

    open_ = state not in ("promoted", "rejected") and not busy
    rows = included.read(task)
    with st.container(horizontal=True):
        if st.button("Try it", disabled=not open_, help="Trains beside the champion; changes nothing"):
            start(task, "--batch", batch)
        if st.button("Promote", disabled=not (open_ and state == "compared"), help="As far as the gate lets it"):
            start(task, "--promote", batch)
        if st.button("Reject", disabled=not open_):
            start(task, "--reject", batch)
        if st.button("Cancel", disabled=state not in ("preparing", "running")):
            challenge.cancel(task, batch)
        if st.button(
            "Roll back", disabled=busy or not rows or rows[-1].batch != batch, help="Takes this batch out again"
        ):
            start(task, "--rollback")


def start(task: str, *arguments: str) -> None:
    """Start a decision in a process of its own, which goes on when the app ends; its last words go to a log."""
    from pipeline import challenge

    if challenge.is_running():
        st.warning("Another challenge or decision runs already.")
        return
    out = Path("logs/retrain.log")
    out.parent.mkdir(exist_ok=True)
    with out.open("ab") as log:
        command = [sys.executable, "-m", "pipeline.retrain", task, *arguments, "--who", access.who()]
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
    children().append(process)
    st.toast("Started")


@st.cache_resource
def children() -> list[subprocess.Popen]:
    """Return the processes that this server has started: those that have ended are taken off the system's list."""
    return []
