"""A part of the page Data: what the audit found, with the pictures side by side, the most suspicious first."""

from pathlib import Path

import pandas as pd
import streamlit as st

from app.views import written
from app.views.answer import plain
from pipeline.core import params
from pipeline.core.errors import DataError
from pipeline.core.paths import TaskPaths
from pipeline.data.archives import folder_of
from pipeline.data.audit_result import AuditResult, PathPair
from pipeline.data.thumbnails import preview
from pipeline.duplicates import summary

AT_ONCE = 12  # pairs on a page
SIDE = 150  # px: two beside each other on a phone


def show(task: str) -> None:
    """Draw the part."""
    st.header("What the audit found")
    result = AuditResult.from_json(written.content(TaskPaths(task).audit, f"audit@{task}"))
    samples = written.table(TaskPaths(task).samples, f"scan@{task}", text=True)
    block = params.task(task)
    what = "picture" if block.kind == "image" else "row"
    for line in summary.summary(result, what, done=True):
        st.markdown(f"- {plain(line)}")
    if not result.pairs:
        st.success(f"No {what} was found twice.")
        return
    pairs = summary.ranked(result, samples)
    shown = page(len(pairs), task)
    if what == "picture":
        st.caption(
            "Pairs across a shipped split come first, then those under two labels and of two groups, and of these the least "
            "alike. 'Near': the same thing in the same view, not surely one picture."
        )
        about = samples.set_index("path")[["label", "group", "shipped"]].to_dict("index")
        side_by_side(pairs[shown], folder_of(block.raw), about)
    else:
        rows = [{"Row": pair.a, "Same as": pair.b, "Remark": remark} for pair, remark in pairs[shown]]
        written.show(pd.DataFrame(rows), "Rows that are equal in all features")


def page(n: int, task: str) -> slice:
    """Let the reader turn the pages of `n` pairs; return which are to be shown."""
    last = -(-n // AT_ONCE)
    number = st.number_input(f"Page, of {last}", 1, last, key=f"page of {task}") if last > 1 else 1
    first = (number - 1) * AT_ONCE
    st.markdown(f"**Pairs {first + 1} to {min(first + AT_ONCE, n)} of {n}**")
    return slice(first, first + AT_ONCE)


def side_by_side(pairs: list[tuple[PathPair, str]], root: Path, about: dict[str, dict]) -> None:
    """Draw pairs of pictures, two in a row where the page is wide."""
    for start in range(0, len(pairs), 2):
        for place, (pair, remark) in zip(st.columns(2), pairs[start : start + 2], strict=False):
            with place.container(border=True):
                said = f"**{plain(pair.kind)}**, alike {pair.score:.3f}"
                st.markdown(f"{said}, {plain(remark)}" if remark else said)
                show_pair([pair.a, pair.b], root, about)


def show_pair(paths: list[str], root: Path, about: dict[str, dict]) -> None:
    """Draw the pictures at `paths` beside each other, or say why one cannot be shown."""
    seen, captions = [], []
    for path in paths:
        facts = " · ".join(filter(None, [path, *about.get(path, {}).values()]))
        try:
            stat = (root / path).stat()
            seen.append(small(str((root / path).absolute()), (stat.st_mtime_ns, stat.st_size)))
            captions.append(plain(facts))
        except (OSError, DataError) as error:
            reason = (
                "is not here: put the raw files back, or run 'dvc repro'" if isinstance(error, OSError) else str(error)
            )
            st.info(plain(f"{facts}: {reason}"))
    if seen:
        st.image(seen, captions, width=SIDE, alt=captions)


@st.cache_data(max_entries=512, show_spinner=False)
def small(path: str, changed: tuple[int, int]) -> bytes:
    """Return the picture at `path` as a small JPEG, which every browser shows."""
    return preview(Path(path).read_bytes(), SIDE)
