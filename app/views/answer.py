"""Show predictions: one in words and bars, many as a table, and the model that made them."""

import base64
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from app import theme
from pipeline.core.errors import DataError, StageError

if TYPE_CHECKING:  # these import numpy, for which the first page does not wait
    from app.champions import Champion
    from pipeline.evaluation.report import Scores
    from pipeline.prediction.answer import Item
    from pipeline.prediction.bundle import BundleInfo

THUMB = 64  # px
SPECIAL = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~:$^=/@])")


def plain(text: str) -> str:
    """Escape `text` for Markdown: names and reasons may contain uploaded text."""
    text = text.encode("utf-8", "replace").decode()  # a lone surrogate cannot be sent
    return SPECIAL.sub(r"\\\1", " ".join(text.split()))


def percent(p: float) -> str:
    """Return a probability in percent; never 0 or 100, which no model can know."""
    return "< 0.1%" if p < 0.001 else "> 99.9%" if p > 0.999 else f"{p:.1%}"


def decimals(value: float) -> str:
    """Return a figure with three decimals, without a sign before zeros."""
    text = f"{value:.3f}"
    return text.removeprefix("-") if float(text) == 0 else text


def show_prediction(item: "Item", info: "BundleInfo") -> None:
    """Draw one prediction: class, probability and threshold in words and bars, or the reason why there is none."""
    if not item["class"]:
        st.error(f"{plain(item['file'])}: {plain(item['reason'])}")
        return
    probabilities, positive = item["probabilities"], info.positive
    st.subheader(plain(item["class"]), anchor=False)
    if positive is None:
        words = f"{percent(probabilities[item['class']])}, the most probable of {len(probabilities)} classes."
    else:
        side = "at or above" if item["class"] == positive else "below"
        chosen = f", chosen for {info.rule.chosen_for}" if info.rule.chosen_for else ""
        threshold = f"{100 * info.rule.threshold:.3g}%"
        words = f"{positive}: {percent(probabilities[positive])}, {side} the threshold of {threshold}{chosen}."
    st.markdown(plain(words))
    bars(probabilities, positive, info.rule.threshold)
    if item["reason"]:
        st.warning(plain(f"{item['reason'][:1].upper()}{item['reason'][1:]}"))


def bars(probabilities: dict[str, float], positive: str | None, threshold: float) -> None:
    """Draw the probabilities as horizontal bars, labelled with class and percentage; the positive one has its threshold."""
    label_of = {name: f"{name} {percent(p)}" for name, p in probabilities.items()}
    labels, muted = list(label_of.values()), theme.MUTED[theme.current()]
    values = [{"label": label, "p": p} for label, p in zip(labels, probabilities.values(), strict=True)]
    scale = {"domain": labels, "range": [theme.MARKS[k % len(theme.MARKS)] for k in range(len(labels))]}
    y = {"field": "label", "type": "nominal", "sort": labels, "title": None, "axis": {"labelLimit": 180}}
    axis = {"format": ".0%", "values": [0, 0.5, 1]}
    x = {"field": "p", "type": "quantitative", "title": "probability", "scale": {"domain": [0, 1]}, "axis": axis}
    bar = {"type": "bar", "height": 20, "cornerRadiusEnd": 3, "tooltip": False}
    colour = {"field": "label", "type": "nominal", "scale": scale, "legend": None}
    layers: list[dict[str, Any]] = [{"mark": bar, "encoding": {"y": y, "x": x, "color": colour}}]
    if positive is not None:
        line = {"type": "tick", "size": 32, "thickness": 3, "color": muted, "tooltip": False}
        layers.append({"mark": line, "encoding": {"y": {"datum": label_of[positive]}, "x": {"datum": threshold}}})
    spec = {
        "data": {"values": values},
        "layer": layers,
        "height": {"step": 34},
        "autosize": {"type": "fit-x", "contains": "padding"},
        "config": {
            "axis": {"labelColor": muted, "titleColor": muted},
        },  # its alternative text is the chart's
    }
    shown = f"Probabilities: {', '.join(labels)}"
    st.vega_lite_chart(spec=spec, width="stretch", alt=shown)


def many(
    items: "list[Item]",
    thumbs: list[str | None] | None,
    classes: list[str],
    more: dict[str, list] | None = None,
    remarks: Sequence[str] = (),
    n_left_out: int = 0,
) -> int:
    """Draw the predictions as a sortable table with a download; return the index of the selected row, at first 0.

    `thumbs` are the thumbnails of images, as `thumb` returns them; `more` are further columns, `remarks` concern all rows;
    `n_left_out` samples were more than are predicted at once.
    """
    folded(items, remarks, n_left_out)
    table: dict[str, list] = {"image": thumbs} if thumbs else {}
    table |= {"file": [item["file"] for item in items], "class": [item["class"] or None for item in items]}
    shown = classes[-1:] if len(classes) == 2 else classes  # the other's is what is left
    table |= {f"p({name})": [item["probabilities"].get(name) for item in items] for name in shown}
    table |= more or {}
    table |= {"reason": [item["reason"] for item in items]} if any(item["reason"] for item in items) else {}
    chosen = st.dataframe(
        as_percent(table, [f"p({name})" for name in shown]),
        hide_index=True,
        column_config={"image": st.column_config.ImageColumn("", width=THUMB + 16)},
        row_height=THUMB if thumbs else None,
        on_select="rerun",
        selection_mode="single-row-required",
        selection_default={"selection": {"rows": [0]}},
        key="table",
        alt="A row for each sample: file, class and probabilities, as in the downloadable CSV",
    )
    from pipeline.prediction.files import show

    data = show(items, classes, "csv").encode("utf-8", "replace")
    st.download_button("Download as CSV", data, "predictions.csv", "text/csv", on_click="ignore")
    rows = [row for row in chosen["selection"]["rows"] if row < len(items)]
    return rows[0] if rows else 0


def as_percent(table: dict[str, list], names: list[str]) -> Any:
    """Return a table for `st.dataframe` that shows probabilities as elsewhere on the page, and still sorts by them."""
    import pandas as pd

    frame = pd.DataFrame(table)
    signed = {"contribution": "{:+.3f}".format} if "contribution" in frame else {}
    return frame.style.format(dict.fromkeys(names, percent) | signed, na_rep="")


def folded(items: "list[Item]", remarks: Sequence[str], n_left_out: int = 0) -> None:
    """Draw how many samples were predicted and how many not; remarks and full reasons are one message, folded."""
    n_bad, noted = sum(not item["class"] for item in items), [item for item in items if item["reason"]]
    counted = f"**{len(items) - n_bad} predicted**" + (f", {n_bad} could not be used" if n_bad else "")
    counted += f", {n_left_out:,} left out" if n_left_out else ""
    if not remarks and not noted:
        st.markdown(counted)
        return
    with st.expander(f"{counted}. Remarks and reasons"):
        for remark in remarks:
            st.markdown(f"- {plain(remark)}")
        if noted:
            from app.views import written  # brings pandas

            shown = {"File": [item["file"] for item in noted], "Reason": [item["reason"] for item in noted]}
            written.show_columns(shown, "A row for each sample with a remark: file and reason")


def thumb(data: bytes, champion: "Champion") -> str | None:
    """Return a thumbnail as a data URL; None if the image cannot be read."""
    from pipeline.data import thumbnails

    try:
        return (
            "data:image/jpeg;base64,"
            + base64.b64encode(thumbnails.preview(data, THUMB, champion.info.pixel_rule)).decode()
        )
    except DataError:
        return None


def model(champion: "Champion") -> None:
    """Show which model predicts, and its performance on the test set."""
    from pipeline.evaluation.report import read_test

    info = champion.info
    try:
        test = read_test(champion.task, info.model)
    except (StageError, OSError, ValueError):
        st.caption(f"Predicted by {plain(champion.id)}, which has not been scored on the test set yet.")
        return
    n, groups = test.counts.n, test.counts.n_groups
    sample_count = f"{n} test samples" + (f" of {groups} groups" if groups != n else "")
    low, high = test.ci["roc_auc"]
    with st.container(border=True):
        st.markdown(f"**{plain(info.model)}** on {sample_count}")
        figures = {"AUC": f"{test['roc_auc']:.3f}"}
        if info.positive:
            figures |= {"Sensitivity": figure(test, "recall"), "Specificity": figure(test, "specificity")}
        else:
            figures |= {"Balanced accuracy": f"{test['balanced_accuracy']:.3f}"}
        with st.container(horizontal=True):
            for name, value in figures.items():
                st.metric(name, value)
        evaluations = evaluations_of(champion.task, info.model)
        of_class = f"; sensitivity is for {plain(info.positive)}" if info.positive else ""
        st.caption(
            f"AUC with 95 % interval {low:.3f} to {high:.3f}{of_class}. {evaluations}Bundle {plain(champion.id)}."
        )


def figure(scores: "Scores", key: str) -> str:
    """Return a figure with three decimals; a share of few cases as counts, "3 of 4"."""
    counts, value = scores.cases.get(key), scores.figures.get(key)
    if counts:
        return f"{counts[0]} of {counts[1]}"
    return "not defined" if value is None or value != value else decimals(value)


def evaluations_of(task: str, model: str) -> str:
    """Return a sentence on how often the test set has been evaluated; "" if this was not recorded."""
    from pipeline.evaluation.new_data import test_set_evaluations

    try:
        n = test_set_evaluations.count(task, model)
    except (OSError, ValueError, DataError) as error:
        return f"The number of test set evaluations is not known: {plain(str(error))}. "
    if not n:
        return ""
    words = test_set_evaluations.in_words(n)
    return f"{words[:1].upper()}{words[1:]}; with each evaluation, a good result is more likely to be due to chance. "
