"""Validate params.yaml before the first stage runs: names, references, and values that exclude each other."""

import difflib
import re

from pydantic import Field

from pipeline.core import params, params_models
from pipeline.core.artifacts import JSON
from pipeline.core.code_hashes import estimator_names
from pipeline.core.errors import DataError, ParamsError
from pipeline.core.installed_class import is_class_name
from pipeline.core.params_models import (
    BackboneParams,
    CacheParams,
    DemoParams,
    ExternalParams,
    MlflowParams,
    ModelParams,
    RetrainParams,
    TaskParams,
)
from pipeline.core.strict import Strict
from pipeline.data.image_with_columns import has_columns, image_part
from pipeline.data.images.pixel_rule import rule_of
from pipeline.estimators._other_networks import check_names
from pipeline.estimators._protocol import get_estimator
from pipeline.tasks import raw_data

FEATURES = {
    "image": ("embedding", "classical", "pixels", "embedding+columns", "classical+columns"),
    "table": ("columns",),
}
# Keys of read.
OF_IMAGES = (
    "csv",
    "valid_csv",
    "test_csv",
    "images",
    "one_hot",
    "folders",
    "skip",
    "intensity",
    "match",
    "dicom_group",
    "features",
)
NO_VECTOR = ("mobilenetv2", "embedding")  # its export is the whole network, from the image on
RESERVED = ("backbone", "demo", "monitor", "raw", "uploads")  # folders in data/ and models/ that are no task's


class AllParams(Strict):
    """The top level of params.yaml."""

    seed: int = Field(ge=0, lt=2**32)
    workers: int = Field(ge=1, le=256)
    demo: DemoParams
    backbone: BackboneParams
    retrain: RetrainParams = RetrainParams()
    mlflow: MlflowParams = MlflowParams()
    cache: CacheParams = CacheParams()
    tasks: JSON
    models: JSON
    external: JSON = Field(default_factory=dict)


def check(content: JSON) -> None:
    """Raise ParamsError, which names key and remedy, for the first value that a stage cannot use."""
    top = params.parse(AllParams, content, "")
    check_names(top.backbone.network, top.backbone.source)
    tasks = {name: params.parse(TaskParams, block, f"tasks.{name}") for name, block in top.tasks.items()}
    models = {name: params.parse(ModelParams, block, f"models.{name}") for name, block in top.models.items()}
    for name in tasks:
        check_task_name(name)
    for name in models:
        check_name(name)
    for name, model in models.items():
        if model.task not in tasks:
            raise ParamsError(
                f"params.yaml: models.{name}.task: there is no task {model.task!r}{similar(model.task, tasks)}"
            )
    for name, task in tasks.items():
        check_task(name, task, models)
        raw_data.check_location(name, task.raw, tasks)
    for name, model in models.items():
        check_model(name, model, tasks)
        if model.features == "pixels" and not top.backbone.is_default:
            raise ParamsError(
                f"params.yaml: models.{name}.features: only MobileNetV2 can be fine-tuned, and backbone.network is "
                f"{top.backbone.network!r}: take features: embedding without fine_tune"
            )
    for name, block in top.external.items():
        check_external(name, params.parse(ExternalParams, block, f"external.{name}"), tasks, models)


def check_name(name: str) -> None:
    """Raise ParamsError unless this is a valid name of a task or model."""
    if not re.fullmatch(params_models.NAME, name):
        raise ParamsError(
            f"params.yaml: {name!r}: names consist of a-z, 0-9, - and _, and start with a letter or digit"
        )


def check_task_name(name: str) -> None:
    """Raise ParamsError unless this is a valid name of a task and of its folders."""
    check_name(name)
    if name in RESERVED:
        raise ParamsError(
            f"params.yaml: tasks.{name}: the names {', '.join(RESERVED)} are reserved for folders; choose another"
        )


def check_task(name: str, task: TaskParams, models: dict[str, ModelParams]) -> None:
    """Raise ParamsError unless the task fits its kind and lists models that exist and belong to it."""
    where = f"params.yaml: tasks.{name}"
    check_kind(task, where)
    check_columns(task, where)
    if len(set(task.preprocess.columns)) < len(task.preprocess.columns):
        raise ParamsError(f"{where}.preprocess.columns: names a column twice")
    if "metric" not in task.select.model_fields_set:  # dvc.yaml names it
        raise ParamsError(f"{where}.select.metric: is missing; see the comments in params.yaml")
    if not task.models:
        raise ParamsError(f"{where}.models: is empty; name at least one model of the section models")
    for model in task.models:
        if model not in models:
            raise ParamsError(f"{where}.models: {model!r} is not in the section models{similar(model, models)}")
        if models[model].task != name:
            raise ParamsError(f"{where}.models: {model!r} belongs to the task {models[model].task!r}")
    if len(set(task.models)) < len(task.models):
        raise ParamsError(f"{where}.models: names a model twice")


def check_columns(task: TaskParams, where: str) -> None:
    """Raise ParamsError where a column has two roles."""
    read = task.read
    label = [] if read.one_hot else [read.label]
    roles: dict[str, str] = {}
    named = {"label": label, "group": read.group_columns[:1], "group_with": read.group_with, "one_hot": read.one_hot}
    for key, columns in (named | {"shipped": [read.shipped or ""], "exclude": read.exclude}).items():
        for column in filter(None, columns):
            if column in roles:
                raise ParamsError(
                    f"{where}.read.{key}: {column!r} is named by read.{roles[column]} already; give it one role"
                )
            roles[column] = key


def check_kind(task: TaskParams, where: str) -> None:
    """Raise ParamsError if a key is set that a task of this kind does not have."""
    if task.kind == "table":
        for_images = {f"read.{key}": getattr(task.read, key) for key in OF_IMAGES}
        for_images |= {"preprocess.pixels": task.preprocess.pixels}
        for key, value in for_images.items():
            if value:
                raise ParamsError(f"{where}.{key}: found {value!r}; this is for images: leave it out")
        if task.read.group_from and not task.read.group:
            raise ParamsError(
                f"{where}.read.group_from: rows of a table have no paths; name the column in read.group, too"
            )
        if task.preprocess.columns:
            raise ParamsError(f"{where}.preprocess.columns: is for images; in a table all columns are features")
        return
    try:
        rule_of(task.read)
    except DataError as error:
        raise ParamsError(f"{where}.read.{error}") from None
    if task.read.exclude:
        raise ParamsError(f"{where}.read.exclude: is for tables; of images only preprocess.columns are features")
    if task.audit.conflicts == "keep":
        raise ParamsError(f"{where}.audit.conflicts: keep is for tables; one image has one label: drop or error")
    of_csv = {
        "split.time_column": task.split.time_column,
        "select.subgroups": task.select.bands,
        "select.site": task.select.site,
        "preprocess.columns": task.preprocess.columns,
    }
    for key, names in of_csv.items():
        if names and not task.read.csv:
            raise ParamsError(f"{where}.{key}: class folders have no columns; name a CSV in read.csv, or leave it out")


def check_external(
    name: str, block: ExternalParams, tasks: dict[str, TaskParams], models: dict[str, ModelParams]
) -> None:
    """Raise ParamsError unless the external data set has a unique name and its task can read it."""
    check_name(name)
    if name in models:
        raise ParamsError(
            f"params.yaml: external.{name}: a model has this name; choose another, because both write figures to reports"
        )
    if block.task not in tasks:
        raise ParamsError(
            f"params.yaml: external.{name}.task: there is no task {block.task!r}{similar(block.task, tasks)}"
        )
    if tasks[block.task].kind == "table" and block.read.csv:
        raise ParamsError(
            f"params.yaml: external.{name}.read.csv: found {block.read.csv!r}; this is for images: leave it out"
        )
    if block.read.intensity is not None or block.read.resize != "stretch":
        raise ParamsError(
            f"params.yaml: external.{name}.read: intensity and resize are those of the task {block.task!r}, whose model reads "
            "the images: leave them out"
        )
    raw_data.check_location(name, block.raw, tasks, "external")


def check_model(name: str, model: ModelParams, tasks: dict[str, TaskParams]) -> None:
    """Raise ParamsError unless the model's estimator, features and the estimator's own keys fit together."""
    where = f"params.yaml: models.{name}"
    task = tasks[model.task]
    if name not in task.models:
        raise ParamsError(f"{where}: is not listed in tasks.{model.task}.models; add it there or delete it")
    estimators = estimator_names()
    if not is_class_name(model.estimator) and model.estimator not in estimators:
        raise ParamsError(
            f"{where}.estimator: there is no {model.estimator!r}; there are: {', '.join(estimators)}, and every classifier that "
            "is installed, as package.module:Class"
        )
    try:
        estimator = get_estimator(model.estimator)
    except ParamsError as error:
        raise ParamsError(f"{where}.estimator: {error}") from None
    check_features(model, task, estimator.FEATURES, where)
    if task.read.features and (model.features == "embedding+columns" or (model.estimator, model.features) == NO_VECTOR):
        raise ParamsError(
            f"{where}.features: tasks.{model.task}.read.features are in the place of the embedding; {model.estimator} on "
            f"{model.features} cannot take them: use logreg, knn, random_forest or a class by name on features: embedding"
        )
    check_lists(model, task, where)
    for block in params.combinations(model.own):
        own = params.parse(estimator.Params, block, f"models.{name}")
        estimator.check(own, model.features, where)


def check_features(model: ModelParams, task: TaskParams, supported: tuple[str, ...], where: str) -> None:
    """Raise ParamsError unless the estimator supports the model's features and the task provides them."""
    possible = [features for features in FEATURES[task.kind] if usable(features, supported)]
    if has_columns(model.features) and model.features not in possible and task.kind == "image":
        raise ParamsError(
            f"{where}.features: {model.estimator} uses images alone; clinical columns can be used by: "
            f"{', '.join(name for name in estimator_names() if takes_columns(name))}"
        )
    if has_columns(model.features) and not task.preprocess.columns and task.kind == "image":
        raise ParamsError(
            f"{where}.features: no columns are named; list those available before the diagnosis in "
            f"tasks.{model.task}.preprocess.columns, for instance [age, sex]"
        )
    if model.features not in possible:
        raise ParamsError(
            f"{where}.features: found {model.features!r}; {model.estimator} on a task of kind {task.kind} "
            f"works on: {', '.join(possible) or 'nothing'}"
        )
    if model.features == "pixels" and not task.preprocess.pixels:
        raise ParamsError(f"{where}.features: pixels needs tasks.{model.task}.preprocess.pixels: true")


def usable(features: str, supported: tuple[str, ...]) -> bool:
    """Return whether an estimator that supports some features can use these, clinical columns included."""
    return image_part(features) in supported and (not has_columns(features) or "columns" in supported)


def takes_columns(estimator: str) -> bool:
    """Return whether an estimator can use columns."""
    return "columns" in get_estimator(estimator).FEATURES


def check_lists(model: ModelParams, task: TaskParams, where: str) -> None:
    """Raise ParamsError for an empty list of values, a repeated value, or too few folds to tune inside of one."""
    for key, values in model.own.items():
        if isinstance(values, list) and (not values or any(value in values[:i] for i, value in enumerate(values))):
            raise ParamsError(f"{where}.{key}: found {values!r}; list each value once, or give a single value")
    if len(params.combinations(model.own)) > 1 and task.split.folds < 3:
        raise ParamsError(
            f"{where}: choosing among several values inside a fold needs two other folds: "
            f"set tasks.{model.task}.split.folds to 3 or more; found {task.split.folds}"
        )


def similar(name: str, known: JSON) -> str:
    """Return "; did you mean ...?" with the closest existing name, or the list of existing names."""
    near = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; there are: {', '.join(known) or 'none'}"
