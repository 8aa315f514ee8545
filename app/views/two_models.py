"""View of the page Compare: two models side by side, with the paired difference of each figure."""

import pandas as pd
import streamlit as st

from app.views import model_charts, written
from app.views.answer import figure
from app.views.written import span, three
from pipeline.core.paths import TaskPaths
from pipeline.evaluation.metric_names import NAMES


def listed(task: str) -> tuple[list[str], int]:
    """Return the models in the order of the leaderboard, and the position of the champion."""
    table = written.table(TaskPaths(task).leaderboard, f"holdout@{task}")
    champion = table.index[table["champion"] == "yes"].tolist()
    return table["model"].tolist(), champion[0] if champion else 0


def choice(label: str, models: list[str], first: int, key: str) -> str:
    """Draw the choice of a model and return its name."""
    return st.selectbox(label, models, first, key=key)


def show(task: str) -> None:
    """Draw the choice of two models and their figures."""
    models, first = listed(task)
    if len(models) < 2:
        st.info("The task has one model; there is nothing to compare it with.")
        return
    left, right = st.columns(2)
    with left:
        model = choice("Model", models, first, f"model of {task}")
    others = [name for name in models if name != model]
    with right:
        other = choice("Compared with", others, 0, f"other model of {task}")
    reports = [model_charts.reports(task, name)["Out of fold"] for name in (model, other)]
    changes = differences(task, model, other)
    keys = [key for key in NAMES if all(key in report.figures for report in reports)]
    rows = {
        "Figure": [NAMES[key] for key in keys],
        model: [figure(reports[0], key) for key in keys],
        other: [figure(reports[1], key) for key in keys],
        "Difference": [three(changes[key][0]) if key in changes else "" for key in keys],
        "95 % interval": [span(changes[key][1:]) if key in changes else "" for key in keys],
    }
    written.show(pd.DataFrame(rows), f"Out-of-fold figures of {model} and {other}, and their differences")
    st.caption(
        "Both models on the same samples, out of fold; the difference is the first less the second. An interval that contains 0 "
        "means that the two cannot be told apart in this figure. It includes the variance that is due to training (Nadeau and "
        "Bengio 2003). With many figures, one in twenty differs by chance."
    )
    model_charts.roc(task, model, [model, other])


def differences(task: str, model: str, other: str) -> dict[str, tuple[float, float, float]]:
    """Return the difference of the two models and its interval by figure."""
    table = written.table(TaskPaths(task).differences, f"select_best@{task}")
    as_listed = table[(table["model"] == model) & (table["other"] == other)]
    swapped = table[(table["model"] == other) & (table["other"] == model)]
    result = {row.figure: (row.difference, row.low, row.high) for row in as_listed.itertuples()}
    return result | {row.figure: (-row.difference, -row.high, -row.low) for row in swapped.itertuples()}
