"""The page Compare: which model won and why, every model beside the others, and what one of them gets right and wrong."""

from typing import Any

import pandas as pd
import streamlit as st

from app.views import charts, mlflow_page, model_charts, threshold, written
from app.views.answer import looked, plain
from app.views.written import part, span, three
from pipeline.core.paths import TaskPaths
from pipeline.evaluation.metric_names import NAMES


def show(task: str) -> None:
    """Draw the page."""
    st.title("Compare")
    part(verdict, task)
    part(leaderboard, task)
    mlflow_page.link(task)
    part(one_model, task)


def verdict(task: str) -> None:
    """Say which model won, and why."""
    found = written.content(TaskPaths(task).selection, f"select_best@{task}")
    st.markdown(f"**{plain(found['reason'])}.**")
    with st.expander("How the champion is chosen"):
        st.write(plain(found["rule"]))


def leaderboard(task: str) -> None:
    """Draw the leaderboard as a chart and as a table."""
    table = written.table(TaskPaths(task).leaderboard, f"holdout@{task}")
    metric = table.columns[4]  # the task's own; see the contract of leaderboard.csv
    name = NAMES.get(metric, metric)
    st.header("Leaderboard")
    says = "; ".join(f"{row['model']} {three(row[metric])}" for row in table.to_dict("records"))
    charts.draw(charts.leaderboard(table, metric, name), f"{name} out of fold: {says}", 90 + 34 * len(table))
    shown = {
        "Rank": table["rank"],
        "Model": table["model"] + table["champion"].map({"yes": " (champion)"}).fillna(""),
        name: table[metric].map(three),
        "95 % interval": [span(ends) for ends in zip(table[f"{metric}_low"], table[f"{metric}_high"], strict=True)],
        "Test": table[f"test_{metric}"].map(three),
        "Brier score": table["brier"].map(three),
        "Estimator": table["estimator"],
        "Features": table["features"],
    }
    written.show(pd.DataFrame(shown), f"Leaderboard of {task}, the best first")
    st.caption(
        "Models are ranked out of fold: each development sample was scored by a model that had not seen it. The test set was "
        "opened after the champion had been chosen, and no choice is made by it. "
        + looked(task, table["model"].iloc[0])
    )


def one_model(task: str) -> None:
    """Let the reader choose a model and draw all there is about it."""
    table = written.table(TaskPaths(task).leaderboard, f"holdout@{task}")
    models, champion = table["model"].tolist(), table.loc[table["champion"] == "yes", "model"].tolist()
    st.header("One model")
    label = {name: f"{name} (champion)" if name in champion else name for name in models}
    first = models.index(champion[0]) if champion else 0
    model = st.selectbox("Model", models, first, format_func=label.get, key=f"model of {task}")
    part(figures, task, model)
    left, right = st.columns(2)
    with left:
        part(model_charts.roc, task, model, models)
    with right:
        part(model_charts.reliability, task, model)
    part(subgroups, task, model)
    part(sites, task, model)
    part(model_charts.risk, task, model)
    part(threshold.show, task, model)
    part(model_charts.importance, task, model)
    part(model_charts.history, task, model)


def figures(task: str, model: str) -> None:
    """Draw the confusion matrices, the classification report and all figures, out of fold beside test."""
    found = model_charts.reports(task, model)
    if "Test" not in found:
        st.info(plain(f"reports/{task}/test/{model}.json is missing: run 'dvc repro holdout@{task}', which writes it"))
    st.subheader("Confusion matrix")
    for place, (side, report) in zip(st.columns(2), found.items(), strict=False):
        with place:
            confusion(report, side)
    st.caption("Rows: what the samples are. Columns: what the model decided. Percentages are of the row.")
    for side, report in found.items():
        for note in report.get("notes", []):
            st.caption(plain(f"{side}: {note}"))
    st.subheader("Classification report")
    for place, (side, report) in zip(st.columns(2), found.items(), strict=False):
        with place:
            classes(report, side)
    st.subheader("All figures")
    rows = {}
    for side, report in found.items():
        rows[side] = [three(report[key]) for key in NAMES if key in report]
        rows[f"{side}, 95 % interval"] = [span(report["ci"].get(key)) for key in NAMES if key in report]
    names = [name for key, name in NAMES.items() if key in found["Out of fold"]]
    written.show(pd.DataFrame({"Figure": names} | rows), f"All figures of {model}")


def subgroups(task: str, model: str) -> None:
    """Draw the figures within subgroups, where params.yaml names any."""
    for side, report in model_charts.reports(task, model).items():
        rows = report.get("subgroups", [])
        if not rows:
            continue
        st.subheader(f"Subgroups, {side.lower()}")
        keys = [key for key in ("recall", "specificity", "accuracy", "roc_auc") if key in rows[0]]
        shown = {
            "Subgroup": [f"{row['column']}: {row['value']}" for row in rows],
            "Samples": [f"{row['n']} (few)" if row["few"] else str(row["n"]) for row in rows],
        }
        shown |= {NAMES[key]: [f"{three(row[key])} {span(row['ci'][key])}".strip() for row in rows] for key in keys}
        written.show(pd.DataFrame(shown), f"Figures of {model} by subgroup, {side.lower()}")


def sites(task: str, model: str) -> None:
    """Draw the figures at sites that the model was fitted without, where params.yaml names a column of sites."""
    path = TaskPaths(task).sites
    found = written.content(path, f"sites@{task}") if path.exists() else {"models": {}}
    rows = [row for row in found["models"].get(model, []) if "reason" not in row]
    if not rows:
        return
    st.subheader("A new site, out of fold")
    shown = {
        "Left out": [row["site"] for row in rows],
        "Samples": [f"{row['n']} (few)" if row["few"] else str(row["n"]) for row in rows],
        "AUC, left out": [f"{three(row['roc_auc'])} {span(row['ci']['roc_auc'])}".strip() for row in rows],
        "AUC, out of fold": [three(row["out_of_fold"]["roc_auc"]) for row in rows],
        "Difference": [
            f"{three(row['difference']['roc_auc'])} {span(row['difference']['ci'])}".strip() for row in rows
        ],
    }
    written.show(pd.DataFrame(shown), f"Figures of {model}, fitted without a site, on its samples")
    st.caption("Each model was fitted without the site and scored there: what a site costs that it has never seen.")


def confusion(report: dict[str, Any], side: str) -> None:
    """Draw a confusion matrix."""
    counts = report["counts"]
    matrix = counts["confusion"]
    cells = [
        {"actual": actual, "decided": decided, "count": n, "share": n / max(1, sum(row.values()))}
        for actual, row in matrix.items()
        for decided, n in row.items()
    ]
    says = "; ".join(
        f"of {actual}: " + ", ".join(f"{n} as {name}" for name, n in row.items()) for actual, row in matrix.items()
    )
    st.markdown(f"**{side}**: {counts['n']} samples of {counts['n_groups']} groups")
    chart = charts.confusion(pd.DataFrame(cells), list(matrix))
    charts.draw(chart, f"Confusion matrix, {side.lower()}; {says}", 130 + 55 * len(matrix))


def classes(report: dict[str, Any], side: str) -> None:
    """Draw a classification report."""
    rows = [
        {
            "Class": name,
            "Precision": three(of["precision"]),
            "Recall": three(of["recall"]),
            "F1": three(of["f1"]),
            "Samples": of["support"],
        }
        for name, of in report["per_class"].items()
    ]
    st.markdown(f"**{side}**")
    written.show(pd.DataFrame(rows), f"Classification report, {side.lower()}")
