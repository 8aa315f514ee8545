"""A model's report as a type: what cv/<model>.json, test/<model>.json and external/<name>.json hold."""

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Self

from pipeline.core import artifacts
from pipeline.core.paths import TaskPaths
from pipeline.core.stage import require

Interval = list[float]  # [low, high], 95 %


@dataclass(frozen=True)
class Report:
    """How good predictions are. JSON has the `figures` at its top level, next to the other fields, and leaves out None.

    `figures`: scalars under scikit-learn's names, None or NaN where undefined; `ci`: their intervals; `counts`: n, n_groups,
    groups by class and confusion by actual and decided class; `per_class`: figures and `ci` by class; `notes`: what is
    undefined or rough; `kept`: n, accuracy and `ci` of samples that are not refused; `tuned`: see `training.tuning`.
    """

    figures: dict[str, float | None] = field(default_factory=dict)
    ci: dict[str, Interval] = field(default_factory=dict)
    counts: dict[str, Any] = field(default_factory=dict)
    per_class: dict[str, dict[str, Any]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    kept: dict[str, Any] | None = None
    calibration: dict[str, Any] | None = None
    operating_point: dict[str, Any] | None = None
    subgroups: list[dict[str, Any]] | None = None
    tuned: dict[str, Any] | None = None
    as_published: dict[str, Any] | None = None
    data_fingerprint: str | None = None

    def __getitem__(self, name: str) -> float | None:
        """Return a figure by its name."""
        return self.figures[name]

    def to_json(self) -> dict[str, Any]:
        """Return the content of the JSON file."""
        parts = {part.name: getattr(self, part.name) for part in fields(self) if part.name != "figures"}
        return self.figures | {name: part for name, part in parts.items() if part is not None}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Self:
        """Return the report of the content of a JSON file."""
        parts = {part.name for part in fields(cls)} - {"figures"}
        figures = {name: value for name, value in content.items() if name not in parts}
        return cls(figures=figures, **{name: content[name] for name in parts & set(content)})

    @classmethod
    def read(cls, path: Path) -> Self:
        """Return the report in a file."""
        return cls.from_json(artifacts.read_json(path))


@dataclass(frozen=True)
class ExternalReport(Report):
    """A report on external data.

    `overlap`: how many of the readable samples are in the task's own data, by subset; `left_out`: how many were not scored, by
    reason; `change`: difference to the internal test and its `ci`, by figure; `calibration_in_the_large`: mean predicted
    probability and observed share of the positive class.
    """

    model: str = ""
    overlap: dict[str, int] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)
    change: dict[str, dict[str, Any]] = field(default_factory=dict)
    calibration_in_the_large: dict[str, float] | None = None


def read_cv(task: str, model: str) -> Report:
    """Return a model's report on out-of-fold predictions."""
    return Report.read(require(TaskPaths(task).cv(model), f"evaluate@{model}"))


def read_test(task: str, model: str) -> Report:
    """Return a model's report on the test set."""
    return Report.read(require(TaskPaths(task).test_report(model), f"holdout@{task}"))
