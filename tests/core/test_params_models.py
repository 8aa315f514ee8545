"""Keys and values of params.yaml are checked, and each fault is named with its remedy."""

import pytest

from pipeline.core import params, params_models
from pipeline.core.errors import ParamsError
from pipeline.core.params_models import TaskParams
from pipeline.tasks.validate import check
from tests.helpers.samples import ROOT, content, task

SHIPPED = ROOT / "params.yaml"


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


# keys


@pytest.mark.parametrize(
    ("path", "known"),
    [
        (("sede",), "seed, workers, demo, backbone, retrain, mlflow, cache, tasks, models, external"),
        (("backbone", "url"), "network, source"),
        (("tasks", "skin", "metric"), "kind, raw, read, audit, split, preprocess, select, models"),
        (("tasks", "skin", "split", "test_size"), "by, time_column, test_fraction"),
        (("tasks", "skin", "read", "labels"), "csv, header, valid_csv"),
        (("tasks", "skin", "audit", "leak"), "leaks, conflicts"),
        (("tasks", "skin", "preprocess", "size"), "positive, pixels, columns, units, augment"),
        (("tasks", "skin", "select", "by"), "metric, unit"),
    ],
)
def test_an_unknown_key_is_refused_at_every_level(path, known):
    refused(f"unknown key; known here: {known}", *path, value=1)


def test_an_unknown_key_of_augment_names_the_known_ones():
    everything = content(task(preprocess={"augment": {"zoom": 1}}))
    known = "preset, flips, quarter_turns, rotate, scale, light, colour, blur, jpeg, noise, cutout, resolution"
    with pytest.raises(ParamsError, match=f"preprocess.augment.zoom: unknown key; known here: {known}$"):
        check(everything)


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
        (("tasks", "skin", "read"), {"group_with": ["site"]}, ".+; group_with: goes with group alone"),
        (("tasks", "skin", "read"), {"group_from": "[a-z]+"}, r".+; group_from: '\[a-z\]\+' has 0 groups"),
        (("tasks", "skin", "read"), {"group_from": "(a"}, ".+; group_from: .+ is not a regular expression"),
        (("tasks", "skin", "split"), {"by": "time"}, ".+; by: time and time_column belong together"),
        (("models", "skin-dummy"), None, "found None; input should be a valid dictionary"),
        (("models", "skin-dummy", "features"), "raw", "found 'raw'; input should be 'embedding', 'classical'"),
    ],
)  # fmt: skip
def test_wrong_values_are_reported_with_key_and_remedy(path, value, text):
    refused(text, *path, value=value)


def test_f1_of_more_than_two_classes_is_the_macro_average():
    assert [params_models.metric_key("f1", n) for n in (2, 3)] == ["f1", "f1_macro"]
    assert params_models.metric_key("roc_auc", 3) == "roc_auc"
