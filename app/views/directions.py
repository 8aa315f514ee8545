"""Section of the page Monitor: what the directions are in which images differ, by training images at both ends."""

import numpy as np
import streamlit as st

from app.views import audit
from pipeline.core import params
from pipeline.core.errors import AssayError
from pipeline.core.paths import TaskPaths
from pipeline.data.dataset import Dataset
from pipeline.data.folders.archives import folder_of
from pipeline.data.images.pixel_rule import rule_of
from pipeline.monitoring.comparisons import Figure

MOST = 3  # directions that are shown
AT_EACH_END = 2  # images, which fit side by side


def letter(number: int) -> str:
    """Return the name that a direction has on the page."""
    return "ABC"[number]


def strongest(figures: list[Figure]) -> list[Figure]:
    """Return the directions that differ most, none where none does."""
    differing = [figure for figure in figures if figure.of == "place" and figure.differs]
    return sorted(differing, key=lambda figure: (not figure.alarm, -figure.size))[:MOST]


def show(task: str, model: str, figures: list[Figure], names: list[str]) -> None:
    """Draw training images at both ends of each of the strongest directions. `names`: of all directions, in their order."""
    shown = strongest(figures)
    if not shown:
        return
    st.subheader("In which content they differ", anchor=False)
    try:
        paths, components = training(task, model)
        block = params.task(task)
    except (AssayError, OSError, KeyError):
        st.caption("The training images that would show it are not on this machine.")
        return
    for number, figure in enumerate(shown):
        order = np.argsort(components[:, names.index(figure.name)], kind="stable")
        more, less = order[:AT_EACH_END], order[-AT_EACH_END:][::-1]
        if (figure.beyond or 0) > 0.5:
            more, less = less, more
        ends = {"served more often": more, "served less often": less}
        st.markdown(f"**Content {letter(number)}**: training images like those that are")
        for column, (title, rows) in zip(st.columns(2), ends.items(), strict=True):
            with column:
                st.markdown(f"**{title}**")
                shown_paths = [str(paths[row]) for row in rows]
                audit.tiles(shown_paths, shown_paths, folder_of(block.raw), rule_of(block.read))


def training(task: str, model: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the paths of the development images (n,), and their components along the directions, float32 (n, k)."""
    dev = Dataset.read(task, "dev")
    return dev.path, np.load(TaskPaths(task).oof(model))["places"][: len(dev.y)]
