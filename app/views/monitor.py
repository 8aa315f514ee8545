"""The page Monitor: samples that the champion received, by day, compared with its training data."""

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from app import champions, monitor
from app.monitor import MonitorReport
from app.recorder import EVERY, KEPT, today
from app.views import charts, directions, written
from app.views.answer import plain
from pipeline.core.errors import BundleError, DataError
from pipeline.evaluation.metric_names import NAMES
from pipeline.monitoring import drift, histograms, outcomes, performance
from pipeline.monitoring.histograms import Tally
from pipeline.stats import intervals

BOXES = {"unlike": st.error, "shifted": st.warning, "alike": st.success}  # by verdict; others are shown as information
TO_DO = {
    "unknown": "Export the bundle again; until then only the counts below can be shown.",
    "too few": "Nothing yet: the comparison begins by itself when there are enough.",
    "alike": (
        "Nothing now. Upload outcomes that become known, at the end of this page: similar data do not imply correct predictions, "
        "only labels can show that."
    ),
    "shifted": (
        "Ask what changed: device, export, site or patients. The figures that differ are marked below. Collect labels of some of "
        "these samples and upload them at the end of this page; if the performance has fallen, retrain."
    ),
    "unlike": (
        "Do not rely on the answers until labels are there. Ask what changed: device, export, site or patients; the figures that "
        "differ are marked below. Upload outcomes at the end of this page, and submit labelled samples on the page Retrain."
    ),
}
OUTCOMES = ["answered", "refused", "unreadable"]
COMPONENTS = 12  # rows of the table for directions or columns


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
    report = monitor.report(champions.recorder(), task, champion.id, champion.info)
    st.markdown(f"Samples that {plain(champion.id)} received in the last {drift.DAYS} days, from this app and the API.")
    BOXES.get(report.drift.verdict, st.info)(plain(report.drift.sentence))
    st.markdown(f"**What to do.** {TO_DO[report.drift.verdict]}")
    numbers(report)
    new_categories(report.week)
    by_day(report)
    if report.kind == "image" and report.training:
        directions.show(task, champion.info.model, report.drift.figures, report.training.names)
    if report.week.distance.sum() and report.training:
        against_training(report.week, report.training.tally)
    figures(report)
    in_use(report)
    outcomes_form(task, champion)
    st.caption(
        f"Only these counts are kept, by day (UTC) and bundle, for {KEPT} days: no image, no row, no name. Samples of the last "
        f"{EVERY} s may be missing. Similar data do not imply correct predictions: only labels can show that."
    )


def share_refused(counts: Tally) -> float:
    """Return the share of the readable samples that were refused."""
    return counts.refused / counts.n


def numbers(report: MonitorReport) -> None:
    """Draw the counts of the week as metrics."""
    counts, training = report.week, report.training
    p95 = histograms.quantile(counts.seconds, 0.95)
    shown = {
        "Samples": (f"{counts.n:,}", ""),
        "Refused": (
            f"{share_refused(counts):.1%}" if counts.n else "no sample yet",
            f"training {share_refused(training.tally):.1%}" if training else "",
        ),
        "Unreadable": (f"{counts.unreadable:,}", ""),
        "95 % answered within": ("no sample yet" if p95 is None else seconds_text(p95), ""),
    }
    for column, (name, (value, comparison)) in zip(st.columns(4), shown.items(), strict=True):
        column.metric(name, value, comparison or None, delta_color="off", delta_arrow="off")


def new_categories(counts: Tally) -> None:
    """Show in which columns samples of the week had a category that training never saw."""
    if counts.new_categories:
        new = sorted(counts.new_categories.items())
        columns = ", ".join(f"{plain(column)} {count:,} of {counts.n:,}" for column, count in new)
        st.warning(f"Samples with a category that training never saw, by column: {columns}.")


def seconds_text(seconds: float) -> str:
    """Return a latency with its unit."""
    if seconds > histograms.SECONDS[-1]:
        return f"over {histograms.SECONDS[-1]} s"
    return f"{seconds * 1000:g} ms" if seconds < 1 else f"{seconds:g} s"


def by_day(report: MonitorReport) -> None:
    """Draw the number of samples and the share refused by day."""
    st.header("By day", anchor=False)
    rows = [(day, c.n, sum(c.answers.values()), c.refused, c.unreadable) for day, c in report.days.items()]
    days = pd.DataFrame(rows, columns=["day", "n", *OUTCOMES])
    busy = days[(days["n"] + days["unreadable"]) > 0]
    if len(busy) < 2:
        st.write(plain(on_one_day(busy.iloc[0].to_dict()) if len(busy) else f"No sample in the last {len(days)} days."))
        return
    left, right = st.columns(2)
    with left:
        st.markdown("**Samples**")
        long = days.melt("day", OUTCOMES, "name", "count")
        alt_text = f"Samples by day: {', '.join(f'{row.day} {row.n}' for row in days[days['n'] > 0].itertuples())}"
        charts.draw(charts.by_day(long, OUTCOMES), alt_text, 260)
    with right:
        st.markdown("**Share refused, with its 95 % interval**")
        some = days[days["n"] > 0]
        ends = [intervals.wilson(int(row.refused), int(row.n)) for row in some.itertuples()]
        some = some.assign(
            share=some["refused"] / some["n"], low=[low for low, _ in ends], high=[high for _, high in ends]
        )
        usual = share_refused(report.training.tally) if report.training else None
        alt_text = f"Share refused: {', '.join(f'{row.day} {row.share:.0%}' for row in some.itertuples())}"
        charts.draw(charts.share_by_day(some, usual, days["day"].iloc[[0, -1]].tolist()), alt_text, 260)


def on_one_day(row: dict[str, Any]) -> str:
    """Return the counts of the only day with samples as a sentence."""
    counts = f"All samples came on {row['day']}: {row['answered']} answered, {row['refused']} refused"
    return f"{counts}, {row['unreadable']} unreadable. Charts by day begin with the second day."


def against_training(week: Tally, training: Tally) -> None:
    """Draw distance, probability and predictions of the week and of the training data, out of fold."""
    st.header("Against the training data", anchor=False)
    sides = {"served": week, "training, out of fold": training}
    names, bins = list(sides), monitor.bins()
    left, right = st.columns(2)
    with left:
        st.markdown("**Distance to the training data (1 = refusal threshold)**")
        ends = [*bins["distance"], bins["distance"][-1] + histograms.DISTANCE]
        table = pd.concat([steps(counts.distance, ends, name) for name, counts in sides.items()])
        used = table.loc[table["share"] > 0, "low"]
        table = table[
            table["low"].between(used.min() - histograms.DISTANCE, max(1.1, used.max() + 2 * histograms.DISTANCE))
        ]
        chart = charts.steps(table, None, names) + charts.rule(1, "refused")
        charts.draw(chart, f"Distance: {medians({name: c.distance for name, c in sides.items()}, ends)}")
    title = "probability of the positive class" if len(training.answers) == 2 else "highest probability"
    with right:
        st.markdown("**Probability of answered samples**")
        ends = bins["probability"]
        table = pd.concat([steps(counts.probability, ends, name) for name, counts in sides.items()])
        probability = {name: counts.probability for name, counts in sides.items()}
        charts.draw(charts.steps(table, title, names), f"Probability: {medians(probability, ends)}")
    rows = [
        {"value": answer, "name": name, "n": n, "share": n / max(1, sum(counts.answers.values()))}
        for answer in training.answers
        for name, counts in sides.items()
        for n in [counts.answers.get(answer, 0)]
    ]
    st.markdown("**Answers**")
    alt_text = ", ".join(f"{row['value']} {row['share']:.0%} {row['name']}" for row in rows)
    charts.draw(charts.bars(pd.DataFrame(rows), None, names), f"Answers: {alt_text}", 110 + 25 * len(rows))


def in_use(report: MonitorReport) -> None:
    """Draw the performance by week: estimated, and measured where labels came later."""
    st.header("Performance in use", anchor=False)
    names = [name for name in NAMES if any(name in (week.estimated | week.measured) for week in report.performance)]
    rows = [
        {"Week until": week.until, "Figure": NAMES[name]}
        | {
            title: f"{written.three(each.figure)} {written.span(each.ci)}".strip() + f" (n = {each.n})" if each else ""
            for title, each in (
                ("Estimated without labels", week.estimated.get(name)),
                ("Measured from outcomes", week.measured.get(name)),
            )
        }
        for week in report.performance
        for name in names
        if name in (week.estimated | week.measured)
    ]
    if rows:
        written.show(pd.DataFrame(rows), "Performance by week, with 95 % intervals")
    else:
        st.write("Nothing can be estimated or measured yet: there are too few answers and outcomes.")
    st.caption(f"Estimated: of samples answered with a probability p, a share p is right. {performance.CONDITION}")


def outcomes_form(task: str, champion: champions.Champion) -> None:
    """Take a CSV of classes that became known later."""
    sent = st.file_uploader(
        f"Outcomes that became known later: a CSV with the columns {', '.join(outcomes.COLUMNS)}",
        "csv",
        key=f"outcomes of {task}",
    )
    if sent is None:
        return
    counted = st.session_state.setdefault("outcomes", {})  # what each file brought: a rerun would find none of them new
    if sent.file_id not in counted:
        try:
            rows = outcomes.read_csv(sent.getvalue())
            given = outcomes.parse(rows, champion.info.classes, champion.id, today())
            counted[sent.file_id] = champions.recorder().add_outcomes(task, given), len(given)
        except (DataError, OSError) as error:
            st.error(plain(str(error)))
            return
    n_new, n = counted[sent.file_id]
    st.success(f"{n_new} of {n} outcomes are new and counted; reload the page to see them.")


def steps(counts: np.ndarray, ends: list[float], name: str) -> pd.DataFrame:
    """Return a histogram for `charts.steps`; the last row closes the line at 0."""
    share = counts / max(1, counts.sum())
    lows = ends[: len(counts) + 1]
    return pd.DataFrame({"low": lows, "high": [*lows[1:], lows[-1]], "share": [*share, 0], "name": name})


def medians(counts: dict[str, np.ndarray], ends: list[float]) -> str:
    """Return the bin of the median of each histogram, in words."""
    ranges = []
    for name, histogram in counts.items():
        below = np.cumsum(histogram)
        k = int(np.searchsorted(below, below[-1] / 2))
        ranges.append(f"{name} median {ends[k]:g} to {ends[k + 1]:g}")
    return ", ".join(ranges)


def figures(report: MonitorReport) -> None:
    """Draw the figures behind the verdict; of directions or columns only the strongest."""
    is_table = report.kind == "table"
    all_of = [
        figure for figure in report.drift.figures if is_table or figure.of != "missing"
    ]  # images lack no direction
    if not all_of:
        return
    st.subheader("Basis of the verdict", anchor=False)
    by_column = ("place", "outside", "missing", "category")
    components = sorted(
        (figure for figure in all_of if figure.of in by_column),
        key=lambda figure: (not figure.alarm, not figure.differs, -figure.size),
    )
    # Directions of images have no name: those that differ are shown by training images, the others are only counted.
    named = {figure.name: f"content {directions.letter(k)}" for k, figure in enumerate(directions.strongest(all_of))}
    listed = components[:COMPONENTS] if is_table else [figure for figure in components if figure.name in named]
    shown = [figure for figure in all_of if figure.of not in by_column] + listed
    named = {} if is_table else named
    written.show(pd.DataFrame([row_of(figure, named) for figure in shown]), "Figures behind the verdict")
    n_hidden = len(components) - len(listed)
    left_out = f" {n_hidden} with smaller differences are not shown." if n_hidden > 0 else ""
    unit = "columns" if is_table else "content (where they lie along the directions in which training images vary most)"
    st.caption(
        f"95 % intervals that hold for all figures together. Distance and {unit}: the share of pairs in which the served sample "
        f"has the larger value; without a difference it would be 50 %.{left_out}"
    )


def row_of(figure: drift.Figure, named: dict[str, str]) -> dict[str, str]:
    """Return a figure as a row of the table; `named`: what its name is called instead."""
    (low, high), name = figure.ci, named.get(figure.name, figure.name)
    what = {
        "refused": "share refused",
        "distance": "distance: larger than in training",
        "answer": f"share answered {figure.name}",
        "place": f"{name}: larger than in training",
        "outside": f"{name}: out of the training range",
        "missing": f"{name}: missing",
        "category": figure.name,
        "probability": "probability: larger than in training",
    }[figure.of]
    if figure.days != drift.DAYS:
        what += f", {figure.days} days"
    if figure.beyond is not None:
        value, ends, usual = f"{figure.beyond:.0%}", f"{low:.0%} to {high:.0%}", "50%"
    else:
        value, usual = f"{figure.served:.1%}", f"{figure.training:.1%}"
        ends = f"difference {low * 100:+.0f} to {high * 100:+.0f} points"
    verdict = "clearly different" if figure.alarm else "differs" if figure.differs else ""
    return {"Figure": what, "Served": value, "Training": usual, "Interval": ends, "Verdict": verdict}
