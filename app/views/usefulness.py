"""Section of the page Compare: decision curve, predictive values by prevalence, sample size and learning curve."""

import pandas as pd
import streamlit as st

from app.views import charts, written
from app.views.answer import figure, plain
from app.views.written import part, span, three
from pipeline.core import artifacts, params
from pipeline.core.paths import TaskPaths
from pipeline.evaluation.usefulness import decision_curve, learning_curve, sample_size
from pipeline.evaluation.usefulness.learning_curve import LearningCurve

LINES = {"model": "model", "all": "treat all", "none": "treat none"}


def show(task: str, model: str) -> None:
    """Draw what of these there is for the model."""
    report = written.report(TaskPaths(task).cv(model), f"evaluate@{task}")
    if len(report.per_class) == 2:
        part(net_benefit, task, model)
        part(prevalences, task, model)
    st.subheader("Sample size")
    if report.sample_size:
        st.write(plain(sample_size.in_words(report.sample_size)))
    part(more_data, task)


def net_benefit(task: str, model: str) -> None:
    """Draw the decision curve of two classes."""
    st.subheader("Decision curve, out of fold")
    table = written.table(TaskPaths(task).figures(model) / "decision_curve.csv", f"evaluate@{task}")
    bounds = params.task(task).select.operating_point.threshold_range
    sentence = decision_curve.in_words(table, bounds)
    shown = table[table["threshold"].between(*bounds)] if bounds else table
    # Treating all falls without end: below this nothing is told apart any more.
    long = shown.melt("threshold", list(LINES), "name", "net benefit").replace({"name": LINES})
    long = long[long["net benefit"] >= -0.2 * max(0.05, shown["model"].max())]
    charts.draw(charts.curves(long, "threshold", "net benefit", list(LINES.values())), sentence, 280)
    st.write(plain(sentence))
    steps = shown.iloc[:: max(1, len(shown) // 10)]
    rows = {
        "Threshold": [f"{value:g}" for value in steps["threshold"]],
        "Model": [with_ends(row, "model") for row in steps.to_dict("records")],
        "Treat all": [with_ends(row, "all") for row in steps.to_dict("records")],
        "Gain over the better of all and none": [with_ends(row, "gain") for row in steps.to_dict("records")],
    }
    written.show(pd.DataFrame(rows), f"Net benefit of {model} by threshold, with 95 % intervals")
    st.caption(
        "Net benefit: true positives less false positives weighted by the odds of the threshold, for each sample (Vickers and "
        "Elkin 2006). The threshold is the probability from which somebody would treat."
    )


def with_ends(row: dict, name: str) -> str:
    """Return a figure of the decision curve with its interval."""
    return f"{three(row[name])} {span((row[f'{name}_low'], row[f'{name}_high']))}".strip()


def prevalences(task: str, model: str) -> None:
    """Draw the predictive values at several prevalences, out of fold."""
    st.subheader("Predictive values by prevalence, out of fold")
    point = written.report(TaskPaths(task).cv(model), f"evaluate@{task}").operating_point
    if not point:
        return
    names = {"data": "in these data", "named": "as named"}
    values = sorted(point.prevalence.items(), key=lambda item: item[1].prevalence)
    rows = {"Prevalence": [f"{of.prevalence:.3g} {names.get(key, '')}".strip() for key, of in values]}
    for key, title in (("precision", "PPV"), ("negative_predictive_value", "NPV")):
        rows[title] = [f"{figure(of, key)} {span(of.ci.get(key))}".strip() for _, of in values]
    written.show(pd.DataFrame(rows), f"Predictive values of {model} by prevalence")
    st.caption("Sensitivity and specificity are taken to be the same at every prevalence (Altman and Bland 1994).")


def more_data(task: str) -> None:
    """Draw the champion's learning curve."""
    content = written.content(TaskPaths(task).learning_curve, f"learning_curve@{task}")
    curve: LearningCurve = artifacts.from_json(LearningCurve, content)
    st.write(plain(f"{curve.model}: {learning_curve.in_words(curve)}"))
    if curve.steps:
        rows = {
            "Training samples": [step.n for step in curve.steps],
            "ROC AUC": [f"{three(step.roc_auc)} {span(step.ci['roc_auc'])}" for step in curve.steps],
            "Log loss": [f"{three(step.log_loss)} {span(step.ci['log_loss'])}" for step in curve.steps],
        }
        written.show(pd.DataFrame(rows), f"Learning curve of {curve.model}, out of fold")
