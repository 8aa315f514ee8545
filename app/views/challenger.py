"""Section of the page Retrain: comparison of champion and challenger, and the profile of the batch."""

import altair as alt
import pandas as pd
import streamlit as st

from app.views import charts, written
from app.views.answer import plain
from app.views.written import three
from pipeline.evaluation.metric_names import NAMES
from pipeline.retraining import recommendation
from pipeline.retraining.records import BatchProfile, Change, Comparison


def recommend(comparison: Comparison) -> None:
    """Draw the recommendation, and what to check before deciding."""
    (st.success if comparison.passed else st.warning)(plain(comparison.recommendation))
    if comparison.cautions:
        st.markdown("**Check this before you decide**")
        st.markdown("\n".join(f"- {plain(caution)}" for caution in comparison.cautions))


def decision(task: str, batch: str) -> None:
    """Draw what was decided of a batch, when and by whom."""
    from pipeline.data import upload_ledger

    decided = upload_ledger.last_decision(task, batch)
    if decided:
        by = f", decided by {decided.by}" if decided.by else ""
        who = f" ({decided.who})" if decided.who else ""
        st.info(plain(f"{decided.event.capitalize()} on {decided.when[:16].replace('T', ' ')} UTC{who}{by}."))


def show(comparison: Comparison) -> None:
    """Draw the results of a comparison."""
    effect, batch = st.tabs(["Effect on the champion's samples", "The batch itself"])
    with effect:
        differences(comparison)
    with batch:
        about(comparison.batch)


def guarded_rows(comparison: Comparison) -> list[tuple[str, Change]]:
    """Return the guarded metrics, by name, which decide."""
    return [(NAMES.get(name, name), comparison.metrics[name]) for name in comparison.guarded]


def other_rows(comparison: Comparison) -> list[tuple[str, Change]]:
    """Return the metrics of classes and subgroups, by name."""
    rows = [
        (f"{label}: {NAMES.get(name, name)}", change) for label, name, change in recommendation.of_classes(comparison)
    ]
    for row in comparison.subgroups:
        where = f"{row.column} {row.value} ({row.n}{', few' if row.few else ''})"
        rows += [(f"{where}: {NAMES[name]}", change) for name, change in row.metrics.items() if name in SHOWN]
    return rows


SHOWN = ("accuracy", "roc_auc")  # metrics of subgroups


def differences(comparison: Comparison) -> None:
    """Draw the guarded metrics, and folded those of classes and subgroups."""
    draw(guarded_rows(comparison), comparison.margin)
    st.caption(
        f"Challenger minus champion on the champion's {comparison.n} development samples, out of fold, paired, with 95 % "
        f"intervals over groups. Right of the solid line the challenger is better. To pass, no interval may extend to the left "
        f"of the dashed line ({comparison.margin:g})."
    )
    others = other_rows(comparison)
    if others:
        with st.expander(f"By class and subgroup ({len(others)} figures)"):
            draw(others, comparison.margin)
            st.caption("With many classes and subgroups, some appear worse by chance.")


def draw(rows: list[tuple[str, Change]], margin: float) -> None:
    """Draw differences as a chart and as a table."""
    table = pd.DataFrame(
        [
            {"name": name, "difference": change.difference, "low": change.ci[0], "high": change.ci[1]}
            for name, change in rows
            if change.is_defined
        ]
    )
    if len(table):
        alt_text = "; ".join(f"{row['name']} {row['difference']:+.3f}" for row in table.to_dict("records"))
        alt_text = f"Difference made by the batch, with intervals: {alt_text}"
        charts.draw(chart(table, margin), alt_text, 70 + 22 * len(table))
    shown = {
        "Figure": [name for name, _ in rows],
        "Champion": [three(change.champion) for _, change in rows],
        "With the batch": [three(change.challenger) for _, change in rows],
        "Difference": [gain(change) for _, change in rows],
    }
    written.show(pd.DataFrame(shown), "Champion and challenger, figure by figure")


def gain(change: Change) -> str:
    """Return a difference with its interval."""
    return recommendation.gain(change) if change.is_defined else "not defined"


def chart(table: pd.DataFrame, margin: float) -> alt.LayerChart:
    """Return a point with its interval for each row (name, difference, low, high), and lines at 0 and at the margin."""
    order = table["name"].tolist()
    y = alt.Y("name:N", sort=order, title=None, axis=alt.Axis(labelLimit=230, labelOverlap=False))
    base = alt.Chart(table).encode(y=y)
    ends = base.mark_rule(strokeWidth=2, color=charts.COLOURS[0]).encode(
        x=alt.X("low:Q", title="challenger minus champion"), x2="high:Q"
    )
    tooltip = ["name:N", *charts.tooltips(("difference", "low", "high"), "+.3f")]
    points = base.mark_point(size=60, filled=True, opacity=1, color=charts.COLOURS[0]).encode(
        x="difference:Q", tooltip=tooltip
    )
    none = alt.Chart(pd.DataFrame({"x": [0.0]})).mark_rule(color=charts.GREY).encode(x="x:Q")
    most = alt.Chart(pd.DataFrame({"x": [-margin]})).mark_rule(color=charts.COLOURS[1], strokeDash=[5, 4])
    return none + most.encode(x="x:Q") + ends + points


def about(batch: BatchProfile) -> None:
    """Draw the profile of a batch: class balance, audit findings, distance to the training data."""
    share = recommendation.shares(batch.development)
    shown = {
        "Class": list(batch.development),
        "In the batch": [batch.labels.get(label, 0) for label in batch.development],
        "Development without it": [counts(batch, share, label, "before") for label in batch.development],
        "Development with it": [counts(batch, share, label, "with_it") for label in batch.development],
    }
    written.show(pd.DataFrame(shown), "Samples by class: in the batch, in development without and with it")
    left = ", ".join(f"{n} for {reason}" for reason, n in batch.left_out.items()) or "nothing"
    odd = ", ".join(map(str, batch.shortcuts)) or "nothing"
    st.markdown(
        f"- **Audit**: excluded from {batch.n} samples: {plain(left)}; {batch.joined} duplicate an earlier sample and share its "
        f"fold. Acquisition properties that distinguish the batch from the other images: {plain(odd)}.\n"
        f"- **Drift**: {plain(recommendation.in_distance(batch))}."
    )


def counts(batch: BatchProfile, share: dict[str, dict[str, float]], label: str, when: str) -> str:
    """Return number and share of the development samples of a class."""
    return f"{batch.development[label][when]:,} ({share[label][when]:.0%})"
