"""What a champion was shown against what it was trained on: what the page Monitor, the API and /metrics say of it."""

from collections.abc import Iterator
from typing import Any

from prometheus_client.core import GaugeMetricFamily

from app.recorder import Recorder
from pipeline.monitoring import drift, histograms
from pipeline.monitoring.histograms import Tally
from pipeline.prediction.bundle import BundleInfo

SHOWN = 28  # days, each by itself


def report(recorder: Recorder, task: str, bundle: str, info: BundleInfo) -> dict[str, Any]:
    """Return all that is known: drift (see `drift.compare`), counts of the same days, by_day, training and bins."""
    days = recorder.days(task, bundle, SHOWN)
    week = sum(list(days.values())[-drift.DAYS :], Tally())
    reference = info.metrics.get("reference")
    said = {"task": task, "kind": info.kind, "bundle": bundle, "drift": drift.compare(week, reference, info.kind)}
    said |= {"counts": week.to_json() | {"n": week.n}, "training": reference, "bins": bins()}
    return said | {"by_day": [{"day": day, "n": one.n} | one.to_json() for day, one in days.items()]}


def bins() -> dict[str, list[float]]:
    """Return the ends of the histograms' bins; what lies beyond the last is in one more, of places before the first, too."""
    inner = round(2 * histograms.EDGE / histograms.PLACE)
    return {
        "distance": [round(k * histograms.DISTANCE, 6) for k in range(histograms.FARTHEST + 1)],
        "probability": [k / histograms.PROBABILITIES for k in range(histograms.PROBABILITIES + 1)],
        "places": [k * histograms.PLACE - histograms.EDGE for k in range(inner + 1)],
        "seconds": list(histograms.SECONDS),
    }


def families(reports: list[dict[str, Any]]) -> Iterator[GaugeMetricFamily]:
    """Yield the reports' figures of the last `drift.DAYS` days as Prometheus takes them, samples of empty bins left out."""
    about = ["task", "bundle"]
    last = f"of the last {drift.DAYS} days"
    samples = GaugeMetricFamily("assay_week_samples", f"Samples {last}", labels=[*about, "outcome"])
    answers = GaugeMetricFamily("assay_week_answers", f"Answered samples {last}", labels=[*about, "answer"])
    verdict = GaugeMetricFamily("assay_week_verdict", "1 for what is said of them", labels=[*about, "verdict"])
    figure = GaugeMetricFamily(
        "assay_week_drift",
        "Differences of shares, and shares of pairs (0.5: alike), to the training data, with their interval",
        labels=[*about, "of", "name", "end"],
    )
    histograms = {
        name: GaugeMetricFamily(f"assay_week_{name}", f"Samples {last} by bin", labels=[*about, "bin"])
        for name in ("distance", "probability", "seconds")
    }
    for one in reports:
        key, counts = [one["task"], one["bundle"]], one["counts"]
        for outcome in ("refused", "unreadable"):
            samples.add_metric([*key, outcome], counts[outcome])
        samples.add_metric([*key, "answered"], sum(counts["answers"].values()))
        for name, n in counts["answers"].items():
            answers.add_metric([*key, name], n)
        verdict.add_metric([*key, one["drift"]["verdict"]], 1)
        for found in one["drift"]["figures"]:
            value = found.get("beyond", found.get("difference"))
            for end, number in (("low", found["ci"][0]), ("estimate", value), ("high", found["ci"][1])):
                figure.add_metric([*key, found["of"], found["name"], end], number)
        for name, family in histograms.items():
            for k, n in enumerate(counts[name]):
                if n:
                    family.add_metric([*key, edge(name, k, one["bins"][name])], n)
    yield from (samples, answers, verdict, figure, *histograms.values())


def edge(name: str, k: int, ends: list[float]) -> str:
    """Return what a bin is called: where it begins; of seconds, as Prometheus does it, where it ends."""
    return "+Inf" if k >= len(ends) else f"{ends[k]:g}"
