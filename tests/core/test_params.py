"""params.yaml is read strictly: an error names the key, the value and a valid one."""

import pytest
import yaml

from pipeline.core import params, params_models
from pipeline.core.errors import ParamsError
from tests.helpers.samples import content, task, write_params

pytestmark = pytest.mark.usefixtures("empty_folder")


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


@pytest.mark.parametrize(
    ("text", "where"), [("\tseed: 1\n", "line 1, column 1"), ("a:\n  b: 1\n  \tc: 2\n", "line 3, column 3")]
)
def test_a_tab_is_named(empty_folder, text, where):
    (empty_folder / "params.yaml").write_text(text)
    with pytest.raises(ParamsError, match=rf"^params.yaml, {where}: a tab; YAML takes spaces alone"):
        params.load()


def test_a_merge_conflict_is_named(empty_folder):
    (empty_folder / "params.yaml").write_text("workers: 2\n<<<<<<< HEAD\nseed: 1\n=======\nseed: 2\n>>>>>>> other\n")
    with pytest.raises(ParamsError, match=r"^params.yaml has a merge conflict in line 2: keep the lines"):
        params.load()


def test_duplicate_keys_are_refused(empty_folder):
    (empty_folder / "params.yaml").write_text("seed: 1\ntasks:\n  skin: {a: 1}\n  skin: {a: 2}\n")
    with pytest.raises(ParamsError, match=r"^params.yaml is not valid YAML: 'skin' is there twice .+ line 4"):
        params.load()


@pytest.mark.parametrize(("number", "value"), [("010", 8), ("1:30", 90), ("1_000", 1000), ("0b11", 3)])
def test_a_number_that_dvc_reads_otherwise_is_refused(empty_folder, number, value):
    (empty_folder / "params.yaml").write_text(f"workers: 2\nseed: {number}\n")
    with pytest.raises(ParamsError, match=rf"^params.yaml is not valid YAML: {number} .+ {value}; .+ line 2"):
        params.load()


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


def test_a_file_in_utf_8_is_read_alike_everywhere(empty_folder):
    (empty_folder / "params.yaml").write_bytes(yaml.safe_dump({"raw": "皮膚"}, allow_unicode=True).encode())
    assert params.load() == {"raw": "皮膚"}


def test_a_block_without_lists_is_its_own_only_combination():
    assert params.combinations({"C": 1.0, "class_weight": None}) == [{"C": 1.0, "class_weight": None}]
    assert params.combinations({}) == [{}]


def test_several_lists_are_combined_and_the_last_key_changes_fastest():
    fitted = params.combinations({"a": [1, 2], "b": "x", "c": [3, 4]})
    assert fitted == [{"a": a, "b": "x", "c": c} for a in (1, 2) for c in (3, 4)]


def test_whole_blocks_can_be_listed():
    blocks = [{"from_block": "block_13"}, {"from_block": "block_15"}]
    assert params.combinations({"fine_tune": blocks}) == [{"fine_tune": block} for block in blocks]
