"""Data of another source: what the model was trained on is found and left out, the rest is scored as it would be served."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from sklearn.metrics import roc_auc_score

from pipeline import external, holdout, select_best
from pipeline.core import artifacts, params
from pipeline.core.errors import DataError, ParamsError
from pipeline.data.dataset import Dataset
from pipeline.evaluation import external_data
from pipeline.prediction.predictor import Predictor
from pipeline.tasks import remove, validate
from tests.models import KERAS_NOISE, dataset, image_project, mixed, picture, score, train_and_evaluate
from tests.samples import ROOT, content, encoded, noise, task

pytestmark = pytest.mark.filterwarnings(KERAS_NOISE)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    """An empty current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def split(paths: list[str], test: Sequence[str] = ()) -> None:
    """Write split.csv and samples.csv, in which all samples but those in `test` are development."""
    subsets = ["test" if path in test else "dev" for path in paths]
    table = pd.DataFrame({"path": paths, "subset": subsets, "label": "benign"})
    artifacts.write_csv("data/t/split.csv", table)
    artifacts.write_csv("data/t/scan/samples.csv", table[["path", "label"]])


def name_external(**block: object) -> None:
    """Add the external data set `there` to params.yaml."""
    known = yaml.safe_load(Path("params.yaml").read_text())
    known["external"] = {"there": {"task": "t", "read": {}} | block}
    Path("params.yaml").write_text(yaml.safe_dump(known))


@pytest.fixture
def survey(folder) -> pd.DataFrame:
    """A scored table project, and 70 rows of another hospital, 10 of which are development rows."""
    score({"line": {"estimator": "logreg"}}, n_dev=120, n_test=60)
    dev = Dataset.load(Path("data/t/dev.npz"))
    artifacts.write_csv("data/t/scan/columns.csv", dev.X("columns"))
    split([f"row {n}" for n in range(1, 121)])
    there, y = mixed(60, seed=9)
    both = pd.concat([there, pd.read_csv("data/t/scan/columns.csv")[:10]], ignore_index=True)
    both["label"] = [("good", "bad")[k] for k in [*y, *dev.y[:10]]]
    both.to_csv("there.csv", index=False)
    name_external(raw="there.csv", labels={"good": "benign", "bad": "malignant"})
    return both


def test_rows_that_the_model_was_trained_on_are_counted_and_left_out_of_every_figure(survey):
    external.main("there")
    report = artifacts.read_json("reports/t/external/there.json")
    assert report["overlap"] == {"n": 10, "of": 70, "dev": 10, "test": 0, "excluded": 0}
    assert report["counts"]["n"] == 60
    predictor = Predictor("models/t/best")
    given = pd.read_csv("there.csv", dtype=str, keep_default_na=False)[:60]
    rows = given.drop(columns="label").to_dict("records")
    proba = [predictor.proba(predictor.features(row))[1] for row in rows]
    assert report["roc_auc"] == pytest.approx(roc_auc_score(given["label"] == "bad", proba), abs=1e-6)
    assert report["calibration_in_the_large"]["predicted"] == pytest.approx(np.mean(proba), abs=1e-6)
    assert 0 <= report["refused"] <= 1


def test_the_change_against_the_internal_test_is_the_difference_with_an_interval_around_it(survey):
    external.main("there")
    there = artifacts.read_json("reports/t/external/there.json")
    here = artifacts.read_json("reports/t/test/line.json")
    for key, change in there["change"].items():
        assert change["difference"] == pytest.approx(there[key] - here[key], abs=2e-6), key
        low, high = change["ci"]
        assert low <= change["difference"] <= high, key
    assert {"roc_auc", "recall", "specificity", "brier_score_loss", "ece"} <= set(there["change"])


def test_labels_that_are_none_of_the_classes_are_left_out_and_counted(survey):
    survey.loc[:4, "label"] = "unsure"
    survey.to_csv("there.csv", index=False)
    external.main("there")
    report = artifacts.read_json("reports/t/external/there.json")
    assert report["left_out"] == {"label": 5, "unreadable": 0}
    assert report["counts"]["n"] == 55


def test_another_schema_is_refused_with_the_columns_that_are_missing(survey):
    survey.drop(columns="age").to_csv("there.csv", index=False)
    with pytest.raises(DataError, match="missing columns: age"):
        external.main("there")


def test_labels_without_a_single_class_of_the_task_are_refused(survey):
    name_external(raw="there.csv")
    with pytest.raises(DataError, match="no sample is left to score"):
        external.main("there")


def test_pictures_of_the_tasks_own_data_are_found_under_other_bytes_those_of_its_test_set_too(folder, tmp_path_factory):
    models = {"near": {"estimator": "knn", "n_neighbors": 3}}
    dev = image_project(tmp_path_factory.getbasetemp(), models)
    dataset(dev.X("embedding")[:12], dev.y[:12], folds=0).save(Path("data/t/test.npz"))
    train_and_evaluate(models)
    select_best.main("t")
    holdout.main("t")
    split([f"{n}.png" for n in range(24)], test=[f"{n}.png" for n in range(24)])
    for n in range(30, 40):
        artifacts.write_bytes(f"there/{('benign', 'malignant')[n % 2]}/{n}.png", encoded(noise(n, 300, 225)))
    for n in range(4):
        artifacts.write_bytes(f"there/benign/again{n}.jpg", picture(n, suffix="JPEG"))
    artifacts.write_bytes("there/benign/broken.png", picture(50)[:900])
    name_external(raw="there")
    external.main("there")
    report = artifacts.read_json("reports/t/external/there.json")
    assert report["overlap"] == {"n": 4, "of": 14, "dev": 0, "test": 4, "excluded": 0}
    assert report["left_out"] == {"label": 0, "unreadable": 1}
    assert report["counts"]["n"] == 10
    charts = {path.name for path in Path("reports/t/figures/there").iterdir()}
    assert charts == {"roc.png", "reliability.png", "external.json"}


def test_a_copy_of_a_copy_of_a_training_sample_is_known_and_copies_of_one_another_are_a_group():
    inside, groups = external_data.judge([(0, 2), (2, 3), (4, 5)], ["dev", "test"], ["", "", "a", "b", "b"])
    assert inside.tolist() == ["dev", "dev", "", "", ""]
    assert groups[0] == groups[1]
    assert groups[2] == groups[3] == groups[4]  # 4 and 5 are copies, 5 and 6 of one patient
    assert groups[0] != groups[2]


def test_a_copy_of_a_test_sample_is_told_apart_from_one_of_a_training_sample_which_counts_first():
    inside, _ = external_data.judge([(1, 2), (0, 3), (1, 3)], ["dev", "test"], ["", ""])
    assert inside.tolist() == ["dev", "dev"]  # 0, 1, 2 and 3 hang together
    inside, _ = external_data.judge([(1, 2), (0, 3)], ["dev", "test"], ["", ""])
    assert inside.tolist() == ["test", "dev"]


def test_adding_writes_a_block_that_is_valid_and_refuses_a_second_of_that_name(survey, monkeypatch):
    name_external(raw="there.csv")
    known = yaml.safe_load(Path("params.yaml").read_text()) | {"external": {}}
    known["tasks"]["t"]["select"]["metric"] = "roc_auc"
    Path("params.yaml").write_text(yaml.safe_dump(known))
    external.add("elsewhere", "t", "there.csv", {"good": "benign"}, None, None)
    block = params.external("elsewhere")
    assert (block.task, block.raw, block.read.label) == ("t", "there.csv", "label")
    assert block.labels == {"good": "benign"}
    with pytest.raises(ParamsError, match=r"has external.elsewhere already"):
        external.add("elsewhere", "t", "there.csv", {}, None, None)


def test_a_label_map_is_words_and_nothing_else():
    Path("map.yaml").write_text("mel: malignant\nYES: malignant\nnv: benign\n")
    assert external.read_words(Path("map.yaml")) == {"mel": "malignant", "YES": "malignant", "nv": "benign"}
    Path("map.yaml").write_text("[1, 2]")
    with pytest.raises(DataError, match="expected lines such as 'melanoma: malignant'"):
        external.read_words(Path("map.yaml"))
    with pytest.raises(DataError, match="cannot be opened"):
        external.read_words(Path("none.yaml"))


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
    with pytest.raises(ParamsError, match="a model has that name"):
        validate.check(everything)


def test_removing_a_task_takes_its_external_data_sets_out_of_params(survey):

    shutil.copy(ROOT / "dvc.yaml", "dvc.yaml")
    remove.remove("t")
    assert yaml.safe_load(Path("params.yaml").read_text())["external"] == {}
