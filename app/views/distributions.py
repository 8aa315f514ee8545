"""Parts of the page Data: sizes and formats of pictures, how bright they are, and the columns of tables, by class."""

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
    """Return samples.csv without unreadable samples, and only of `paths` where they are given."""
    table = written.table(TaskPaths(task).samples, f"scan@{task}", text=True)
    kept = table["error"] == ""
    return table[kept if paths is None else kept & table["path"].isin(paths)]


def pictures(task: str, paths: set[str] | None) -> None:
    """Draw pictures by width and height, and count formats and modes."""
    st.subheader("Size and format")
    found = usable(task, paths)
    names = sorted(set(found["label"]))
    found = found.assign(width=pd.to_numeric(found["width"]), height=pd.to_numeric(found["height"]))
    by_size = found.groupby(["width", "height", "label"], as_index=False).size()
    by_size = by_size.rename(columns={"label": "name", "size": "n"})
    thinned = by_size if len(by_size) <= MOST_SIZES else by_size.sample(MOST_SIZES, random_state=0)
    width, height = found["width"], found["height"]
    says = f"Pictures by width, {width.min()} to {width.max()} px, and height, {height.min()} to {height.max()} px"
    left, right = st.columns([3, 2])
    with left:
        charts.draw(charts.sizes(thinned, names), says, 320)
        if len(thinned) < len(by_size):
            st.caption(f"{len(thinned):,} of {len(by_size):,} sizes, drawn by lot.")
    with right:
        by_class = found.groupby("label")[["width", "height"]].median().astype(int)
        shown = pd.crosstab(found["label"], found["format"] + " " + found["mode"]).rename_axis("Class")
        shown["Median size (px)"] = by_class["width"].astype(str) + " x " + by_class["height"].astype(str)
        written.show(shown.reset_index(), "Formats, colour modes and median size by class")
        st.caption("Format and colour mode as stored. If they differ between classes, a model may learn them instead.")


def intensity(task: str) -> None:
    """Draw how bright pictures are, by channel and class."""
    st.subheader("Pixel intensity")
    table = written.table(TaskPaths(task).intensity, f"scan@{task}")
    table = table.rename(columns={"class": "name", "bin_low": "low", "bin_high": "high"})
    table["name"] = table["name"].astype(str)
    last = table[table["high"] == 255].assign(low=256)  # so that the last bin has a width
    names, top = sorted(set(table["name"])), 1.05 * float(table["share"].max())
    table = pd.concat([table, last])
    for place, (channel, rows) in zip(st.columns(3), table.groupby("channel", sort=False), strict=True):
        bins = rows[rows["low"] < 256]
        means = (bins["low"] + bins["high"]).mul(bins["share"] / 2).groupby(bins["name"]).sum()
        says = f"Intensity of {channel} by class, means: " + ", ".join(
            f"{name} {mean:.0f}" for name, mean in means.items()
        )
        with place:
            st.markdown(f"**{channel.capitalize()}**")
            charts.draw(charts.steps(rows, "intensity, 0 to 255", names, top), says, 230 + 20 * len(names))
    st.caption(
        "Share of a class's pixels in each of 32 bins: every readable picture at 224 px, every fourth row and column, "
        "whatever is chosen above."
    )


def columns(task: str, kind: str, paths: set[str] | None) -> None:
    """Let the reader choose a column of a table, or one that a CSV gives beside the pictures, and draw it by class."""
    found = usable(task, paths)
    if kind == "table":
        st.subheader("Features")
        features = written.table(TaskPaths(task).columns, f"scan@{task}", text=True)
        features = features.loc[found.index]
    else:
        features = found.drop(columns=COLUMNS)
        if not len(features.columns):
            return
        st.subheader("Further columns")
    column = st.selectbox("Column", list(features.columns), key=f"column of {task}")
    distribution(features[[column]], found["label"])


def distribution(column: pd.DataFrame, labels: pd.Series) -> None:
    """Draw one column by class: a histogram of numbers, bars of categories."""
    (title,) = column
    values, names = tables.typed(column)[title].set_axis(labels.index), sorted(set(labels))
    number = tables.is_number(values)
    known = values.notna() if number else values != ""
    shown = pd.DataFrame({"value": values[known], "name": labels[known]})
    missing = f"{int((~known).sum()):,} of {len(values):,} are missing." if not known.all() else "None is missing."
    if not len(shown):
        st.write(f"{plain(title)}: no value is known.")
        return
    if number and shown["value"].nunique() > tables.MAX_VALUES:
        middle = shown.groupby("name")["value"].median()
        says = f"{title} by class, medians: " + ", ".join(f"{name} {value:.3g}" for name, value in middle.items())
        charts.draw(charts.steps(binned(shown), title, names), says)
        written.show(summary(shown), f"{title} by class")
    else:
        table = counted(shown)
        most = table.loc[table.groupby("name")["share"].idxmax()]
        said = (f"{name} {value}" for name, value in zip(most["name"], most["value"], strict=True))
        says = f"{title} by class, most frequent: {', '.join(said)}"
        charts.draw(charts.bars(table, title, names), says, 60 + 14 * len(names) * table["value"].nunique())
    st.caption(f"Share of each class's samples. {missing}")


def binned(shown: pd.DataFrame) -> pd.DataFrame:
    """Return a histogram of `value` for each `name`: low, high, share and name; a last row of each brings its line down."""
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
    """Return n and share of each `value` for each `name`: numbers in order, words by frequency, the rare ones as one."""
    values = shown["value"]
    order = sorted(set(values)) if values.dtype == np.float64 else values.value_counts().index.tolist()
    kept = order[:MOST_VALUES]
    words = {value: f"{value:g}" if isinstance(value, float) else value for value in kept}
    shown = shown.assign(value=values.map(words).fillna(f"{len(order) - len(kept)} others"))
    table = pd.crosstab(shown["value"], shown["name"])
    table = table.reindex([*words.values(), *(name for name in table.index if name not in words.values())])
    long = table.rename_axis("value").reset_index().melt("value", var_name="name", value_name="n")
    return long.assign(share=long["n"] / long.groupby("name")["n"].transform("sum"))
