"""Monitoring report of a champion for the page Monitor, the API and /metrics: recent samples against training data."""

from collections.abc import Iterator
from dataclasses import dataclass

from prometheus_client.core import GaugeMetricFamily

from app.recorder import Recorder
from pipeline.core.artifacts import JSON
from pipeline.monitoring import drift, histograms, performance
from pipeline.monitoring.drift import DriftReport
from pipeline.monitoring.histograms import Reference, Tally
from pipeline.monitoring.performance import Estimate
from pipeline.prediction.bundle import BundleInfo

SHOWN = 28  # days that are listed


@dataclass(frozen=True)
class WeekPerformance:
    """Figures by name of a week that ends with a day: estimated without labels, and measured from those that came later."""

    until: str
    n: int
    estimated: dict[str, Estimate]
    measured: dict[str, Estimate]

    def to_json(self) -> JSON:
        """Return the content of the API's answer."""
        sides = {"estimated": self.estimated, "measured": self.measured}
        figures = {side: {name: each.to_json() for name, each in by.items()} for side, by in sides.items()}
        return {"until": self.until, "n": self.n} | figures


@dataclass(frozen=True)
class MonitorReport:
    """What a champion received: the counts of the `week`, and of each day, oldest first, compared with its training data.

    `training`: None in a bundle of a version without it.
    """

    task: str
    kind: str
    bundle: str
    drift: DriftReport
    week: Tally
    training: Reference | None
    days: dict[str, Tally]
    performance: list[WeekPerformance]

    def to_json(self) -> JSON:
        """Return the content of the API's answer."""
        return {
            "task": self.task,
            "kind": self.kind,
            "bundle": self.bundle,
            "drift": self.drift.to_json(),
            "counts": self.week.to_json() | {"n": self.week.n},
            "training": self.training.to_json() if self.training else None,
            "bins": bins(),
            "performance": [week.to_json() for week in self.performance],
            "by_day": [{"day": day, "n": counts.n} | counts.to_json() for day, counts in self.days.items()],
        }


def report(recorder: Recorder, task: str, bundle: str, info: BundleInfo) -> MonitorReport:
    """Return the monitoring report of a champion."""
    days = recorder.days(task, bundle, SHOWN)
    weeks = weeks_of(list(days.values()))
    saved = info.metrics.get("reference")
    training = Reference.from_json(saved) if saved else None
    return MonitorReport(
        task,
        info.kind,
        bundle,
        drift.compare(weeks, training, info.kind),
        weeks[-1],
        training,
        days,
        by_week(days, training, info.classes),
    )


def by_week(days: dict[str, Tally], training: Reference | None, classes: list[str]) -> list[WeekPerformance]:
    """Return the performance in each whole week, the last `drift.DAYS` days last."""
    weeks = weeks_of(list(days.values()))
    ends = list(days)[:: -drift.DAYS][: len(weeks)][::-1]
    return [
        WeekPerformance(end, week.n, performance.estimated(week, training), performance.measured(week, classes))
        for end, week in zip(ends, weeks, strict=True)
    ]


def weeks_of(days: list[Tally]) -> list[Tally]:
    """Return the counts of whole weeks, the last `drift.DAYS` days last."""
    n = drift.DAYS
    return [sum(days[end - n : end], Tally()) for end in range(len(days) % n + n, len(days) + 1, n)]


def bins() -> dict[str, list[float]]:
    """Return the edges of the histograms' bins. Values outside have a further bin."""
    inner = round(2 * histograms.EDGE / histograms.COMPONENT)
    return {
        "distance": [round(k * histograms.DISTANCE, 6) for k in range(histograms.FARTHEST + 1)],
        "probability": [k / histograms.PROBABILITIES for k in range(histograms.PROBABILITIES + 1)],
        "places": [k * histograms.COMPONENT - histograms.EDGE for k in range(inner + 1)],
        "seconds": list(histograms.SECONDS),
    }


def families(reports: list[MonitorReport]) -> Iterator[GaugeMetricFamily]:
    """Yield the reports' figures of the last `drift.DAYS` days as Prometheus metrics; empty bins are left out."""
    about = ["task", "bundle"]
    last = f"of the last {drift.DAYS} days"
    samples = GaugeMetricFamily("assay_week_samples", f"Samples {last}", labels=[*about, "outcome"])
    answers = GaugeMetricFamily("assay_week_answers", f"Answered samples {last}", labels=[*about, "answer"])
    verdict = GaugeMetricFamily("assay_week_verdict", "1 for the current verdict", labels=[*about, "verdict"])
    figure = GaugeMetricFamily(
        "assay_week_drift",
        "Differences of shares, and shares of pairs (0.5: no difference), against the training data, with intervals",
        labels=[*about, "of", "name", "end"],
    )
    by_bin = {
        name: GaugeMetricFamily(f"assay_week_{name}", f"Samples {last} by bin", labels=[*about, "bin"])
        for name in ("distance", "probability", "seconds")
    }
    new = GaugeMetricFamily(
        "assay_week_new_categories",
        f"Samples {last} with a category that training never saw",
        labels=[*about, "column"],
    )
    in_use = GaugeMetricFamily(
        "assay_week_performance",
        f"Performance {last}: estimated without labels, and measured from outcomes, with 95 % intervals",
        labels=[*about, "how", "figure", "end"],
    )
    edges = bins()
    for content in reports:
        key, counts, latest = [content.task, content.bundle], content.week, content.performance[-1]
        samples.add_metric([*key, "refused"], counts.refused)
        samples.add_metric([*key, "unreadable"], counts.unreadable)
        samples.add_metric([*key, "answered"], sum(counts.answers.values()))
        for name, n in counts.answers.items():
            answers.add_metric([*key, name], n)
        for column, n in counts.new_categories.items():
            new.add_metric([*key, column], n)
        verdict.add_metric([*key, content.drift.verdict], 1)
        for row in content.drift.figures:
            estimate = row.difference if row.beyond is None else row.beyond
            for end, number in (("low", row.ci[0]), ("estimate", estimate or 0.0), ("high", row.ci[1])):
                of = row.of if row.days == drift.DAYS else f"{row.of}_{row.days}_days"
                figure.add_metric([*key, of, row.name, end], number)
        for how, by_name in (("estimated", latest.estimated), ("measured", latest.measured)):
            for name, each in by_name.items():
                for end, number in (("low", each.ci[0]), ("estimate", each.figure), ("high", each.ci[1])):
                    if number == number:  # a share of few cases has no interval
                        in_use.add_metric([*key, how, name, end], number)
        for name, family in by_bin.items():
            for k, n in enumerate(getattr(counts, name).tolist()):
                if n:
                    family.add_metric([*key, edge(name, k, edges[name])], n)
    yield from (samples, answers, new, verdict, figure, in_use, *by_bin.values())


def edge(name: str, k: int, ends: list[float]) -> str:
    """Return the label of a bin: its lower edge; for seconds its upper edge, as usual in Prometheus."""
    return "+Inf" if k >= len(ends) else f"{ends[k]:g}"
