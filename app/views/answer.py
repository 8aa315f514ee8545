"""How predictions are shown: one in words and bars, many as a table, and the model that gave them."""

import base64
import re
from typing import Any

import streamlit as st

from pipeline.core import artifacts
from pipeline.core.errors import DataError
from pipeline.core.paths import TaskPaths
from pipeline.evaluation import test_set_evaluations

# Okabe and Ito's colours, as in pipeline/evaluation/plots.py, without black, which a dark page would swallow
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442")
THUMB = 64  # px
SPECIAL = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~:$^=/@])")


def plain(text: str) -> str:
    """Return `text` for markdown that shows it as it is: names and reasons may hold what was uploaded."""
    text = text.encode("utf-8", "replace").decode()  # a half surrogate pair cannot be sent
    return SPECIAL.sub(r"\\\1", " ".join(text.split()))


def one(item: dict[str, Any]) -> None:
    """Draw one prediction: class, decision in words, bars; or why there is none."""
    if not item["class"]:
        st.error(f"{plain(item['file'])}: {plain(item['reason'])}")
        return
    st.subheader(plain(item["class"]), anchor=False)
    words = item["decision"].removeprefix(f"{item['class']}: ")
    st.markdown(plain(f"{words[:1].upper()}{words[1:]}."))
    bars(item["probabilities"])
    if item["reason"]:
        st.warning(plain(f"{item['reason'][:1].upper()}{item['reason'][1:]}"))


def bars(probabilities: dict[str, float]) -> None:
    """Draw the probabilities as horizontal bars, a colour per class, with the figure beside the class."""
    said = [f"{name} {p:.1%}" for name, p in probabilities.items()]
    values = [{"said": text, "p": p} for text, p in zip(said, probabilities.values(), strict=True)]
    scale = {"domain": said, "range": [COLOURS[k % len(COLOURS)] for k in range(len(said))]}
    encoding = {
        "y": {"field": "said", "type": "nominal", "sort": None, "title": None, "axis": {"labelLimit": 180}},
        "x": {
            "field": "p",
            "type": "quantitative",
            "title": "probability",
            "scale": {"domain": [0, 1]},
            "axis": {"format": ".0%", "values": [0, 0.5, 1]},
        },
        "color": {"field": "said", "type": "nominal", "scale": scale, "legend": None},
    }
    spec = {
        "data": {"values": values},
        "mark": {"type": "bar", "height": 20, "cornerRadiusEnd": 3, "tooltip": False},
        "encoding": encoding,
        "height": {"step": 34},
        "autosize": {"type": "fit-x", "contains": "padding"},
    }
    st.vega_lite_chart(spec=spec, width="stretch", alt=f"Probabilities: {', '.join(said)}")


WHY = {
    "class activation map": "Orange places speak for {answer}, blue ones against it; their sum is what the model decides by.",
    "places left out": "Without the orange places {answer} would be less probable, without the blue ones more.",
    "squares covered": "With the orange places covered {answer} would be less probable, with the blue ones more.",
    "terms of the log-odds": "What each value adds to the log-odds of {answer}, compared with the mean of the training data.",
    "changes of the probability": "How much less probable {answer} would be if the value were the usual one.",
}
MOST_COLUMNS = 12


def why(found: Any, item: dict[str, Any]) -> None:
    """Draw what an answer rests on: the picture with a map over it, a bar a column, or both."""
    if found.png is not None:
        st.image(
            found.png,
            alt=f"{item['file']}, coloured where it speaks for and against {item['class']}",
            width="stretch",
        )
    if found.columns is not None:
        shown = [line for line in found.columns if line["contribution"]][:MOST_COLUMNS]
        terms_of(shown)
        left_out = len(found.columns) - len(shown)
        if left_out:
            st.caption(f"{left_out} more with less or nothing")
    st.caption(
        plain(WHY[found.kind].format(answer=item["class"]))
        + (
            " The bars are of the columns beside the picture."
            if found.png is not None and found.columns is not None
            else ""
        )
        + " It says what moves the model, not what causes the class."
    )


def terms_of(columns: list[dict[str, Any]]) -> None:
    """Draw contributions as bars to either side of 0."""
    rows = [{"column": f"{line['column']} = {line['value']}", "adds": line["contribution"]} for line in columns]
    said = [f"{row['column']}: {row['adds']:+.3f}" for row in rows]
    spec = {
        "data": {"values": rows},
        "mark": "bar",
        "height": {"step": 22},
        "encoding": {
            "y": {"field": "column", "type": "nominal", "sort": None, "title": None, "axis": {"labelLimit": 220}},
            "x": {"field": "adds", "type": "quantitative", "title": None},
            "color": {"condition": {"test": "datum.adds > 0", "value": COLOURS[1]}, "value": COLOURS[0]},
        },
    }
    st.vega_lite_chart(spec=spec, width="stretch", alt=f"Contributions: {', '.join(said)}")


def many(items: list[dict[str, Any]], thumbs: list[str | None] | None, classes: list[str]) -> int:
    """Draw the predictions as a table that can be sorted, with a download; return the row that is chosen, or the first.

    `thumbs` are the pictures, small, as `thumb` gives them, where they are pictures.
    """
    bad = sum(not item["class"] for item in items)
    st.markdown(f"**{len(items) - bad} answered**" + (f", {bad} could not be used" if bad else ""))
    table: dict[str, list] = {"picture": thumbs} if thumbs else {}
    table |= {"file": [item["file"] for item in items], "class": [item["class"] or None for item in items]}
    table |= {f"p({name})": [item["probabilities"].get(name) for item in items] for name in classes}
    table |= {"reason": [item["reason"] for item in items]} if any(item["reason"] for item in items) else {}
    columns: dict[str, Any] = {f"p({name})": st.column_config.NumberColumn(format="%.3f") for name in classes}
    columns["picture"] = st.column_config.ImageColumn("", width=THUMB + 16)
    chosen = st.dataframe(
        table,
        hide_index=True,
        column_config=columns,
        row_height=THUMB if thumbs else None,
        on_select="rerun",
        selection_mode="single-row",
        key="table",
        alt="A row for each sample: file, class and probabilities, as in the CSV that can be downloaded",
    )
    from pipeline.prediction.files import show

    data = show(items, classes, "csv").encode("utf-8", "replace")
    st.download_button("Download as CSV", data, "predictions.csv", "text/csv", on_click="ignore")
    rows = [row for row in chosen["selection"]["rows"] if row < len(items)]
    return rows[0] if rows else 0


def thumb(data: bytes) -> str | None:
    """Return a small picture as an address that carries it; None where there is none to be had."""
    from pipeline.data import thumbnails

    try:
        return "data:image/jpeg;base64," + base64.b64encode(thumbnails.preview(data, THUMB)).decode()
    except DataError:
        return None


def model(champion: Any) -> None:
    """Say which model answers and how well it does on the test set."""
    info = champion.info
    path = TaskPaths(champion.task).test_report(info.model)
    try:
        test = artifacts.read_json(path)
    except (OSError, ValueError):
        st.caption(f"Answered by {plain(champion.id)}, which has not been scored on the test set yet.")
        return
    n, groups = test["counts"]["n"], test["counts"]["n_groups"]
    of = f"{n} test samples" + (f" of {groups} groups" if groups != n else "")
    low, high = test["ci"]["roc_auc"]
    with st.container(border=True):
        st.markdown(f"**{plain(info.model)}** on {of}")
        figures = {"AUC": f"{test['roc_auc']:.3f}"}
        if info.positive:
            figures |= {"Sensitivity": f"{test['recall']:.3f}", "Specificity": f"{test['specificity']:.3f}"}
        else:
            figures |= {"Balanced accuracy": f"{test['balanced_accuracy']:.3f}"}
        with st.container(horizontal=True):
            for name, value in figures.items():
                st.metric(name, value)
        seen = looked(champion.task, info.model)
        of_class = f"; sensitivity is for {plain(info.positive)}" if info.positive else ""
        st.caption(f"AUC with 95 % interval {low:.3f} to {high:.3f}{of_class}. {seen}Bundle {plain(champion.id)}.")


def looked(task: str, model: str) -> str:
    """Return a sentence on how often the test set has been evaluated; "" where nobody counted."""
    try:
        n = test_set_evaluations.count(task, model)
    except (OSError, ValueError, DataError) as error:
        return f"How often the test set has been evaluated is not known: {plain(str(error))}. "
    return (
        f"The {test_set_evaluations.in_words(n)}: the more often, the more of a good figure may be luck. " if n else ""
    )
