"""The types of a model's report: what cv/<model>.json, test/<model>.json, external/<name>.json and sites.json hold.

Light to import: pages of the app read reports, too. An undefined figure is NaN here and null in the files.
"""

from dataclasses import dataclass, field, fields
from typing import Self

from pipeline.core.artifacts import JSON
from pipeline.core.paths import TaskPaths
from pipeline.core.stage import read_result
from pipeline.training.candidate import Tuned

Interval = list[float]  # [low, high], 95 %


@dataclass(frozen=True)
class Scores:
    """Figures by name, and the intervals of some. JSON has the figures next to the other fields, and leaves out None.

    `cases`: for a share of fewer than 10 cases, how many of how many; it has no interval and is shown as these counts.
    """

    figures: dict[str, float] = field(default_factory=dict)
    ci: dict[str, Interval] = field(default_factory=dict)
    cases: dict[str, list[int]] = field(default_factory=dict)

    def __getitem__(self, name: str) -> float:
        """Return a figure by its name."""
        return self.figures[name]

    def to_json(self) -> JSON:
        """Return the content of JSON; nested parts stay as they are until they are written."""
        named = {"figures", "ci", "cases"}
        parts = {part.name: getattr(self, part.name) for part in fields(self) if part.name not in named}
        others = {name: part for name, part in (("ci", self.ci), ("cases", self.cases)) if part}
        return {**self.figures, **others} | {name: part for name, part in parts.items() if part is not None}

    @classmethod
    def fields_of_json(cls, content: JSON) -> JSON:
        """Return the content of JSON by field: what has no field of its own is a figure."""
        names = {part.name for part in fields(cls)} - {"figures"}
        figures = {name: value for name, value in content.items() if name not in names}
        return {"figures": figures} | {name: content[name] for name in names & set(content)}


@dataclass(frozen=True)
class Counts:
    """Numbers behind the figures: `groups` by class, `confusion` by actual and decided class.

    `repeats`: how often each sample was predicted, where more than once; the confusion matrix counts all.
    """

    n: int = 0
    n_groups: int = 0
    groups: dict[str, int] = field(default_factory=dict)
    confusion: dict[str, dict[str, int]] = field(default_factory=dict)
    repeats: int | None = None

    @property
    def actual(self) -> dict[str, int]:
        """How many predictions there are for samples of each class."""
        return {name: sum(row.values()) for name, row in self.confusion.items()}

    def to_json(self) -> JSON:
        """Return the content of JSON."""
        return {name: value for name, value in vars(self).items() if value is not None}


@dataclass(frozen=True, kw_only=True)
class ClassScores(Scores):
    """Precision, recall, f1 and roc_auc of a class against the rest; `support`: its number of predictions."""

    support: int


@dataclass(frozen=True, kw_only=True)
class KeptScores(Scores):
    """The accuracy on the `n` samples that are not refused."""

    n: int


@dataclass(frozen=True, kw_only=True)
class PartScores(Scores):
    """Figures on a part of the samples. `few`: so few that the part is flagged; `n_positive`: with two classes."""

    n: int
    n_groups: int | None = None
    n_positive: int | None = None
    few: bool | None = None


@dataclass(frozen=True, kw_only=True)
class SubgroupScores(PartScores):
    """Figures on the samples that have `value` in `column`."""

    column: str
    value: str


@dataclass(frozen=True)
class AucDifference:
    """A paired difference of ROC AUC with its interval."""

    roc_auc: float
    ci: Interval


@dataclass(frozen=True, kw_only=True)
class SiteScores(PartScores):
    """Figures at a `site` of a model that was fitted without it; a `reason` and no figures where none could be.

    `out_of_fold`: ROC AUC of the same samples by models fitted on others of their site; `difference`: what the site costs.
    """

    site: str
    reason: str | None = None
    out_of_fold: Scores | None = None
    difference: AucDifference | None = None


@dataclass(frozen=True)
class SiteReport:
    """The content of sites.json: the column whose values are sites, None where none is named, and rows by model."""

    column: str | None = None
    models: dict[str, list[SiteScores]] = field(default_factory=dict)

    @classmethod
    def read(cls, task: str) -> Self:
        """Return what leaving out each site gave for a task's models."""
        return read_result(cls, TaskPaths(task).sites, f"sites@{task}")


@dataclass(frozen=True)
class CalibrationReport:
    """How the calibration was chosen: Brier score and calibration error `before` and `after` the method that was tried.

    `method`: the one taken, none where it did not help; `brier_difference`: after minus before, with its interval.
    """

    method: str
    tried: str
    before: dict[str, float]
    after: dict[str, float]
    brier_difference: float
    brier_difference_ci: Interval


@dataclass(frozen=True, kw_only=True)
class PredictiveValues(Scores):
    """Precision and negative_predictive_value at a prevalence."""

    prevalence: float


@dataclass(frozen=True)
class OperatingPoint:
    """The threshold of two classes, what it was chosen for, and what answers are worth: for the report's own samples under
    `data`, for a prevalence that params.yaml names under `named`, for others under the number itself.
    """

    threshold: float
    chosen_for: str
    prevalence: dict[str, PredictiveValues]


@dataclass(frozen=True)
class SampleSize:
    """Groups of samples, those of the rarest class (`events`), and the parameters of a regression on the columns.

    With two classes also the Cox-Snell R2 out of fold, and the smallest sample size by Riley et al., in all and by criterion.
    """

    n: int
    events: int
    parameters: int
    events_per_parameter: float
    r2: float | None = None
    minimum: int | None = None
    criteria: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class AsPublished(Scores):
    """Figures of the model trained on a shipped split that leaks: `n_added` samples, `n_leaked` of them test samples."""

    n_added: int
    n_leaked: int


@dataclass(frozen=True)
class TriedPooling:
    """A way to pool the samples of a group, and the log loss of the groups with it; the smallest is not the model's."""

    pooling: str
    log_loss: float


@dataclass(frozen=True)
class PoolingReport:
    """How samples become one answer: for new groups, and by fold of those that are reported (see `prediction.pooling`)."""

    chosen: str
    by_fold: list[str]
    tried: list[TriedPooling]


@dataclass(frozen=True)
class Report(Scores):
    """How good predictions are; figures have scikit-learn's names. `notes`: what is undefined or rough, in words.

    `by_group`: the same of samples that are answered together, where there are any.
    """

    counts: Counts = field(default_factory=Counts)
    per_class: dict[str, ClassScores] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    kept: KeptScores | None = None
    calibration: CalibrationReport | None = None
    operating_point: OperatingPoint | None = None
    subgroups: list[SubgroupScores] | None = None
    sample_size: SampleSize | None = None
    tuned: Tuned | None = None
    as_published: AsPublished | None = None
    data_fingerprint: str | None = None
    by_group: "GroupReport | None" = None

    def of_unit(self, unit: str) -> "Report":
        """Return the report on what `select.unit` says is counted: samples, or groups where there are any."""
        return self if unit == "sample" or self.by_group is None else self.by_group


@dataclass(frozen=True)
class GroupReport(Report):
    """A report on groups of samples that get one answer; `counts.n` is the number of these.

    `unit`: group, or the column whose values they have; `n_samples`, `largest`: samples in all, and in the largest of them;
    `n_mixed`: how many have samples with different labels, and `group_label`: how these count. `pooling`: None where it was
    chosen on other data.
    """

    unit: str = "group"
    n_samples: int = 0
    largest: int = 0
    n_mixed: int = 0
    group_label: str = ""
    pooling: PoolingReport | None = None

    @property
    def rests_on(self) -> str:
        """What is answered and of how many samples, in words."""
        what = "groups" if self.unit == "group" else f"values of {self.unit}"
        return f"{self.counts.n} {what} of 1 to {self.largest} samples, {self.n_samples} in all"


@dataclass(frozen=True)
class Difference:
    """How far a figure on external data is from that of the internal test, with its interval."""

    difference: float
    ci: Interval


@dataclass(frozen=True)
class ExternalReport(Report):
    """A report on external data.

    `overlap`: how many of the readable samples are in the task's own data, by subset; `left_out`: how many were not scored, by
    reason; `change`: differences by figure, and `calibration_in_the_large`: mean predicted probability and observed share of the
    positive class, both of what `select.unit` names.
    """

    model: str = ""
    overlap: dict[str, int] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)
    change: dict[str, Difference] = field(default_factory=dict)
    calibration_in_the_large: dict[str, float] | None = None


def read_cv(task: str, model: str) -> Report:
    """Return a model's report on out-of-fold predictions."""
    return read_result(Report, TaskPaths(task).cv(model), f"evaluate@{task}")


def read_test(task: str, model: str) -> Report:
    """Return a model's report on the test set."""
    return read_result(Report, TaskPaths(task).test_report(model), f"holdout@{task}")


def read_external(task: str, name: str) -> ExternalReport:
    """Return the champion's report on an external data set."""
    return read_result(ExternalReport, TaskPaths(task).external(name), f"external@{name}")
