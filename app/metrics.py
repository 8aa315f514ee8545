"""Metrics for Prometheus. No label contains anything that a client sent."""

from collections.abc import Iterable
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from app.limits import WAITING, Gate

disable_created_metrics()
SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)


class Metrics:
    """The metrics of one server."""

    def __init__(self, gate: Gate):
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.requests = Counter("assay_requests", "Answered requests", ["route", "status"], registry=self.registry)
        self.seconds = Histogram(
            "assay_request_seconds",
            "From the first byte to the answer",
            ["route"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self.predictions = Counter(
            "assay_predictions", "Answered samples; the class is empty for refused ones", ["task", "answer"],
            registry=self.registry,
        )  # fmt: skip
        self.bundles = Gauge(
            "assay_bundle", "1 for the bundle that answers", ["task", "bundle"], registry=self.registry
        )
        self.refused = Gauge(
            "assay_bundle_refused", "1 where a new bundle was refused", ["task"], registry=self.registry
        )
        Gauge("assay_waiting_requests", "At work or in the queue", registry=self.registry).set_function(
            lambda: WAITING - gate.requests
        )

    def page(self, served: dict[str, str], refused: dict[str, str], more: Iterable[Any] = ()) -> bytes:
        """Return the metrics in Prometheus' format: `served` and `refused` by task, and `more` metric families."""
        self.bundles.clear()
        self.refused.clear()
        for task, bundle in served.items():
            self.bundles.labels(task, bundle).set(1)
        for task in refused:
            self.refused.labels(task).set(1)
        others = CollectorRegistry()
        others.register(Families(more))
        return generate_latest(self.registry) + generate_latest(others)


class Families:
    """A collector of metric families that exist already."""

    def __init__(self, families: Iterable[Any]):
        self.families = list(families)

    def collect(self) -> list[Any]:
        return self.families
