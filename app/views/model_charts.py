"""A part of the page Compare: the charts of one model, from its out-of-fold predictions and its training."""

from typing import Any

import pandas as pd
import streamlit as st

from app.views import charts, written
from app.views.answer import plain
from app.views.written import three
from pipeline.core.paths import TaskPaths


def reports(task: str, model: str) -> dict[str, dict[str, Any]]:
    """Return the model's two reports, out of fold and test, the latter where there is one."""
    found = {"Out of fold": written.content(TaskPaths(task).cv(model), f"evaluate@{model}")}
    test = TaskPaths(task).test_report(model)
    return found | ({"Test": written.content(test, f"holdout@{task}")} if test.exists() else {})


def roc(task: str, model: str, models: list[str]) -> None:
    """Draw the ROC curves of all models, this one's bold."""
    st.subheader("ROC, out of fold")
    paths = {name: TaskPaths(task).plots(name) / "roc.csv" for name in models}
    paths = {name: path for name, path in paths.items() if path.exists() or name == model}
    curves = {name: written.table(path, f"evaluate@{name}") for name, path in paths.items()}
    charts.draw(charts.roc(curves, model), f"ROC curves of {', '.join(curves)}; {model} is bold", 380)
    many = len(reports(task, model)["Out of fold"]["per_class"]) > 2
    st.caption(
        "The bold line is the chosen model's."
        + (" Mean over the curves of each class against the rest." if many else "")
    )


def reliability(task: str, model: str) -> None:
    """Draw how far probabilities can be taken at their word."""
    st.subheader("Reliability, out of fold")
    bins = written.table(TaskPaths(task).figures(model) / "reliability.csv", f"evaluate@{model}")
    many = len(reports(task, model)["Out of fold"]["per_class"]) > 2
    words = ("probability of the most probable class", "share that is right") if many else ("predicted", "observed")
    says = "; ".join(f"{row['predicted']:.2f}: {row['observed']:.2f}" for row in bins.to_dict("records"))
    charts.draw(charts.reliability(bins, *words), f"Observed share by predicted probability: {says}", 380)
    st.caption(
        "On the dashed line probabilities mean what they say: of the samples given 30 %, 30 % come true. Below it the model "
        "promises too much. Each point is a tenth of the samples, with its 95 % interval. "
        + calibrated(reports(task, model)["Out of fold"])
    )


def risk(task: str, model: str) -> None:
    """Draw how often the model is wrong about the share that it is let answer."""
    st.subheader("Coverage against risk, out of fold")
    table = written.table(TaskPaths(task).figures(model) / "coverage.csv", f"evaluate@{model}")
    long = pd.DataFrame({"share answered": table["coverage"], "name": "by " + table["by"], "error": table["risk"]})
    full = three(table["risk"].iloc[-1])
    says = f"Error over the share that is answered, the surest or the most familiar first; {full} of all"
    charts.draw(charts.curves(long, "share answered", "error", ["by confidence", "by familiarity"]), says, 280)
    st.caption(
        "If only the samples were answered of which the model is surest, or which are most like the training data, this share of "
        "them would be wrong. What is unlike the training data is refused: see the last line of All figures."
    )


def calibrated(report: dict[str, Any]) -> str:
    """Return a sentence on whether the model's probabilities are calibrated, and by how much that changed the Brier score."""
    found = report.get("calibration")
    if not found:
        return ""
    before, after = (three(found[when]["brier_score_loss"]) for when in ("before", "after"))
    change = f"Brier score {before} before, {after} after"
    if found["method"] == "none":
        return f"Probabilities are as the model gives them; calibration ({found['tried']}) was tried and not kept: {change}."
    return f"Probabilities are calibrated ({found['method']}): {change}."


def importance(task: str, model: str) -> None:
    """Draw which columns of a table the model cannot do without; nothing for pictures."""
    path = TaskPaths(task).figures(model) / "importance.csv"
    if not path.exists():
        return
    st.subheader("Importance of columns, out of fold")
    table = written.table(path, f"evaluate@{model}").head(15)
    charts.draw(
        charts.importance(table),
        "; ".join(f"{row['column']} {three(row['importance'])}" for row in table.to_dict("records")),
        60 + 22 * len(table),
    )
    st.caption(
        "How much worse the log loss gets when the values of one column change places among held-out samples, mean over folds, "
        "with the least and the most of a fold. Of columns that say the same none may seem to matter."
    )


def tuned(report: dict[str, Any]) -> str:
    """Return a sentence on which of several values of its parameters the model takes, and each fold took; "" of one alone."""
    if "tuned" not in report:
        return ""

    def words(block: dict[str, Any]) -> str:
        return ", ".join(f"{name} {value}" for name, value in block.items() if name != "log_loss")

    found = report["tuned"]
    tried = "; ".join(f"{words(block)}: {three(block['log_loss'])}" for block in found["tried"])
    by_fold = "; ".join(words(block) for block in found["by_fold"])
    return (
        f"Chosen of {len(found['tried'])}: {words(found['chosen'])}. Each fold was scored with what the other folds chose: "
        f"{by_fold}. Log loss out of fold of each: {tried}."
    )


def history(task: str, model: str) -> None:
    """Draw the loss by epoch, or say that there is none."""
    st.subheader("Training")
    st.write(plain(tuned(reports(task, model)["Out of fold"])))
    table = written.table(TaskPaths(task).plots(model) / "history.csv", f"evaluate@{model}")
    if len(table) < 2:
        losses = " and ".join(
            f"{three(value)} on samples {kind}"
            for kind, value in zip(
                ("fitted on", "held out"), table[["loss", "val_loss"]].to_numpy().ravel(), strict=False
            )
        )
        st.write(f"Fitted in one step, without epochs. Log loss, mean over folds: {losses}.")
        return
    long = pd.concat(
        [
            table[["epoch"]].assign(name=name, value=table[column])
            for name, column in (("fitted on", "loss"), ("held out", "val_loss"))
        ]
    ).dropna()
    long = long.rename(columns={"value": "log loss"})
    says = f"Log loss of {model} by epoch, mean over folds, on samples fitted on and held out"
    charts.draw(charts.curves(long, "epoch", "log loss", ["fitted on", "held out"], whole=True), says, 280)
