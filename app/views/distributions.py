"""Sections of the page Data: sizes, formats and intensities of images, and columns of tables, by class."""

import numpy as np
import pandas as pd
import streamlit as st

from app.views import charts, written
from app.views.answer import plain
from pipeline.core.paths import TaskPaths
from pipeline.data import tables
from pipeline.data.folder_layout import COLUMNS

BINS = 24  # of a histogram
MOST_SIZES = 1500  # points of the chart of sizes
MOST_VALUES = 20  # categories that are drawn


def usable(task: str, paths: set[str] | None) -> pd.DataFrame:
    """Return samples.csv without unreadable samples, restricted to `paths` if given."""
    table = written.table(TaskPaths(task).samples, f"scan@{task}", text=True)
    kept = table["error"] == ""
    return table[kept if paths is None else kept & table["path"].isin(paths)]


def images(task: str, paths: set[str] | None) -> None:
    """Draw images by width and height, and count formats and modes."""
    st.subheader("Size and format")
    samples = usable(task, paths)
    names = sorted(set(samples["label"]))
    samples = samples.assign(width=pd.to_numeric(samples["width"]), height=pd.to_numeric(samples["height"]))
    by_size = samples.groupby(["width", "height", "label"], as_index=False).size()
    by_size = by_size.rename(columns={"label": "name", "size": "n"})
    thinned = by_size if len(by_size) <= MOST_SIZES else by_size.sample(MOST_SIZES, random_state=0)
    width, height = samples["width"], samples["height"]
    alt_text = f"Images by width, {width.min()} to {width.max()} px, and height, {height.min()} to {height.max()} px"
    left, right = st.columns([3, 2])
    with left:
        charts.draw(charts.sizes(thinned, names), alt_text, 320)
        if len(thinned) < len(by_size):
            st.caption(f"{len(thinned):,} of {len(by_size):,} sizes, randomly selected.")
    with right:
        by_class = samples.groupby("label")[["width", "height"]].median().astype(int)
        shown = pd.crosstab(samples["label"], samples["format"] + " " + samples["mode"]).rename_axis("Class")
        shown["Median size (px)"] = by_class["width"].astype(str) + " x " + by_class["height"].astype(str)
        written.show(shown.reset_index(), "Formats, colour modes and median size by class")
        st.caption(
            "Format and colour mode as stored. If they differ between classes, a model may learn this difference."
        )


def intensity(task: str) -> None:
    """Draw pixel intensities by channel and class."""
    st.subheader("Pixel intensity")
    table = written.table(TaskPaths(task).intensity, f"scan@{task}")
    table = table.rename(columns={"class": "name", "bin_low": "low", "bin_high": "high"})
    table["name"] = table["name"].astype(str)
    last = table[table["high"] == 255].assign(low=256)  # so that the last bin has a width
    names, top = sorted(set(table["name"])), 1.05 * float(table["share"].max())
    table = pd.concat([table, last])
    for column, (channel, rows) in zip(st.columns(3), table.groupby("channel", sort=False), strict=True):
        bins = rows[rows["low"] < 256]
        means = (bins["low"] + bins["high"]).mul(bins["share"] / 2).groupby(bins["name"]).sum()
        alt_text = f"Intensity of {channel} by class, means: " + ", ".join(
            f"{name} {mean:.0f}" for name, mean in means.items()
        )
        with column:
            st.markdown(f"**{channel.capitalize()}**")
            charts.draw(charts.steps(rows, "intensity, 0 to 255", names, top), alt_text, 230 + 20 * len(names))
    st.caption(
        "Share of a class's pixels in each of 32 bins, over all readable images at 224 px, every fourth row and column. "
        "This chart always shows all samples."
    )


def columns(task: str, kind: str, paths: set[str] | None) -> None:
    """Draw the choice of a column of a table, or a clinical column of images, and its distribution by class."""
    samples = usable(task, paths)
    if kind == "table":
        st.subheader("Features")
        features = written.table(TaskPaths(task).columns, f"scan@{task}", text=True)
        features = features.loc[samples.index]
    else:
        features = samples.drop(columns=COLUMNS)
        if not len(features.columns):
            return
        st.subheader("Further columns")
    column = st.selectbox("Column", list(features.columns), key=f"column of {task}")
    distribution(features[[column]], samples["label"])


def distribution(column: pd.DataFrame, labels: pd.Series) -> None:
    """Draw one column by class: a histogram of numbers, bars of categories."""
    (title,) = column
    values, names = tables.typed(column)[title].set_axis(labels.index), sorted(set(labels))
    number = tables.is_number(values)
    known = values.notna() if number else values != ""
    shown = pd.DataFrame({"value": values[known], "name": labels[known]})
    missing = f"{int((~known).sum()):,} of {len(values):,} are missing." if not known.all() else "No value is missing."
    if not len(shown):
        st.write(f"{plain(title)}: no value is known.")
        return
    if number and shown["value"].nunique() > tables.MAX_VALUES:
        middle = shown.groupby("name")["value"].median()
        alt_text = f"{title} by class, medians: " + ", ".join(f"{name} {value:.3g}" for name, value in middle.items())
        charts.draw(charts.steps(binned(shown), title, names), alt_text)
        written.show(summary(shown), f"{title} by class")
    else:
        table = counted(shown)
        most = table.loc[table.groupby("name")["share"].idxmax()]
        frequent = (f"{name} {value}" for name, value in zip(most["name"], most["value"], strict=True))
        alt_text = f"{title} by class, most frequent: {', '.join(frequent)}"
        charts.draw(charts.bars(table, title, names), alt_text, 60 + 14 * len(names) * table["value"].nunique())
    st.caption(f"Share of each class's samples. {missing}")


def binned(shown: pd.DataFrame) -> pd.DataFrame:
    """Return a histogram of `value` for each `name`: low, high, share and name; the last row closes the line at 0."""
    edges = np.histogram_bin_edges(shown["value"], BINS)
    rows = []
    for name, values in shown.groupby("name")["value"]:
        share = np.histogram(values, edges)[0] / len(values)
        rows.append(pd.DataFrame({"low": edges, "high": [*edges[1:], edges[-1]], "share": [*share, 0], "name": name}))
    return pd.concat(rows)


def summary(shown: pd.DataFrame) -> pd.DataFrame:
    """Return count, median, quartiles and range of `value` for each `name`, as text."""

    def of(values: pd.Series) -> dict[str, int | str]:
        low, first, middle, third, high = (f"{values.quantile(q):.3g}" for q in (0, 0.25, 0.5, 0.75, 1))
        return {
            "Samples": len(values),
            "Median": middle,
            "Quartiles": f"{first} to {third}",
            "Range": f"{low} to {high}",
        }

    return pd.DataFrame([{"Class": name} | of(values) for name, values in shown.groupby("name")["value"]])


def counted(shown: pd.DataFrame) -> pd.DataFrame:
    """Return n and share of each `value` for each `name`: numbers in order, categories by frequency, rare ones combined."""
    values = shown["value"]
    order = sorted(set(values)) if values.dtype == np.float64 else values.value_counts().index.tolist()
    kept = order[:MOST_VALUES]
    words = {value: f"{value:g}" if isinstance(value, float) else value for value in kept}
    shown = shown.assign(value=values.map(words).fillna(f"{len(order) - len(kept)} others"))
    table = pd.crosstab(shown["value"], shown["name"])
    table = table.reindex([*words.values(), *(name for name in table.index if name not in words.values())])
    long = table.rename_axis("value").reset_index().melt("value", var_name="name", value_name="n")
    return long.assign(share=long["n"] / long.groupby("name")["n"].transform("sum"))
