"""params.yaml is read strictly: an error names the key, the value and a valid one."""

import pytest
import yaml

from pipeline.core import params, params_models
from pipeline.core.errors import ParamsError
from pipeline.core.params_models import TaskParams
from pipeline.tasks.validate import check
from tests.helpers.samples import ROOT, content, task, write_params

SHIPPED = ROOT / "params.yaml"


pytestmark = pytest.mark.usefixtures("empty_folder")


def refused(text: str, *path: str, value: object = None, absent: bool = False) -> None:
    """Expect `text` from the check of a valid params.yaml in which the key at `path` is changed or taken out."""
    everything = content(task())
    block = everything
    for key in path[:-1]:
        block = block[key]
    if absent:
        del block[path[-1]]
    else:
        block[path[-1]] = value
    with pytest.raises(ParamsError, match=rf"^params.yaml: {'[.]'.join(path)}: {text}"):
        check(everything)


# the file


def test_shipped_file_is_valid_and_sets_every_key():
    shipped = params.load(SHIPPED)
    check(shipped)
    for name, block in shipped["tasks"].items():
        assert set(block) == set(TaskParams.model_fields), name


def test_every_default_is_a_valid_value():
    check(content(task()))


def test_a_missing_file_says_where_to_run():
    with pytest.raises(ParamsError, match=r"params.yaml is missing: run this in the project's folder"):
        params.load()


@pytest.mark.parametrize("text", ["", "# only a comment\n", "just words", "- a\n- list\n", "null"])
def test_a_file_without_keys_says_which_are_expected(empty_folder, text):
    (empty_folder / "params.yaml").write_text(text)
    with pytest.raises(
        ParamsError, match=r"params.yaml holds no keys; expected seed, workers, demo, backbone, tasks and models"
    ):
        params.load()


@pytest.mark.parametrize(
    "data",
    [
        b"seed: [1\n",
        b"seed:\t- 1\n  x: 2\n",
        b"seed: 1\n worker: 2\n",
        b"name: caf\xe9\n",
        b"day: 2024-02-31\n",
        b"a: *b\n",
        b"\x00",
    ],
)
def test_what_is_no_yaml_is_one_readable_line(empty_folder, data):
    (empty_folder / "params.yaml").write_bytes(data)
    with pytest.raises(ParamsError, match=r"^params.yaml is not valid YAML: [^\n]+$"):
        params.load()


def test_duplicate_keys_are_refused(empty_folder):
    (empty_folder / "params.yaml").write_text("seed: 1\ntasks:\n  skin: {a: 1}\n  skin: {a: 2}\n")
    with pytest.raises(ParamsError, match=r"^params.yaml is not valid YAML: 'skin' is there twice .+ line 4"):
        params.load()


# keys


@pytest.mark.parametrize(
    ("path", "known"),
    [
        (("sede",), "seed, workers, demo, backbone, retrain, mlflow, cache, tasks, models, external"),
        (("backbone", "url"), "see the comments in params.yaml"),
        (("tasks", "skin", "metric"), "kind, raw, read, audit, split, preprocess, select, models"),
        (("tasks", "skin", "split", "test_size"), "see the comments in params.yaml"),
        (("tasks", "skin", "read", "labels"), "see the comments in params.yaml"),
        (("tasks", "skin", "audit", "leak"), "see the comments in params.yaml"),
        (("tasks", "skin", "preprocess", "size"), "see the comments in params.yaml"),
        (("tasks", "skin", "select", "by"), "see the comments in params.yaml"),
    ],
)
def test_an_unknown_key_is_refused_at_every_level(path, known):
    refused(f"unknown key; known here: {known}", *path, value=1)


def test_an_unknown_key_of_an_estimator_is_refused():
    refused("unknown key; known here: ", "models", "skin-dummy", "C", value=1)


@pytest.mark.parametrize(
    "path",
    [("seed",), ("tasks",), ("backbone",), ("tasks", "skin", "kind"), ("tasks", "skin", "split"),
     ("tasks", "skin", "models"), ("models", "skin-dummy", "task"), ("models", "skin-dummy", "features")],
)  # fmt: skip
def test_a_missing_key_is_named(path):
    refused("is missing", *path, absent=True)


def test_several_faults_are_all_named_at_once():
    everything = content(task(split={"folds": 1, "by": "chance"})) | {"seed": 1}
    with pytest.raises(
        ParamsError, match=r"skin.split.by: found 'chance'.+; params.yaml: tasks.skin.split.folds: found 1"
    ):
        check(everything)


# values


@pytest.mark.parametrize(
    ("path", "value", "text"),
    [
        (("seed",), "7", "found '7'; input should be a valid integer; without quotes"),
        (("seed",), 1.5, "found 1.5; input should be a valid integer"),
        (("seed",), True, "found True; input should be a valid integer"),
        (("seed",), -1, "found -1; input should be greater than or equal to 0"),
        (("workers",), 0, "found 0; input should be greater than or equal to 1"),
        (("tasks",), None, "found None; input should be a valid dictionary"),
        (("tasks", "skin"), ["a"], r"found \['a'\]; input should be a valid dictionary"),
        (("tasks", "skin", "kind"), "video", "found 'video'; input should be 'image' or 'table'"),
        (("tasks", "skin", "raw"), 5, "found 5; input should be a valid string; put it in quotes"),
        (("tasks", "skin", "models"), "skin-dummy", "found 'skin-dummy'; input should be a valid list"),
        (("tasks", "skin", "split"), None, "found None; input should be a valid dictionary"),
        (("tasks", "skin", "split", "test_fraction"), 1.0, "found 1.0; input should be less than 1"),
        (("tasks", "skin", "split", "test_fraction"), 0, "found 0; input should be greater than 0"),
        (("tasks", "skin", "split", "test_fraction"), "2e-1", "found '2e-1'; .+; without quotes, and 1e-3 as 0.001"),
        (("tasks", "skin", "split", "folds"), 1, "found 1; input should be greater than or equal to 2"),
        (("tasks", "skin", "split", "by"), "patient", "found 'patient'; input should be 'hash', 'shipped' or 'time'"),
        (("tasks", "skin", "read", "unreadable"), "ignore", "found 'ignore'; input should be 'skip' or 'error'"),
        (("tasks", "skin", "preprocess", "pixels"), "yes", "found 'yes'; input should be a valid boolean"),
        (("tasks", "skin", "preprocess", "positive"), True, "found True; input should be a valid string; put it in quotes"),
        (("tasks", "skin", "select", "metric"), "auc", "found 'auc'; input should be 'roc_auc', 'average_precision'"),
        (("tasks", "skin", "select", "operating_point"), 0.9, "found 0.9; input should be a valid dictionary; see the comments"),
        (("tasks", "skin", "read"), {"group": "a", "no_group": True}, ".+; group and no_group exclude each other"),
        (("tasks", "skin", "read"), {"group_from": "[a-z]+"}, r".+; group_from: '\[a-z\]\+' has 0 groups"),
        (("tasks", "skin", "read"), {"group_from": "(a"}, ".+; group_from: .+ is not a regular expression"),
        (("tasks", "skin", "split"), {"by": "time"}, ".+; by: time and time_column belong together"),
        (("models", "skin-dummy"), None, "found None; input should be a valid dictionary"),
        (("models", "skin-dummy", "features"), "raw", "found 'raw'; input should be 'embedding', 'classical'"),
    ],
)  # fmt: skip
def test_wrong_values_are_reported_with_key_and_remedy(path, value, text):
    refused(text, *path, value=value)


# single entries, as stages read them


def test_a_stage_reads_its_task_and_model_alone():
    write_params(
        task(split={"folds": 3}), models={"skin-dummy": content(task())["models"]["skin-dummy"], "broken": None}
    )
    assert params.task("skin").split.folds == 3
    assert params.model("skin-dummy").estimator == "dummy"
    assert (params.seed(), params.workers()) == (7, 1)


def test_unknown_task_or_model_lists_the_existing_ones():
    write_params(task())
    with pytest.raises(ParamsError, match=r"params.yaml has no task 'skn'; it has: skin"):
        params.task("skn")
    with pytest.raises(ParamsError, match=r"params.yaml has no model 'x'; it has: skin-dummy"):
        params.model("x")


def test_without_tasks_an_unknown_task_is_refused_too():
    write_params(task(), tasks=None)
    with pytest.raises(ParamsError, match=r"params.yaml has no task 'skin'; it has: none"):
        params.task("skin")


@pytest.mark.parametrize("value", ["two", None, True, 1.0])
def test_workers_and_seed_must_be_whole_numbers(value):
    write_params(task(), workers=value, seed=value)
    for key in ("workers", "seed"):
        with pytest.raises(ParamsError, match=rf"params.yaml: {key}: found {value!r}; expected a whole number"):
            getattr(params, key)()


def test_estimator_keys_are_separate_from_model_keys():
    model = params.parse(
        params_models.ModelParams, {"task": "a", "estimator": "knn", "features": "embedding", "k": 3}, "models.m"
    )
    assert model.own == {"k": 3}


def test_f1_of_more_than_two_classes_is_the_macro_average():
    assert [params_models.metric_key("f1", n) for n in (2, 3)] == ["f1", "f1_macro"]
    assert params_models.metric_key("roc_auc", 3) == "roc_auc"


def test_a_file_in_utf_8_is_read_alike_everywhere(empty_folder):
    (empty_folder / "params.yaml").write_bytes(yaml.safe_dump({"raw": "皮膚"}, allow_unicode=True).encode())
    assert params.load() == {"raw": "皮膚"}
