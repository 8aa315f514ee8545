"""Monitoring report of a champion for the page Monitor, the API and /metrics: recent samples against training data."""

from collections.abc import Iterator
from typing import Any

from prometheus_client.core import GaugeMetricFamily

from app.recorder import Recorder
from pipeline.monitoring import drift, histograms
from pipeline.monitoring.histograms import Reference, Tally
from pipeline.prediction.bundle import BundleInfo

SHOWN = 28  # days that are listed


def report(recorder: Recorder, task: str, bundle: str, info: BundleInfo) -> dict[str, Any]:
    """Return drift (see `drift.compare`), counts of the same days, by_day, training and bins."""
    days = recorder.days(task, bundle, SHOWN)
    week = sum(list(days.values())[-drift.DAYS :], Tally())
    reference = info.metrics.get("reference")
    content: dict[str, Any] = {"task": task, "kind": info.kind, "bundle": bundle}
    compared = drift.compare(week, Reference.from_json(reference) if reference else None, info.kind)
    content |= {"drift": compared.to_json()}
    content |= {"counts": week.to_json() | {"n": week.n}, "training": reference, "bins": bins()}
    return content | {"by_day": [{"day": day, "n": counts.n} | counts.to_json() for day, counts in days.items()]}


def bins() -> dict[str, list[float]]:
    """Return the edges of the histograms' bins. Values outside have a further bin."""
    inner = round(2 * histograms.EDGE / histograms.PLACE)
    return {
        "distance": [round(k * histograms.DISTANCE, 6) for k in range(histograms.FARTHEST + 1)],
        "probability": [k / histograms.PROBABILITIES for k in range(histograms.PROBABILITIES + 1)],
        "places": [k * histograms.PLACE - histograms.EDGE for k in range(inner + 1)],
        "seconds": list(histograms.SECONDS),
    }


def families(reports: list[dict[str, Any]]) -> Iterator[GaugeMetricFamily]:
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
    histograms = {
        name: GaugeMetricFamily(f"assay_week_{name}", f"Samples {last} by bin", labels=[*about, "bin"])
        for name in ("distance", "probability", "seconds")
    }
    new = GaugeMetricFamily(
        "assay_week_new_categories",
        f"Samples {last} with a category that training never saw",
        labels=[*about, "column"],
    )
    for content in reports:
        key, counts = [content["task"], content["bundle"]], content["counts"]
        for outcome in ("refused", "unreadable"):
            samples.add_metric([*key, outcome], counts[outcome])
        samples.add_metric([*key, "answered"], sum(counts["answers"].values()))
        for name, n in counts["answers"].items():
            answers.add_metric([*key, name], n)
        for column, n in counts.get("new_categories", {}).items():
            new.add_metric([*key, column], n)
        verdict.add_metric([*key, content["drift"]["verdict"]], 1)
        for row in content["drift"]["figures"]:
            value = row.get("beyond", row.get("difference"))
            for end, number in (("low", row["ci"][0]), ("estimate", value), ("high", row["ci"][1])):
                figure.add_metric([*key, row["of"], row["name"], end], number)
        for name, family in histograms.items():
            for k, n in enumerate(counts[name]):
                if n:
                    family.add_metric([*key, edge(name, k, content["bins"][name])], n)
    yield from (samples, answers, new, verdict, figure, *histograms.values())


def edge(name: str, k: int, ends: list[float]) -> str:
    """Return the label of a bin: its lower edge; for seconds its upper edge, as usual in Prometheus."""
    return "+Inf" if k >= len(ends) else f"{ends[k]:g}"
