"""On the page Retrain: a batch's comparison of champion and challenger, as figures and in words, and what the batch is like."""

import altair as alt
import pandas as pd
import streamlit as st

from app.views import charts, written
from app.views.answer import plain
from app.views.written import three
from pipeline.evaluation.metric_names import NAMES
from pipeline.retraining import recommendation
from pipeline.retraining.records import BatchProfile, Change, Comparison


def say(found: Comparison) -> None:
    """Draw the recommendation, and what to check first."""
    (st.success if found.passed else st.warning)(plain(found.recommendation))
    if found.cautions:
        st.markdown("**Look at this before you decide**")
        st.markdown("\n".join(f"- {plain(one)}" for one in found.cautions))


def show(found: Comparison) -> None:
    """Draw what a comparison rests on."""
    effect, batch = st.tabs(["Effect on the champion's samples", "The batch itself"])
    with effect:
        differences(found)
    with batch:
        about(found.batch)


def rows_of(found: Comparison) -> list[tuple[str, Change]]:
    """Return what is compared, each with its name: guarded metrics, classes, subgroups."""
    rows = [(NAMES.get(name, name), found.metrics[name]) for name in found.guarded]
    rows += [(f"{label}: {NAMES.get(name, name)}", one) for label, name, one in recommendation.of_classes(found)]
    for row in found.subgroups:
        where = f"{row.column} {row.value} ({row.n}{', few' if row.few else ''})"
        rows += [(f"{where}: {NAMES[name]}", one) for name, one in row.metrics.items() if name in SHOWN]
    return rows


SHOWN = ("accuracy", "roc_auc")  # of subgroups; the table has the others as well


def differences(found: Comparison) -> None:
    """Draw the differences as a chart and as a table."""
    rows = rows_of(found)
    table = pd.DataFrame(
        [
            {"name": name, "difference": change.difference, "low": change.ci[0], "high": change.ci[1]}
            for name, change in rows
            if change.is_defined
        ]
    )
    if len(table):
        says = "; ".join(f"{row['name']} {row['difference']:+.3f}" for row in table.to_dict("records"))
        charts.draw(chart(table, found.margin), f"Gain by the batch, with intervals: {says}", 70 + 22 * len(table))
    st.caption(
        f"With the batch less without it, on the champion's own {found.n} development samples, out of fold, paired, with 95 % "
        f"intervals over groups. Right of the solid line it gains. The gate asks that no interval of "
        f"{', '.join(plain(NAMES.get(name, name)) for name in found.guarded)} reaches left of the dashed one "
        f"({found.margin:g}). Of many classes and subgroups some seem to lose by chance."
    )
    with st.expander("As a table"):
        shown = {
            "": [name for name, _ in rows],
            "Champion": [three(change.champion) for _, change in rows],
            "With the batch": [three(change.challenger) for _, change in rows],
            "Difference": [gain(change) for _, change in rows],
        }
        written.show(pd.DataFrame(shown), "Champion and challenger: each metric of all, by class and by subgroup")


def gain(change: Change) -> str:
    """Return a difference with its interval."""
    return recommendation.gain(change) if change.is_defined else "not defined"


def chart(table: pd.DataFrame, margin: float) -> alt.LayerChart:
    """Return a point with its interval for each row (name, difference, low, high), beside no difference and the margin."""
    order = table["name"].tolist()
    y = alt.Y("name:N", sort=order, title=None, axis=alt.Axis(labelLimit=230, labelOverlap=False))
    base = alt.Chart(table).encode(y=y)
    ends = base.mark_rule(strokeWidth=2, color=charts.COLOURS[0]).encode(
        x=alt.X("low:Q", title="gain by the batch"), x2="high:Q"
    )
    tooltip = ["name:N", *(alt.Tooltip(f"{name}:Q", format="+.3f") for name in ("difference", "low", "high"))]
    points = base.mark_point(size=60, filled=True, opacity=1, color=charts.COLOURS[0]).encode(
        x="difference:Q", tooltip=tooltip
    )
    none = alt.Chart(pd.DataFrame({"x": [0.0]})).mark_rule(color=charts.GREY).encode(x="x:Q")
    most = alt.Chart(pd.DataFrame({"x": [-margin]})).mark_rule(color=charts.COLOURS[1], strokeDash=[5, 4])
    return none + most.encode(x="x:Q") + ends + points


def about(batch: BatchProfile) -> None:
    """Draw what a batch is like: its balance, what the audit says of it, how unlike the training data it is."""
    share = recommendation.shares(batch.development)
    shown = {
        "Class": list(batch.development),
        "In the batch": [batch.labels.get(label, 0) for label in batch.development],
        "Development before": [counts(batch, share, label, "before") for label in batch.development],
        "With it": [counts(batch, share, label, "with_it") for label in batch.development],
    }
    written.show(pd.DataFrame(shown), "Samples by class: in the batch, in development before and with it")
    left = ", ".join(f"{n} for {reason}" for reason, n in batch.left_out.items()) or "nothing"
    odd = ", ".join(f"{shortcut.name} ({shortcut.accuracy:.0%} right)" for shortcut in batch.shortcuts) or "nothing"
    st.markdown(
        f"- **Audit**: of {batch.n} samples {plain(left)} is left out; {batch.joined} show what an earlier sample shows, "
        f"and stand in its fold. What tells it from the rest, of how pictures were taken: {plain(odd)}.\n"
        f"- **Drift**: {plain(recommendation.in_distance(batch))}."
    )


def counts(batch: BatchProfile, share: dict[str, dict[str, float]], label: str, when: str) -> str:
    """Return how many samples of a class development has, and their share."""
    return f"{batch.development[label][when]:,} ({share[label][when]:.0%})"
