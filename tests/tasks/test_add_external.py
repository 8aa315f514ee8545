"""Blocks of external data are added to params.yaml when they are valid, checked, and removed with their task."""

import shutil
from pathlib import Path

import pandas as pd
import pytest
import yaml

from pipeline.core import params
from pipeline.core.errors import DataError, ParamsError
from pipeline.tasks import add_external, remove, validate
from tests.helpers.models import write_params
from tests.helpers.samples import ROOT, content, task


@pytest.fixture
def project(tmp_path, monkeypatch) -> None:
    """An empty current folder with params.yaml of a table task, and a table of another source."""
    monkeypatch.chdir(tmp_path)
    write_params({"line": {"estimator": "logreg"}}, metric="roc_auc")
    rows = pd.DataFrame({"age": [n * 7 % 20 for n in range(20)], "label": ["good", "bad"] * 10})
    rows.to_csv("there.csv", index=False)


def test_adding_writes_a_valid_block_once(project):
    add_external.add("elsewhere", "t", "there.csv", {"good": "benign"}, None, None)
    block = params.external("elsewhere")
    assert (block.task, block.raw, block.read.label) == ("t", "there.csv", "label")
    assert block.labels == {"good": "benign"}
    with pytest.raises(ParamsError, match=r"has external.elsewhere already"):
        add_external.add("elsewhere", "t", "there.csv", {}, None, None)


def test_the_label_of_the_task_is_taken_without_asking(project):
    rows = pd.read_csv("there.csv").assign(outcome=["x", "y", "y", "x"] * 5)
    rows.to_csv("there.csv", index=False)
    add_external.add("elsewhere", "t", "there.csv", {}, None, None)
    assert params.external("elsewhere").read.label == params.task("t").read.label == "label"


def test_a_label_map_is_words_and_nothing_else(project):
    Path("map.yaml").write_text("mel: malignant\nYES: malignant\nnv: benign\n")
    assert add_external.read_words("map.yaml") == {"mel": "malignant", "YES": "malignant", "nv": "benign"}
    Path("map.yaml").write_text("[1, 2]")
    with pytest.raises(DataError, match="expected lines such as 'melanoma: malignant'"):
        add_external.read_words("map.yaml")
    with pytest.raises(DataError, match="cannot be opened"):
        add_external.read_words("none.yaml")


@pytest.mark.parametrize(
    ("block", "error"),
    [
        ({"task": "skni"}, r"external.there.task: there is no task 'skni'; did you mean 'skin'"),
        ({"raw": "data/skin/x"}, r"external.there.raw: stages write to data/skin"),
        ({"labls": {}}, r"external.there.labls: unknown key"),
    ],
)
def test_check_refuses_a_block_that_the_stage_would_stumble_over(block, error):
    everything = content(task())
    everything["external"] = {"there": {"task": "skin", "raw": "elsewhere", "read": {}} | block}
    with pytest.raises(ParamsError, match=error):
        validate.check(everything)


def test_a_name_that_a_model_has_is_refused():
    everything = content(task())
    everything["external"] = {"skin-dummy": {"task": "skin", "raw": "elsewhere", "read": {}}}
    with pytest.raises(ParamsError, match="a model has this name"):
        validate.check(everything)


def test_removing_a_task_removes_its_external_data(project):
    add_external.add("elsewhere", "t", "there.csv", {}, None, None)
    shutil.copy(ROOT / "dvc.yaml", "dvc.yaml")
    remove.remove("t")
    assert yaml.safe_load(Path("params.yaml").read_text())["external"] == {}
