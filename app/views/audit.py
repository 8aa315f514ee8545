"""Section of the page Data: findings of the audit, with pairs of images side by side, the most suspicious first."""

from pathlib import Path

import pandas as pd
import streamlit as st

from app.views import written
from app.views.answer import plain
from pipeline.core import artifacts, params
from pipeline.core.errors import DataError
from pipeline.core.paths import TaskPaths
from pipeline.data.audit_result import AuditResult, PathPair
from pipeline.data.folders.archives import folder_of
from pipeline.data.images import image_file
from pipeline.data.images.pixel_rule import AS_IT_WAS, PixelRule, rule_of
from pipeline.data.thumbnails import preview
from pipeline.data.uploads import locate
from pipeline.duplicates import summary

AT_ONCE = 6  # pairs on a page
SIDE = 480  # px of an image of a pair: what was changed can be seen
TILE = 150  # px of an image in a grid: two fit side by side on a phone


def show(task: str) -> None:
    """Draw the section."""
    st.header("What the audit found")
    result = artifacts.from_json(AuditResult, written.content(TaskPaths(task).audit, f"audit@{task}"))
    samples = written.table(TaskPaths(task).samples, f"scan@{task}", text=True)
    block = params.task(task)
    unit = "image" if block.kind == "image" else "row"
    for line in summary.summary(result, unit, done=True):
        st.markdown(f"- {plain(line)}")
    if not result.pairs:
        st.success(f"No {unit} was found twice.")
        return
    pairs = summary.ranked(result, samples)
    shown = written.page_of(len(pairs), AT_ONCE, "Pairs", f"page of {task}")
    if unit == "image":
        st.caption(
            "Pairs across a shipped split come first, then pairs with two labels and pairs from two groups, the least similar "
            "first. 'Near': the same subject in the same view, possibly not the same image."
        )
        about = samples.set_index("path")[["label", "group", "shipped"]].to_dict("index")
        side_by_side(pairs[shown], folder_of(block.raw), about, rule_of(block.read))
    else:
        rows = [{"Row": pair.a, "Same as": pair.b, "Remark": remark} for pair, remark in pairs[shown]]
        written.show(pd.DataFrame(rows), "Rows that are equal in all features")


def side_by_side(
    pairs: list[tuple[PathPair, str]], root: Path, about: dict[str, dict], rule: PixelRule = AS_IT_WAS
) -> None:
    """Draw pairs of images, a pair per row: the differences are to be seen."""
    for number, (pair, remark) in enumerate(pairs):
        with st.container(border=True, key=f"pair-{number}"):
            title = f"**{plain(pair.kind)}**, similarity {pair.score:.3f}"
            st.markdown(f"{title}, {plain(remark)}" if remark else title)
            show_pair([pair.a, pair.b], root, about, rule)


def show_pair(paths: list[str], root: Path, about: dict[str, dict], rule: PixelRule) -> None:
    """Draw the images at `paths` side by side, or the reason why one cannot be shown."""
    for column, path in zip(st.columns(2), paths, strict=False):
        with column:
            tile(path, " · ".join(filter(None, [path, *about.get(path, {}).values()])), root, rule, SIDE)


def tiles(paths: list[str], captions: list[str], root: Path, rule: PixelRule) -> None:
    """Draw images in a grid that has as many columns as fit."""
    with st.container(horizontal=True):
        for path, caption in zip(paths, captions, strict=True):
            with st.container(width=TILE):
                tile(path, caption, root, rule, TILE)


def tile(path: str, caption: str, root: Path, rule: PixelRule, side: int) -> None:
    """Draw one image with its caption, or the reason why it cannot be shown."""
    file = locate(root, path)
    try:
        stat = image_file.on_disk(file).stat()
        image = small(str(file.absolute()), (stat.st_mtime_ns, stat.st_size), side, rule)
        st.image(image, plain(caption), width="stretch" if side == SIDE else side, alt=caption)
    except (OSError, DataError) as error:
        reason = "is missing: restore the raw files, or run 'dvc repro'" if isinstance(error, OSError) else str(error)
        st.info(plain(f"{caption}: {reason}"))


@st.cache_data(max_entries=512, show_spinner=False)
def small(path: str, changed: tuple[int, int], side: int, _rule: PixelRule) -> bytes:
    """Return the image at `path` as a small JPEG, at most `side` px wide and high, which every browser can show."""
    return preview(image_file.read(Path(path)), side, _rule)
