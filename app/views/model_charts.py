"""Section of the page Compare: the charts of one model, from its out-of-fold predictions and its training."""

from typing import Any

import pandas as pd
import streamlit as st

from app.views import charts, written
from app.views.answer import plain
from app.views.written import three
from pipeline.core.paths import TaskPaths
from pipeline.evaluation.report import Report

ORDERS = {"confidence": "by confidence", "familiarity": "by closeness"}


def reports(task: str, model: str) -> dict[str, Report]:
    """Return the model's reports: out of fold and, if it exists, on the test set."""
    sides = {"Out of fold": written.report(TaskPaths(task).cv(model), f"evaluate@{task}")}
    test = TaskPaths(task).test_report(model)
    return sides | ({"Test": written.report(test, f"holdout@{task}")} if test.exists() else {})


def roc(task: str, model: str, models: list[str]) -> None:
    """Draw the ROC curves of all models, this one's bold."""
    st.subheader("ROC, out of fold")
    paths = {name: TaskPaths(task).plot("roc", name) for name in models}
    paths = {name: path for name, path in paths.items() if path.exists() or name == model}
    curves = {name: written.table(path, f"evaluate@{task}") for name, path in paths.items()}
    charts.draw(charts.roc(curves, model), f"ROC curves of {', '.join(curves)}; {model} is bold", 380)
    many = len(reports(task, model)["Out of fold"].per_class) > 2
    st.caption(
        f"The bold line is {plain(model)}." + (" Mean over the curves of each class against the rest." if many else "")
    )


def reliability(task: str, model: str) -> None:
    """Draw the reliability diagram."""
    st.subheader("Reliability, out of fold")
    bins = written.table(TaskPaths(task).figures(model) / "reliability.csv", f"evaluate@{task}")
    path = TaskPaths(task).figures(model) / "calibration_curve.csv"
    curve = written.table(path, f"evaluate@{task}") if path.exists() else None
    report = reports(task, model)["Out of fold"]
    many = len(report.per_class) > 2
    words = ("probability of the most probable class", "share that is correct") if many else ("predicted", "observed")
    alt_text = "; ".join(f"{row['predicted']:.2f}: {row['observed']:.2f}" for row in bins.to_dict("records"))
    charts.draw(charts.reliability(bins, curve, *words), f"Observed share by predicted probability: {alt_text}", 380)
    st.caption(
        "On the dashed line probabilities are accurate: of the samples with a predicted probability of 30 %, 30 % are positive. "
        "Below it the probabilities are too high, above it too low. Each point is a tenth of the samples, with its 95 % interval"
        + (", the band that of the curve through all of them. " if curve is not None else ". ")
        + calibrated(report)
    )


def risk(task: str, model: str) -> None:
    """Draw the error rate as a function of the share of samples that are answered."""
    st.subheader("Coverage against risk, out of fold")
    table = written.table(TaskPaths(task).figures(model) / "coverage.csv", f"evaluate@{task}")
    long = pd.DataFrame({"share answered": table["coverage"], "name": table["by"].map(ORDERS), "error": table["risk"]})
    full = three(table["risk"].iloc[-1])
    alt_text = f"Error by share answered, most confident or least out-of-distribution first; {full} if all are answered"
    charts.draw(charts.curves(long, "share answered", "error", list(ORDERS.values())), alt_text, 280)
    st.caption(
        "Error rate if the model answers only the samples with the highest confidence, or those closest to the training data. "
        "Samples that are out of distribution are refused: see the last row of All figures."
    )


def calibrated(report: Report) -> str:
    """Return a sentence on the calibration of the model and its effect on the Brier score."""
    calibration = report.calibration
    if not calibration:
        return ""
    before, after = (three(scores["brier_score_loss"]) for scores in (calibration.before, calibration.after))
    change = f"Brier score {before} before, {after} after"
    if calibration.method == "none":
        return f"Probabilities are not calibrated; calibration ({calibration.tried}) was tried and not kept: {change}."
    return f"Probabilities are calibrated ({calibration.method}): {change}."


def importance(task: str, model: str) -> None:
    """Draw the permutation importance of the columns of a table; nothing for images."""
    path = TaskPaths(task).figures(model) / "importance.csv"
    if not path.exists():
        return
    st.subheader("Importance of columns, out of fold")
    table = written.table(path, f"evaluate@{task}").head(15)
    charts.draw(
        charts.importance(table),
        "; ".join(f"{row['column']} {three(row['importance'])}" for row in table.to_dict("records")),
        60 + 22 * len(table),
    )
    st.caption(
        "Increase of the log loss when the values of one column are permuted among held-out samples: mean over folds, with "
        "minimum and maximum. If several columns carry the same information, each of them may appear unimportant."
    )


def tuned(report: Report) -> str:
    """Return a sentence on the tuned parameters of the model and of each fold; "" without tuning."""
    tuning = report.tuned
    if not tuning:
        return ""

    def words(values: dict[str, Any]) -> str:
        return ", ".join(f"{name} {value}" for name, value in values.items() if name != "log_loss")

    tried = "; ".join(f"{words(values)}: {three(values['log_loss'])}" for values in tuning.tried)
    by_fold = "; ".join(words(values) for values in tuning.by_fold)
    return (
        f"Selected from {len(tuning.tried)} candidates: {words(tuning.chosen)}. "
        f"Each fold was scored with the parameters selected on the other folds: "
        f"{by_fold}. Log loss out of fold of each candidate: {tried}."
    )


def history(task: str, model: str) -> None:
    """Draw the loss by epoch, or the final loss of a model without epochs."""
    st.subheader("Training")
    st.write(plain(tuned(reports(task, model)["Out of fold"])))
    table = written.table(TaskPaths(task).plot("history", model), f"evaluate@{task}")
    if len(table) < 2:
        losses = " and ".join(
            f"{three(value)} on {kind}"
            for kind, value in zip(
                ("training samples", "held-out samples"), table[["loss", "val_loss"]].to_numpy().ravel(), strict=False
            )
        )
        st.write(f"Fitted in one step, without epochs. Log loss, mean over folds: {losses}.")
        return
    long = pd.concat(
        [
            table[["epoch"]].assign(name=name, value=table[column])
            for name, column in (("training", "loss"), ("held out", "val_loss"))
        ]
    ).dropna()
    long = long.rename(columns={"value": "log loss"})
    alt_text = f"Log loss of {model} by epoch, mean over folds, on training and held-out samples"
    charts.draw(charts.curves(long, "epoch", "log loss", ["training", "held out"], whole=True), alt_text, 280)
