"""The charts of the pages Compare, Data and Monitor: drawn by the browser, offline, in either theme.

No information is conveyed by colour alone: shapes, dashes or labels repeat it.
"""

from collections.abc import Iterable, Sequence
from itertools import cycle, islice
from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from app import theme

COLOURS = theme.MARKS
DASHES = [[1, 0], [6, 3], [2, 2], [8, 2, 2, 2], [4, 4], [10, 4], [1, 3]]
SHAPES = ["circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "triangle-right"]
GREY = "#888888"
MOST = 300  # points of a curve that are drawn
LEGEND = alt.Legend(orient="bottom", columns=2, labelLimit=300, title=None)
LINES = alt.Legend(orient="bottom", columns=2, labelLimit=300, title=None, symbolType="stroke", symbolSize=300)
NARROW = alt.Legend(orient="bottom", columns=1, labelLimit=200, title=None, symbolType="stroke", symbolSize=300)


def draw(chart: alt.Chart | alt.LayerChart | alt.FacetChart, alt_text: str, height: int = 300) -> None:
    """Draw a chart at full width; `alt_text` is read to people who cannot see it."""
    muted = theme.MUTED[theme.current()]
    chart = chart.properties(height=height).configure_axis(labelColor=muted, titleColor=muted)
    st.altair_chart(chart.configure_legend(labelColor=muted), width="stretch", alt=alt_text)


def thinned(curve: pd.DataFrame, most: int = MOST) -> pd.DataFrame:
    """Return at most `most` evenly spaced rows of a curve, including the first and the last."""
    if len(curve) <= most:
        return curve
    kept = sorted({round(k * (len(curve) - 1) / (most - 1)) for k in range(most)})
    return curve.iloc[kept]


def scale(names: list[str], values: Sequence[Any] = COLOURS) -> alt.Scale:
    """Return the scale that gives each of `names` its own of the `values`, by default a colour."""
    return alt.Scale(domain=names, range=list(islice(cycle(values), len(names))))


def series(names: list[str], legend: alt.Legend = LINES) -> dict[str, alt.Color | alt.StrokeDash]:
    """Return the encodings that give each of `names` in the column `name` its own colour and dash."""
    return {
        "color": alt.Color("name:N", scale=scale(names), legend=legend, sort=names),
        "strokeDash": alt.StrokeDash("name:N", scale=scale(names, DASHES), legend=legend, sort=names),
    }


def days() -> alt.Axis:
    """Return an axis of days."""
    return alt.Axis(format="%d %b", labelOverlap=True)


def tooltips(names: Iterable[str], form: str = ".3f") -> list[alt.Tooltip]:
    """Return tooltips with the numbers in the columns `names`."""
    return [alt.Tooltip(f"{name}:Q", format=form) for name in names]


def leaderboard(table: pd.DataFrame, metric: str, title: str) -> alt.LayerChart:
    """Return each model's metric with its interval, and its metric on the test set, best on top.

    `table`: leaderboard.csv, with `metric` as a column.
    """
    names = table["model"].where(table["champion"] != "yes", table["model"] + " (champion)")
    table, order = table.assign(name=names), names.tolist()
    y = alt.Y("name:N", sort=order, title=None, axis=alt.Axis(labelLimit=170, labelOverlap=False))
    kinds = ["out of fold, 95 % interval", "test"]
    long = pd.concat(
        [
            table[["name"]].assign(kind=kinds[0], value=table[metric]),
            table[["name"]].assign(kind=kinds[1], value=table[f"test_{metric}"]),
        ]
    ).dropna()
    base = alt.Chart(table).encode(y=y)
    ends = base.mark_rule(strokeWidth=2, color=COLOURS[0]).encode(
        x=alt.X(f"{metric}_low:Q", title=title, scale=alt.Scale(zero=False)), x2=f"{metric}_high:Q"
    )
    legend = alt.Legend(orient="bottom", title=None, columns=1, labelLimit=300)
    points = (
        alt.Chart(long)
        .mark_point(size=90, filled=True, opacity=1)
        .encode(
            x="value:Q",
            y=y,
            shape=alt.Shape("kind:N", scale=scale(kinds, ["circle", "diamond"]), legend=legend),
            color=alt.Color("kind:N", scale=scale(kinds), legend=legend),
            tooltip=["name:N", "kind:N", *tooltips(["value"])],
        )
    )
    return ends + points


def confusion(table: pd.DataFrame, order: list[str]) -> alt.LayerChart:
    """Return counts, with actual classes as rows and decided classes as columns, shaded by the share of the row.

    `table`: actual, decided, count and share.
    """
    table = table.assign(label=[f"{share:.0%}" for share in table["share"]])
    axis = alt.Axis(labelAngle=0 if len(order) < 3 else -30, labelLimit=130, labelOverlap=False, orient="bottom")
    base = alt.Chart(table).encode(
        x=alt.X("decided:N", sort=order, axis=axis), y=alt.Y("actual:N", sort=order, axis=alt.Axis(labelLimit=90))
    )
    shade = alt.Color("share:Q", scale=alt.Scale(domain=[0, 1], range=["#EAF3FA", "#00588A"]), legend=None)
    ink = alt.condition("datum.share > 0.5", alt.value("#FFFFFF"), alt.value("#1B2733"))
    tooltip = ["actual", "decided", "count", alt.Tooltip("share:Q", format=".1%", title="share of the row")]
    cells = base.mark_rect(stroke=GREY, strokeWidth=0.5).encode(color=shade, tooltip=tooltip)
    counts = base.mark_text(dy=-7, fontSize=14, fontWeight="bold").encode(text="count:Q", color=ink)
    shares = base.mark_text(dy=9, fontSize=11).encode(text="label:N", color=ink)
    return cells + counts + shares


def importance(table: pd.DataFrame) -> alt.LayerChart:
    """Return a bar for each column, most important on top, with the range over folds. `table`: importance.csv."""
    y = alt.Y("column:N", sort=table["column"].tolist(), title=None, axis=alt.Axis(labelLimit=200, labelOverlap=False))
    base = alt.Chart(table).encode(y=y)
    tooltip = ["column:N", *tooltips(("importance", "low", "high"))]
    bars = base.mark_bar(color=COLOURS[0]).encode(x=alt.X("importance:Q", title="log loss lost"), tooltip=tooltip)
    return bars + base.mark_rule(color=GREY, strokeWidth=2).encode(x="low:Q", x2="high:Q")


def roc(curves: dict[str, pd.DataFrame], chosen: str) -> alt.LayerChart:
    """Return ROC curves (fpr, tpr) by model, with the selected model bold and on top."""
    rest = [name for name in curves if name != chosen]
    thin = {name: thinned(curve).reset_index(names="row").assign(name=name) for name, curve in curves.items()}
    table = pd.concat([thin[name] for name in [*rest, chosen] if name in thin])
    x, y = alt.X("fpr:Q", title="1 - specificity"), alt.Y("tpr:Q", title="sensitivity")
    lines = (
        alt.Chart(table)
        .mark_line()
        .encode(
            x=x,
            y=y,
            order="row:Q",
            **series(list(curves)),
            strokeWidth=alt.condition(alt.datum.name == chosen, alt.value(3.5), alt.value(1.3)),
            tooltip=["name:N", *tooltips(("fpr", "tpr"))],
        )
    )
    return diagonal("fpr", "tpr") + lines


def diagonal(x: str, y: str) -> alt.Chart:
    """Return the line from (0, 0) to (1, 1)."""
    ends = pd.DataFrame({x: [0, 1], y: [0, 1]})
    return alt.Chart(ends).mark_line(color=GREY, strokeDash=[4, 4], strokeWidth=1).encode(x=f"{x}:Q", y=f"{y}:Q")


def reliability(bins: pd.DataFrame, curve: pd.DataFrame | None, predicted: str, observed: str) -> alt.LayerChart:
    """Return the observed share over the predicted probability of each bin, with its interval, and the `curve` with its band."""
    x, y = alt.X("predicted:Q", title=predicted), alt.Y("observed:Q", title=observed)
    base = alt.Chart(bins).encode(x=x)
    ends = base.mark_rule(color=COLOURS[0]).encode(y=alt.Y("low:Q", title=observed), y2="high:Q")
    shown = tooltips(("predicted", "observed", "low", "high"))
    line = base.mark_line(color=COLOURS[0], point=alt.OverlayMarkDef(size=60, filled=True, color=COLOURS[0]))
    if curve is not None:
        smooth = alt.Chart(curve).encode(x=x)
        band = smooth.mark_area(color=COLOURS[0], opacity=0.15).encode(y=alt.Y("low:Q", title=observed), y2="high:Q")
        ends = band + smooth.mark_line(color=COLOURS[0], strokeDash=[2, 2]).encode(y=y) + ends
    return diagonal("predicted", "observed") + ends + line.encode(y=y, tooltip=[*shown, "n:Q", "n_groups:Q"])


def curves(table: pd.DataFrame, x: str, y: str, names: list[str], whole: bool = False) -> alt.Chart:
    """Return a line for each of `names` over columns x, y and name; `whole`: x is an integer."""
    axis = alt.Axis(tickMinStep=1, format="d") if whole else alt.Axis()
    return (
        alt.Chart(table)
        .mark_line(point=len(table) < 5 * len(names), strokeWidth=2)
        .encode(
            x=alt.X(f"{x}:Q", axis=axis),
            y=alt.Y(f"{y}:Q"),
            **series(names),
            tooltip=["name:N", *tooltips([x], "d" if whole else ".3g"), *tooltips([y])],
        )
    )


def rule(x: float, text: str, colour: str = GREY) -> alt.LayerChart:
    """Return a vertical line at `x` with a label."""
    base = alt.Chart(pd.DataFrame({"x": [x], "text": [text]})).encode(x=alt.X("x:Q", title=None))
    name = base.mark_text(align="left", dx=4, dy=-4, fontSize=12, color=colour).encode(text="text:N", y=alt.value(12))
    return base.mark_rule(color=colour, strokeDash=[4, 4], strokeWidth=2) + name


def steps(table: pd.DataFrame, title: str | None, names: list[str], top: float | None = None) -> alt.Chart:
    """Return a histogram as a stepped line for each of `names`: columns low, high, share and name."""
    return (
        alt.Chart(table)
        .mark_line(interpolate="step-after", strokeWidth=2)
        .encode(
            x=alt.X("low:Q", title=title, scale=alt.Scale(zero=False)),
            y=alt.Y("share:Q", axis=alt.Axis(format="%"), scale=alt.Scale(domainMax=top) if top else alt.Undefined),
            **series(names, NARROW),
            tooltip=["name:N", "low:Q", "high:Q", *tooltips(["share"], ".1%")],
        )
    )


def bars(table: pd.DataFrame, title: str | None, names: list[str]) -> alt.Chart:
    """Return the share of each category, grouped bars for `names`: columns value, share and name."""
    order = list(dict.fromkeys(table["value"]))
    return (
        alt.Chart(table)
        .mark_bar()
        .encode(
            y=alt.Y("value:N", title=title, sort=order, axis=alt.Axis(labelLimit=140, labelOverlap=False)),
            yOffset=alt.YOffset("name:N", sort=names),
            x=alt.X("share:Q", axis=alt.Axis(format="%")),
            color=alt.Color("name:N", scale=scale(names), legend=LEGEND),
            tooltip=["value:N", "name:N", "n:Q", *tooltips(["share"], ".1%")],
        )
    )


def stacked(table: pd.DataFrame, names: list[str]) -> alt.Chart:
    """Return the counts of each part of the split, classes stacked: columns part, name and n."""
    order = list(dict.fromkeys(table["part"]))
    base = alt.Chart(table[table["n"] > 0]).encode(
        y=alt.Y("part:N", sort=order, title=None, axis=alt.Axis(labelOverlap=False)),
        x=alt.X("n:Q", stack="zero", title="samples"),
        order=alt.Order("turn:Q"),
        tooltip=["part:N", "name:N", "n:Q"],
    )
    return base.mark_bar().encode(color=alt.Color("name:N", scale=scale(names), legend=LEGEND))


def sizes(table: pd.DataFrame, names: list[str]) -> alt.Chart:
    """Return a scatter plot of image sizes, with marks sized by count: columns width, height, name and n."""
    return (
        alt.Chart(table)
        .mark_point(filled=True, opacity=0.6)
        .encode(
            x=alt.X("width:Q", title="width (px)", scale=alt.Scale(zero=False)),
            y=alt.Y("height:Q", title="height (px)", scale=alt.Scale(zero=False)),
            size=alt.Size("n:Q", legend=None, scale=alt.Scale(range=[30, 400])),
            color=alt.Color("name:N", scale=scale(names), legend=LEGEND),
            shape=alt.Shape("name:N", scale=scale(names, SHAPES), legend=LEGEND),
            tooltip=["name:N", "width:Q", "height:Q", "n:Q"],
        )
    )


def by_day(table: pd.DataFrame, names: list[str]) -> alt.Chart:
    """Return the counts of each day, outcomes stacked: columns day, name and count."""
    legend = alt.Legend(orient="bottom", title=None, columns=3)
    return (
        alt.Chart(table)
        .mark_bar()
        .encode(
            x=alt.X("yearmonthdate(day):T", title=None, axis=days()),
            y=alt.Y("count:Q", title="samples", axis=alt.Axis(tickMinStep=1)),
            color=alt.Color("name:N", scale=scale(names), legend=legend, sort=names),
            tooltip=["day:N", "name:N", "count:Q"],
        )
    )


def share_by_day(table: pd.DataFrame, usual: float | None, ends: list[str]) -> alt.LayerChart:
    """Return the share of each day with its interval, and the `usual` share as a line: columns day, share, low, high and n.

    `ends` are the first and the last day of the axis.
    """
    span = alt.Scale(domain=[f"{day}T00:00:00" for day in ends])
    x = alt.X("yearmonthdate(day):T", title=None, scale=span, axis=days())
    y = alt.Y("share:Q", title="refused", axis=alt.Axis(format="%"), scale=alt.Scale(domainMin=0))
    base = alt.Chart(table).encode(x=x)
    bars = base.mark_rule(color=COLOURS[1], strokeWidth=2).encode(y=alt.Y("low:Q", title="refused"), y2="high:Q")
    tooltip = ["day:N", "n:Q", *tooltips(("share", "low", "high"), ".1%")]
    points = base.mark_point(color=COLOURS[1], size=70, filled=True, opacity=1).encode(y=y, tooltip=tooltip)
    if usual is None:
        return bars + points
    line = alt.Chart(pd.DataFrame({"usual": [usual], "text": ["training"]})).encode(y=alt.Y("usual:Q", title="refused"))
    name = line.mark_text(align="left", dy=-7, dx=3, color=GREY, fontSize=12).encode(text="text:N", x=alt.value(0))
    return line.mark_rule(color=GREY, strokeDash=[4, 4], strokeWidth=2) + name + bars + points
