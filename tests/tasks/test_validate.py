"""Everything in params.yaml that a later stage would stumble over is refused before the first stage runs."""

from pathlib import Path

import pytest

from pipeline import check
from pipeline.core import params
from pipeline.core.errors import ParamsError
from pipeline.tasks import validate
from tests.helpers.samples import content, put, task, write_params

PIXELS = {"estimator": "mobilenetv2", "features": "pixels", "fine_tune": {"epochs": 1}}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    """An empty current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refused(text: str, block: dict | None = None, **model: object) -> None:
    """Expect an error for a valid params.yaml with another task, or with other keys of its model."""
    everything = content(block or task())
    everything["models"]["skin-dummy"] |= model
    with pytest.raises(ParamsError, match=rf"^params.yaml: {text}"):
        validate.check(everything)


# tasks and their models


def test_unknown_task_of_a_model_suggests_the_closest():
    refused("models.skin-dummy.task: there is no task 'sikn'; did you mean 'skin'", task="sikn")


def test_unknown_task_of_a_model_lists_tasks():
    everything = content(task())
    everything["models"]["other"] = everything["models"]["skin-dummy"] | {"task": "xyz"}
    with pytest.raises(ParamsError, match=r"models.other.task: there is no task 'xyz'; there are: skin"):
        validate.check(everything)


def test_missing_listed_model_suggests_the_closest_name():
    refused(
        "tasks.skin.models: 'skin-dumy' is not in the section models; did you mean 'skin-dummy'",
        task(models=["skin-dumy"]),
    )


def test_unlisted_model_is_refused_with_the_remedy():
    everything = content(task())
    everything["models"]["skin-more"] = everything["models"]["skin-dummy"]
    with pytest.raises(
        ParamsError, match=r"models.skin-more: is not listed in tasks.skin.models; add it there or delete it"
    ):
        validate.check(everything)


def test_a_model_listed_by_another_task_is_refused():
    everything = content(task())
    everything["tasks"]["lung"] = task(models=["skin-dummy"])
    with pytest.raises(ParamsError, match=r"tasks.lung.models: 'skin-dummy' belongs to the task 'skin'"):
        validate.check(everything)


def test_a_model_listed_twice_is_refused():
    refused("tasks.skin.models: names a model twice", task(models=["skin-dummy", "skin-dummy"]))


def test_a_metric_has_to_be_named_because_the_graph_does():
    refused("tasks.skin.select.metric: is missing", task(select={"draws": 200}))


def test_a_task_without_models_is_refused():
    refused("tasks.skin.models: is empty; name at least one model", task(models=[]))


def test_no_tasks_and_no_models_are_valid():
    validate.check(content(task()) | {"tasks": {}, "models": {}})


# estimators


def test_unknown_estimator_lists_the_existing_ones():
    known = "dummy, hist_gradient_boosting, knn, logreg, mean_of_two, mobilenetv2, random_forest"
    text = f"models.skin-dummy.estimator: there is no 'svm'; there are: {known}"
    refused(text, estimator="svm")


@pytest.mark.parametrize("name", ["_prepare", "__init__", "../train", "os"])
def test_only_estimators_are_estimators(name):
    refused("models.skin-dummy.estimator: there is no ", estimator=name)


def test_a_value_that_the_estimator_refuses_is_named():
    refused("models.skin-dummy.C: found 0.0; input should be greater than 0", estimator="logreg", C=0.0)
    refused("models.skin-dummy.C: found '1e-3'; .+; without quotes, and 1e-3 as 0.001", estimator="logreg", C="1e-3")


def test_unsupported_features_list_the_supported_ones():
    refused("models.skin-dummy.features: found 'pixels'; logreg on a task of kind image works on: embedding, classical",
            estimator="logreg", features="pixels")  # fmt: skip


@pytest.mark.parametrize(("kind", "features"), [("table", "embedding"), ("image", "columns")])
def test_features_of_the_other_kind_are_refused(kind, features):
    refused(
        f"models.skin-dummy.features: found '{features}'; dummy on a task of kind {kind}", task(kind), features=features
    )


def test_a_network_on_a_table_works_on_nothing():
    refused(
        "models.skin-dummy.features: .+ works on: nothing", task("table"), estimator="mobilenetv2", features="columns"
    )


def test_fine_tuning_without_pixels_names_the_key():
    refused("models.skin-dummy.features: pixels needs tasks.skin.preprocess.pixels: true", **PIXELS)


# kind


def test_what_is_for_images_is_refused_for_tables():
    refused("tasks.skin.preprocess.pixels: found True; this is for images", task("table", preprocess={"pixels": True}))
    refused("tasks.skin.read.csv: found 'a.csv'; this is for images", task("table", read={"csv": "a.csv"}))
    refused("tasks.skin.read.images: found", task("table", read={"images": ["a"]}))
    refused("tasks.skin.read.folders: found 'class'; this is for images", task("table", read={"folders": "class"}))


# names and places


def test_reading_options_of_the_other_kind_are_refused():
    refused("tasks.skin.read.group_from: rows of a table have no paths", task("table", read={"group_from": "(a)"}))
    refused("tasks.skin.read.exclude: is for tables", task(read={"exclude": ["id"]}))
    refused("tasks.skin.audit.conflicts: keep is for tables", task(audit={"conflicts": "keep"}))
    refused("tasks.skin.read.exclude: 'y' is named by read.label", task("table", read={"label": "y", "exclude": ["y"]}))
    refused("tasks.skin.read.group: 'y' is named by read.label", task("table", read={"label": "y", "group": "y"}))
    time = {"by": "time", "time_column": "date"}
    refused("tasks.skin.split.time_column: class folders have no columns", task(split=time))


@pytest.mark.parametrize("name", ["Skin", "skin cancer", "-skin", "_x", "", "skin.1", "a/b", "..", "皮膚", "skin\n"])
def test_a_name_that_is_no_safe_folder_is_refused(name):
    everything = content(task())
    everything["tasks"] = {name: everything["tasks"]["skin"]}
    everything["models"]["skin-dummy"]["task"] = name
    with pytest.raises(ParamsError, match=r"names consist of a-z, 0-9, - and _"):
        validate.check(everything)


def test_a_name_that_is_no_text_is_refused():
    everything = content(task())
    everything["tasks"] = {1: everything["tasks"]["skin"]}
    with pytest.raises(ParamsError, match=r"^params.yaml: tasks.1"):
        validate.check(everything)


@pytest.mark.parametrize("name", ["backbone", "demo", "raw", "uploads"])
def test_a_task_cannot_take_the_folder_of_something_else(name):
    everything = content(task())
    everything["tasks"] = {name: everything["tasks"]["skin"]}
    everything["models"]["skin-dummy"]["task"] = name
    with pytest.raises(
        ParamsError, match=rf"tasks.{name}: the names backbone, demo, monitor, raw, uploads are reserved"
    ):
        validate.check(everything)


@pytest.mark.parametrize(
    "raw",
    ["data/skin", "data/skin/", "./data//skin", "data", ".", "data/x/../skin", "data/skin/scan", "data/skin/mine/a"],
)
def test_raw_data_cannot_lie_where_stages_write(raw):
    refused("tasks.skin.raw: stages write to data/skin; put the raw data in data/raw/skin", task(raw=raw))


@pytest.mark.parametrize("raw", ["models/skin/a", "reports/skin", "data/lung/pictures"])
def test_raw_data_cannot_be_where_stages_write(raw):
    everything = content(task(raw=raw))
    everything["tasks"]["lung"] = task(models=["lung-dummy"])
    everything["models"]["lung-dummy"] = everything["models"]["skin-dummy"] | {"task": "lung"}
    with pytest.raises(ParamsError, match=rf"tasks.skin.raw: stages write to {'/'.join(raw.split('/')[:2])}; put"):
        validate.check(everything)


def test_an_absolute_path_to_where_stages_write_is_refused_too(folder):
    refused("tasks.skin.raw: stages write", task(raw=str(folder / "data" / "skin")))


@pytest.mark.parametrize("raw", ["data/raw/skin", "data/skin2", "data/demo/lesions", "/mnt/share/skin"])
def test_raw_data_may_lie_anywhere_else(raw):
    validate.check(content(task(raw=raw)))


# the stage


def test_the_stage_writes_the_same_bytes_for_every_valid_file():
    put(Path("raw"), {"benign/1.png": 1})
    lists = set()
    for block in (task(), task(split={"folds": 7})):
        write_params(block)
        check.main()
        lists.add(Path("data/.code/scan").read_bytes())
    assert len(lists) == 1


def test_the_stage_writes_nothing_for_a_file_that_is_not():
    write_params(task(models=[]))
    with pytest.raises(ParamsError):
        check.main()
    assert not Path("data").exists()


@pytest.mark.parametrize("reader", ["pipeline/tables.py", "models/backbone"])
def test_an_old_reader_is_accepted_and_removed_with_a_note(reader, capsys):
    put(Path("raw"), {"benign/1.png": 1})
    write_params(task())
    current = Path("params.yaml").read_bytes()
    write_params(task(reader=reader))
    validate.check(params.load())
    check.main()
    assert Path("params.yaml").read_bytes() == current
    assert "the key 'reader' of tasks is no longer needed" in capsys.readouterr().err
    check.main()
    assert capsys.readouterr().err == ""


# several values of a parameter


@pytest.mark.parametrize("values", [[], [5, 5]])
def test_empty_or_repeating_lists_are_refused(values):
    text = r"models.skin-dummy.n_neighbors: found \[.*\]; list each value once, or give a single value"
    refused(text, estimator="knn", n_neighbors=values)


def test_every_listed_value_is_checked():
    refused("models.skin-dummy.n_neighbors: found 0; ", estimator="knn", n_neighbors=[5, 0])


def test_several_values_need_three_folds():
    block = task() | {"split": {"folds": 2}}
    refused(
        "models.skin-dummy: choosing among several values .* set tasks.skin.split.folds to 3 or more; found 2",
        block,
        estimator="knn",
        n_neighbors=[5, 7],
    )


def test_several_values_are_valid():
    everything = content(task())
    everything["models"]["skin-dummy"] |= {
        "estimator": "knn",
        "n_neighbors": [5, 7],
        "weights": ["uniform", "distance"],
    }
    validate.check(everything)
