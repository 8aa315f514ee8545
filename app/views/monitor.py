"""The page Monitor: what the champion was shown, day by day, and whether it is like what it was trained on."""

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from app import champions, monitor
from app.recorder import EVERY, KEPT
from app.views import charts, written
from app.views.answer import plain
from pipeline.core.errors import BundleError
from pipeline.monitoring import drift, histograms
from pipeline.stats import intervals

BOXES = {"unlike": st.error, "shifted": st.warning, "alike": st.success}  # of the verdicts; others are told as they are
OUTCOMES = ["answered", "refused", "unreadable"]
PLACES = 12  # rows of the table of directions or columns


def show(task: str) -> None:
    """Draw the page."""
    st.title("Monitor", anchor=False)
    try:
        champion, note = champions.champion(task)
    except BundleError as error:
        st.error(plain(str(error)))
        return
    if note:
        st.warning(plain(note))
    found = monitor.report(champions.recorder(), task, champion.id, champion.info)
    st.markdown(f"What {plain(champion.id)} was shown in the last {drift.DAYS} days, by this app and the API.")
    BOXES.get(found["drift"]["verdict"], st.info)(plain(found["drift"]["sentence"]))
    numbers(found)
    by_day(found)
    if sum(found["counts"]["distance"]) and found["training"]:
        against_training(found)
    figures(found)
    st.caption(
        f"Only these counts are kept, by day (UTC) and bundle, for {KEPT} days: no picture, no row, no name. What was shown "
        f"in the last {EVERY} s may not be here yet, and every sample counts as independent of the others. Alike is not right: "
        "only labels say whether the answers are."
    )


def numbers(found: dict[str, Any]) -> None:
    """Draw the counts of the week as large figures."""
    counts, training = found["counts"], found["training"]
    refused = counts["refused"] / counts["n"] if counts["n"] else None
    of_training = f"training {training['refused'] / total(training):.1%}" if training else ""
    late = histograms.quantile(np.asarray(counts["seconds"]), 0.95)
    shown = {
        "Samples": (f"{counts['n']:,}", ""),
        "Refused": ("none yet" if refused is None else f"{refused:.1%}", of_training),
        "Unreadable": (f"{counts['unreadable']:,}", ""),
        "95 % within": ("none yet" if late is None else said_seconds(late), ""),
    }
    for place, (name, (value, beside)) in zip(st.columns(4), shown.items(), strict=True):
        place.metric(name, value, beside or None, delta_color="off", delta_arrow="off")


def said_seconds(seconds: float) -> str:
    """Return a latency in words."""
    if seconds > histograms.SECONDS[-1]:
        return f"over {histograms.SECONDS[-1]} s"
    return f"{seconds * 1000:g} ms" if seconds < 1 else f"{seconds:g} s"


def total(counts: dict[str, Any]) -> int:
    """Return how many samples could be read."""
    return sum(counts["answers"].values()) + counts["refused"]


def by_day(found: dict[str, Any]) -> None:
    """Draw how many samples came each day, and which share of them was refused."""
    st.header("By day", anchor=False)
    rows = [
        {"day": one["day"], "n": one["n"], "answered": sum(one["answers"].values())} | one for one in found["by_day"]
    ]
    days = pd.DataFrame(rows)[["day", "n", *OUTCOMES]]
    left, right = st.columns(2)
    with left:
        st.markdown("**Samples**")
        long = days.melt("day", OUTCOMES, "name", "count")
        says = f"Samples by day: {', '.join(f'{row.day} {row.n}' for row in days[days['n'] > 0].itertuples())}"
        charts.draw(charts.by_day(long, OUTCOMES), says, 260)
    with right:
        st.markdown("**Share refused, with its 95 % interval**")
        some = days[days["n"] > 0]
        ends = [intervals.wilson(int(row.refused), int(row.n)) for row in some.itertuples()]
        some = some.assign(
            share=some["refused"] / some["n"], low=[low for low, _ in ends], high=[high for _, high in ends]
        )
        usual = found["training"]["refused"] / total(found["training"]) if found["training"] else None
        says = f"Share refused: {', '.join(f'{row.day} {row.share:.0%}' for row in some.itertuples())}"
        charts.draw(charts.share_by_day(some, usual, days["day"].iloc[[0, -1]].tolist()), says, 260)


def against_training(found: dict[str, Any]) -> None:
    """Draw distance, probability and answers of the week beside those of the training data, out of fold."""
    st.header("Against the training data", anchor=False)
    names = ["served", "training, out of fold"]
    sides = list(zip(names, (found["counts"], found["training"]), strict=True))
    left, right = st.columns(2)
    with left:
        st.markdown("**Distance to the training data, in thresholds of refusal**")
        ends = [*found["bins"]["distance"], found["bins"]["distance"][-1] + histograms.DISTANCE]
        table = pd.concat([steps(one["distance"], ends, name) for name, one in sides])
        used = table.loc[table["share"] > 0, "low"]
        table = table[
            table["low"].between(used.min() - histograms.DISTANCE, max(1.1, used.max() + 2 * histograms.DISTANCE))
        ]
        chart = charts.steps(table, None, names) + charts.rule(1, "refused")
        charts.draw(chart, f"Distance: {said_middle(sides, 'distance', ends)}")
    info_title = (
        "probability of the positive class" if len(found["training"]["answers"]) == 2 else "highest probability"
    )
    with right:
        st.markdown("**Probability, of what was answered**")
        ends = found["bins"]["probability"]
        table = pd.concat([steps(one["probability"], ends, name) for name, one in sides])
        charts.draw(charts.steps(table, info_title, names), f"Probability: {said_middle(sides, 'probability', ends)}")
    rows = [
        {"value": answer, "name": name, "n": n, "share": n / max(1, sum(one["answers"].values()))}
        for answer in found["training"]["answers"]
        for name, one in sides
        for n in [one["answers"].get(answer, 0)]
    ]
    st.markdown("**Answers**")
    says = ", ".join(f"{row['value']} {row['share']:.0%} {row['name']}" for row in rows)
    charts.draw(charts.bars(pd.DataFrame(rows), None, names), f"Answers: {says}", 110 + 25 * len(rows))


def steps(counts: list[int], ends: list[float], name: str) -> pd.DataFrame:
    """Return a histogram for `charts.steps`; a last row brings its line down."""
    share = np.asarray(counts) / max(1, sum(counts))
    lows = ends[: len(counts) + 1]
    return pd.DataFrame({"low": lows, "high": [*lows[1:], lows[-1]], "share": [*share, 0], "name": name})


def said_middle(sides: list[tuple[str, dict]], what: str, ends: list[float]) -> str:
    """Return in which bin the median of each side lies, in words."""
    said = []
    for name, one in sides:
        below = np.cumsum(one[what])
        k = int(np.searchsorted(below, below[-1] / 2))
        said.append(f"{name} median {ends[k]:g} to {ends[k + 1]:g}")
    return ", ".join(said)


def figures(found: dict[str, Any]) -> None:
    """Draw the figures that the verdict rests on, of places the strongest."""
    all_of = found["drift"]["figures"]
    if not all_of:
        return
    st.subheader("What the verdict rests on", anchor=False)
    places = sorted((one for one in all_of if one["of"] == "place"), key=lambda one: -abs(one["beyond"] - 0.5))
    shown = [one for one in all_of if one["of"] != "place"] + places[:PLACES]
    written.show(pd.DataFrame([row_of(one) for one in shown]), "Figures that the verdict rests on")
    left_out = f" {len(places) - PLACES} places that differ less are left out." if len(places) > PLACES else ""
    what = "column" if found["kind"] == "table" else "direction in which training images differ most"
    st.caption(
        "Intervals hold in 95 % of cases for all figures together. Distance and place: the share of pairs in which the served "
        f"sample lies beyond the training sample; alike would be 50 %. Place: along a {what}.{left_out}"
    )


def row_of(one: dict[str, Any]) -> dict[str, str]:
    """Return a figure as a row of the table."""
    low, high = one["ci"]
    what = {"refused": "share refused", "distance": "distance: pairs beyond"}.get(one["of"])
    what = what or (f"share answered {one['name']}" if one["of"] == "answer" else f"{one['name']}: pairs beyond")
    if "beyond" in one:
        value, ends, usual = f"{one['beyond']:.0%}", f"{low:.0%} to {high:.0%}", "50%"
    else:
        value, usual = f"{one['served']:.1%}", f"{one['training']:.1%}"
        ends = f"difference {low * 100:+.0f} to {high * 100:+.0f} points"
    said = "unlike" if one["alarm"] else "differs" if one["differs"] else ""
    return {"Figure": what, "Served": value, "Training": usual, "Interval": ends, "Verdict": said}
