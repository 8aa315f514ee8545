"""Section of the page Compare: the effect of another threshold on out-of-fold predictions, never on the test set."""

import pandas as pd
import streamlit as st

from app.views import charts, written
from app.views.written import span, three
from pipeline.core.paths import TaskPaths
from pipeline.stats.combined import predictive_values

SOURCE = "Altman and Bland 1994, BMJ 309:102"


def show(task: str, model: str) -> None:
    """Draw the slider and its effect; more than two classes have no threshold."""
    n_classes = len(written.report(TaskPaths(task).cv(model), f"evaluate@{task}").per_class)
    if n_classes != 2:
        st.write(f"The most probable of {n_classes} classes is the answer: there is no threshold.")
        return
    st.subheader("Another threshold")
    explore(written.table(TaskPaths(task).figures(model) / "thresholds.csv", f"evaluate@{task}"), f"{task} {model}")


@st.fragment
def explore(table: pd.DataFrame, key: str) -> None:
    """Draw the fragment that is redrawn while the slider moves. `key`: task and model."""
    used = float(table.loc[table["in_use"] == "yes", "threshold"].iloc[0])
    left, right = st.columns([2, 1])
    chosen = left.select_slider(
        "Threshold: positive at or above this probability",
        table["threshold"].tolist(),
        used,
        format_func=lambda value: f"{value:g}",
        key=f"threshold of {key}",
        help="Use the arrow keys for single steps",
    )
    row = table[table["threshold"] == chosen].iloc[0]
    n_positive, n_negative = int(row["tp"] + row["fn"]), int(row["fp"] + row["tn"])
    own = n_positive / (n_positive + n_negative)
    prevalence = right.number_input(
        "Prevalence (%)",
        0.0,
        100.0,
        round(100 * own, 1),
        1.0,
        key=f"prevalence of {key}",
        help=f"Percentage of positive cases in your practice. In these data: {own:.1%}",
    )
    figures(row, prevalence / 100)
    st.caption(
        f"The model decides at {used:g}. The slider shows the effect of another threshold on out-of-fold predictions; it does "
        "not change the champion and does not use the test set. Sensitivity and specificity: Wilson's 95 % interval, widened "
        f"for correlated samples within groups. Predictive values: by Bayes' rule, from both and the prevalence ({SOURCE})."
    )
    curves(table, float(chosen), used)


def figures(row: pd.Series, prevalence: float) -> None:
    """Draw the four figures and the counts behind them."""
    ppv, npv = predictive_values(row["sensitivity"], row["specificity"], prevalence)
    detected, rejected = (f"{row[a]:.0f} of {row[a] + row[b]:.0f}" for a, b in (("tp", "fn"), ("tn", "fp")))
    shares = [
        ("Sensitivity", row["sensitivity"], f"{ends(row, 'sensitivity')} {detected} positives detected"),
        ("Specificity", row["specificity"], f"{ends(row, 'specificity')} {rejected} negatives recognised"),
        ("PPV", ppv, f"at a prevalence of {prevalence:.1%}"),
        ("NPV", npv, f"at a prevalence of {prevalence:.1%}"),
    ]
    for column, (name, value, note) in zip(st.columns(4), shares, strict=True):
        column.metric(name, three(value))
        column.caption(note)


def ends(row: pd.Series, name: str) -> str:
    """Return the interval of one of a row's shares, in words."""
    return span((row[f"{name}_low"], row[f"{name}_high"]))


def curves(table: pd.DataFrame, chosen: float, used: float) -> None:
    """Draw sensitivity and specificity over the threshold, with lines at the thresholds of the slider and the model."""
    names = ["sensitivity", "specificity"]
    long = table.melt("threshold", names, "name", "share")
    marks = charts.rule(used, f"decides at {used:g}")
    if chosen != used:
        marks += charts.rule(chosen, f"slider {chosen:g}", charts.COLOURS[1])
    alt_text = f"Sensitivity and specificity by threshold, now {chosen:g}"
    charts.draw(charts.curves(long, "threshold", "share", names) + marks, alt_text, 260)
