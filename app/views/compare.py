"""The page Compare: the selected model and why, the leaderboard, and the results of one model in detail."""

from collections.abc import Callable

import pandas as pd
import streamlit as st

from app.views import charts, mistakes, mlflow_page, model_charts, threshold, two_models, usefulness, written
from app.views.answer import evaluations_of, figure, plain
from app.views.written import part, span, three
from pipeline.core import artifacts
from pipeline.core.errors import AssayError
from pipeline.core.paths import TaskPaths
from pipeline.duplicates import summary
from pipeline.evaluation.metric_names import NAMES, PROMISE
from pipeline.evaluation.report import Report, Scores, SiteReport


def show(task: str) -> None:
    """Draw the page: the verdict, and the view that is chosen."""
    st.title("Compare")
    part(verdict, task)
    views = {
        "Threshold": of_model(threshold.show, usefulness.show),
        "Leaderboard": leaderboard,
        "One model": of_model(
            decisions, curves, mistakes.show, more_curves, model_charts.importance, figures, by_group
        ),
        "Two models": two_models.show,
        "Subgroups": of_model(subgroups, sites),
    }
    if not has_threshold(task):
        views["Threshold"] = views.pop("Threshold")  # comes last
    for tab, draw in zip(st.tabs(list(views), key="view", on_change="rerun"), views.values(), strict=True):
        if tab.open:  # the others are not drawn: each takes time
            with tab:
                part(draw, task)


def has_threshold(task: str) -> bool:
    """Return whether the task has two classes, so that the threshold is what a clinician asks about first."""
    path = TaskPaths(task).selection
    try:
        report = TaskPaths(task).cv(written.content(path, f"select_best@{task}")["winner"])
        return len(written.report(report, f"evaluate@{task}").per_class) == 2
    except AssayError:  # the view that needs the file names it
        return True


def verdict(task: str) -> None:
    """Show which model was selected, and why."""
    selection = written.content(TaskPaths(task).selection, f"select_best@{task}")
    write = st.warning if selection.get("warning") else st.markdown
    write(f"**{plain(selection['reason'])}.**")
    if selection.get("promise"):
        st.markdown(plain(f"{selection['promise'][:1].upper()}{selection['promise'][1:]}."))
    with st.expander("How the champion is selected"):
        st.write(plain(selection["rule"]))


def leaderboard(task: str) -> None:
    """Draw the leaderboard as a chart and as a table."""
    table = written.table(TaskPaths(task).leaderboard, f"holdout@{task}")
    metric = table.columns[4]  # the task's own; see the contract of leaderboard.csv
    name = NAMES.get(metric, metric)
    st.header("Leaderboard")
    for warning in summary.warnings(task):
        st.warning(plain(f"{warning}."))
    alt_text = "; ".join(f"{row['model']} {three(row[metric])}" for row in table.to_dict("records"))
    drawn = table[table["estimator"] != "dummy"]
    drawn = drawn if len(drawn) else table
    charts.draw(charts.leaderboard(drawn, metric, name), f"{name} out of fold: {alt_text}", 90 + 34 * len(drawn))
    shown = {
        "Rank": table["rank"],
        "Model": table["model"] + table["champion"].map({"yes": " (champion)"}).fillna(""),
        name: table[metric].map(three),
        "95 % interval": [span(ends) for ends in zip(table[f"{metric}_low"], table[f"{metric}_high"], strict=True)],
        "Test": table[f"test_{metric}"].map(three),
        "Brier score": table["brier"].map(three),
    }
    written.show(pd.DataFrame(shown), f"Leaderboard of {task}, best first")
    more = {"Model": table["model"], **board_by_group(table, metric, name)}
    more |= {"Estimator": table["estimator"], "Features": table["features"]}
    with st.expander("Estimators and features" + (", figures by group" if len(more) > 3 else "")):
        written.show(
            pd.DataFrame(more), f"Estimators and features of {task}, best first"
        )  # a phone has no room for more
    st.caption(
        "Models are ranked by out-of-fold results: each development sample was scored by a model that was not trained on it. "
        f"Intervals are for {PROMISE}. "
        "The test set was evaluated after the champion was selected and does not influence the selection. "
        + (
            "The chart leaves out the dummy, which only knows how frequent the classes are. "
            * (len(drawn) < len(table))
        )
        + evaluations_of(task, table["model"].iloc[0])
    )
    mlflow_page.link(task)


def board_by_group(table: pd.DataFrame, metric: str, name: str) -> dict[str, pd.Series | list[str]]:
    """Return the leaderboard's columns on samples that are answered together; none where there are none."""
    key = f"by_group_{metric}"
    if key not in table:
        return {}
    ends = zip(table[f"{key}_low"], table[f"{key}_high"], strict=True)
    return {
        f"{name} by group": table[key].map(three),
        "By group, 95 % interval": [span(list(pair)) for pair in ends],
        "By group, test": table[f"test_{key}"].map(three),
    }


def of_model(*sections: Callable[[str, str], None]) -> Callable[[str], None]:
    """Return a view that draws the choice of a model, which all of these views share, and the sections on it."""

    def draw(task: str) -> None:
        models, first = two_models.listed(task)
        model = two_models.choice("Model", models, first, f"model of {task}")
        for section in sections:
            part(section, task, model)

    return draw


def curves(task: str, model: str) -> None:
    """Draw the ROC curves of all models and the calibration of this one."""
    models, _ = two_models.listed(task)
    left, right = st.columns(2)
    with left:
        part(model_charts.roc, task, model, models)
    with right:
        part(model_charts.reliability, task, model)


def more_curves(task: str, model: str) -> None:
    """Draw errors by the share that is answered, and the training."""
    left, right = st.columns(2)
    with left:
        part(model_charts.risk, task, model)
    with right:
        part(model_charts.history, task, model)


def decisions(task: str, model: str) -> None:
    """Draw confusion matrices and classification reports, out of fold and on the test set."""
    sides = model_charts.reports(task, model)
    if "Test" not in sides:
        st.info(plain(f"reports/{task}/test/{model}.json is missing: run 'dvc repro holdout@{task}', which writes it"))
    st.subheader("Confusion matrix")
    for column, (side, report) in zip(st.columns(2), sides.items(), strict=False):
        with column:
            confusion(report, side)
    st.caption("Rows: actual class. Columns: predicted class. Percentages refer to the row.")
    for side, report in sides.items():
        for note in report.notes:
            st.caption(plain(f"{side}: {note}"))
    st.subheader("Classification report")
    for column, (side, report) in zip(st.columns(2), sides.items(), strict=False):
        with column:
            classes(report, side)


def figures(task: str, model: str) -> None:
    """Draw all metrics, out of fold and on the test set, folded."""
    sides = model_charts.reports(task, model)
    names = {key: name for key, name in NAMES.items() if key in sides["Out of fold"].figures}
    rows = {"Figure": list(names.values())}
    for side, report in sides.items():
        rows[side] = [figure(report, key) for key in names]
        rows[f"{side}, 95 % interval"] = [span(report.ci.get(key)) for key in names]
    with st.expander("All figures"):
        written.show(pd.DataFrame(rows), f"All figures of {model}")


def by_group(task: str, model: str) -> None:
    """Draw all metrics of samples that are answered together, such as those of a patient, where there are any, folded."""
    reports = model_charts.reports(task, model)
    sides = {side: report.by_group for side, report in reports.items() if report.by_group}
    if not sides:
        return
    first = next(iter(sides.values()))
    names = {key: name for key, name in NAMES.items() if key in first.figures}
    rows = {"Figure": list(names.values())}
    for side, report in sides.items():
        rows[side] = [figure(report, key) for key in names]
        rows[f"{side}, 95 % interval"] = [span(report.ci.get(key)) for key in names]
    with st.expander(plain(f"All figures with one answer per {first.unit}")):
        written.show(pd.DataFrame(rows), f"All figures of {model} per {first.unit}")
        for side, report in sides.items():
            st.caption(plain("; ".join([f"{side}: {report.rests_on}", *report.notes])))
        if first.pooling:
            how = ", chosen by log loss inside the folds" if len(first.pooling.tried) > 1 else ""
            st.caption(plain(f"Samples become one answer by {first.pooling.chosen}{how}."))


def subgroups(task: str, model: str) -> None:
    """Draw the metrics of the subgroups that params.yaml defines."""
    for side, report in model_charts.reports(task, model).items():
        rows = report.subgroups
        if not rows:
            continue
        st.subheader(f"Subgroups, {side.lower()}")
        keys = [key for key in ("recall", "specificity", "accuracy", "roc_auc") if key in rows[0].figures]
        shown = {
            "Subgroup": [f"{row.column}: {row.value}" for row in rows],
            "Samples": [f"{row.n} (few)" if row.few else str(row.n) for row in rows],
        }
        shown |= {NAMES[key]: [with_interval(row, key) for row in rows] for key in keys}
        written.show(pd.DataFrame(shown), f"Figures of {model} by subgroup, {side.lower()}")


def sites(task: str, model: str) -> None:
    """Draw the metrics of leave-one-site-out validation, if params.yaml names a column of sites."""
    path = TaskPaths(task).sites
    if not path.exists():
        return
    results: SiteReport = artifacts.from_json(SiteReport, written.content(path, f"sites@{task}"))
    rows = [
        (row, row.out_of_fold, row.difference)
        for row in results.models.get(model, [])
        if row.out_of_fold and row.difference
    ]
    if not rows:
        return
    site = results.column
    st.subheader(plain(f"A new {site} (leave one {site} out)"))
    shown = {
        f"{site} left out": [row.site for row, *_ in rows],
        "Samples": [f"{row.n} (few)" if row.few else str(row.n) for row, *_ in rows],
        "AUC, left out": [with_interval(row, "roc_auc") for row, *_ in rows],
        "AUC, out of fold": [three(out_of_fold["roc_auc"]) for _, out_of_fold, _ in rows],
        "Difference": [f"{three(change.roc_auc)} {span(change.ci)}".strip() for *_, change in rows],
    }
    written.show(pd.DataFrame(shown), f"Figures of {model}, fitted without a {site}, on its samples")
    st.caption(
        plain(
            f"params.yaml names the column {site} as the place that samples come from (select.site). For each of its values, "
            "the model was fitted without the samples of this value and scored on them: the difference is what a new one costs."
        )
    )


def with_interval(scores: Scores, key: str) -> str:
    """Return a figure with its interval."""
    return f"{figure(scores, key)} {span(scores.ci[key])}".strip()


def confusion(report: Report, side: str) -> None:
    """Draw a confusion matrix."""
    counts, matrix = report.counts, report.counts.confusion
    cells = [
        {"actual": actual, "decided": decided, "count": n, "share": n / max(1, sum(row.values()))}
        for actual, row in matrix.items()
        for decided, n in row.items()
    ]
    alt_text = "; ".join(
        f"of {actual}: " + ", ".join(f"{n} as {name}" for name, n in row.items()) for actual, row in matrix.items()
    )
    st.markdown(f"**{side}**: {counts.n} samples of {counts.n_groups} groups")
    chart = charts.confusion(pd.DataFrame(cells), list(matrix))
    charts.draw(chart, f"Confusion matrix, {side.lower()}; {alt_text}", 130 + 55 * len(matrix))


def classes(report: Report, side: str) -> None:
    """Draw a classification report."""
    rows = [
        {
            "Class": name,
            "Precision": figure(of, "precision"),
            "Recall": figure(of, "recall"),
            "F1": three(of["f1"]),
            "Samples": of.support,
        }
        for name, of in report.per_class.items()
    ]
    st.markdown(f"**{side}**")
    written.show(pd.DataFrame(rows), f"Classification report, {side.lower()}")
