"""Data of another source: what the model was trained on is found and left out, the rest is scored as it would be served."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from sklearn.metrics import roc_auc_score

from pipeline import external, holdout, select_best
from pipeline.core import artifacts
from pipeline.core.errors import DataError
from pipeline.data.dataset import Dataset
from pipeline.prediction.predictor import Predictor
from tests.helpers.grouped import GROUPS, grouped, project
from tests.helpers.models import (
    KERAS_NOISE,
    drawn_image,
    folder_of,
    held_out_set,
    image_project,
    mixed,
    score,
    train_and_evaluate,
)
from tests.helpers.samples import encoded, noise

pytestmark = [pytest.mark.filterwarnings(KERAS_NOISE), pytest.mark.usefixtures("empty_folder")]


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


@pytest.fixture(scope="module")
def surveyed(tmp_path_factory) -> tuple[Path, pd.DataFrame]:
    """A scored table project, and 70 rows of another hospital, 10 of which are development rows."""
    with folder_of(tmp_path_factory.mktemp("surveyed")) as folder:
        return folder, make_survey()


@pytest.fixture
def survey(surveyed, work_in_copy) -> pd.DataFrame:
    """These rows; a copy of the project is the current folder."""
    folder, rows = surveyed
    work_in_copy(folder)
    return rows.copy()


def make_survey() -> pd.DataFrame:
    """Make the current folder that project, and return the rows."""
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


def test_training_rows_are_left_out_of_external_figures(survey):
    external.main("there")
    report = artifacts.read_json("reports/t/external/there.json")
    assert report["overlap"] == {"n": 10, "of": 70, "dev": 10, "test": 0, "excluded": 0}
    assert report["counts"]["n"] == 60
    predictor = Predictor("models/t/best")
    given = pd.read_csv("there.csv", dtype=str, keep_default_na=False)[:60]
    rows = given.drop(columns="label").to_dict("records")
    proba = [predictor.score(predictor.load(row)).proba[1] for row in rows]
    assert report["roc_auc"] == pytest.approx(roc_auc_score(given["label"] == "bad", proba), abs=1e-6)
    assert report["calibration_in_the_large"]["predicted"] == pytest.approx(np.mean(proba), abs=1e-6)
    assert 0 <= report["refused"] <= 1


def test_change_is_the_difference_with_interval(survey):
    external.main("there")
    there = artifacts.read_json("reports/t/external/there.json")
    here = artifacts.read_json("reports/t/test/line.json")
    for key, change in there["change"].items():
        assert change["difference"] == pytest.approx(there[key] - here[key], abs=2e-6), key
        if key == "ece":
            assert change["ci"] == [None, None]
            continue
        low, high = change["ci"]
        assert low <= change["difference"] <= high, key
    assert {"roc_auc", "recall", "specificity", "brier_score_loss", "ece"} <= set(there["change"])


def test_other_labels_are_left_out_and_counted(survey):
    survey.loc[:4, "label"] = "unsure"
    survey.to_csv("there.csv", index=False)
    external.main("there")
    report = artifacts.read_json("reports/t/external/there.json")
    assert report["left_out"] == {"label": 5, "unreadable": 0}
    assert report["counts"]["n"] == 55


def test_external_samples_are_answered_by_the_unit(empty_folder):
    halves = pd.Series(GROUPS).groupby(GROUPS).cumcount().floordiv(2).astype(str)  # at most two samples of each
    for subset in ("dev", "test"):
        paths = [f"{number}.png" for number in range(len(GROUPS))]
        artifacts.write_csv(f"data/t/{subset}_columns.csv", pd.DataFrame({"path": paths, "visit": halves}))
    project(empty_folder, unit="visit")
    dev, there = grouped(), grouped(seed=9)
    artifacts.write_csv("data/t/scan/columns.csv", dev.X("columns"))
    split([f"row {n}" for n in range(1, len(dev.y) + 1)])
    table = there.X("columns").assign(patient=there.group, label=[there.classes[k] for k in there.y])
    table.assign(visit=halves).to_csv("there.csv", index=False)
    name_external(raw="there.csv", read={"group": "patient", "exclude": ["visit"]})
    external.main("there")
    report = artifacts.read_json("reports/t/external/there.json")
    of_groups = report["by_group"]
    assert (of_groups["unit"], of_groups["counts"]["n"]) == ("visit", len(set(zip(GROUPS, halves, strict=True))))
    assert report["change"]["roc_auc"]["difference"] == pytest.approx(
        of_groups["roc_auc"] - artifacts.read_json("reports/t/test/line.json")["by_group"]["roc_auc"], abs=2e-6
    )
    table.to_csv("there.csv", index=False)
    name_external(raw="there.csv", read={"group": "patient"})
    with pytest.raises(
        DataError, match=r"there.csv: there is no column 'visit', by which samples are answered together"
    ):
        external.main("there")


def test_another_schema_is_refused_with_the_columns_that_are_missing(survey):
    survey.drop(columns="age").to_csv("there.csv", index=False)
    with pytest.raises(DataError, match="missing columns: age"):
        external.main("there")


def test_labels_without_a_single_class_of_the_task_are_refused(survey):
    name_external(raw="there.csv")
    with pytest.raises(DataError, match="no sample is left to score"):
        external.main("there")


def test_reencoded_images_of_the_task_are_left_out(tmp_path_factory):
    models = {"near": {"estimator": "knn", "n_neighbors": 3}}
    dev = image_project(tmp_path_factory.getbasetemp(), models)
    held_out_set(dev, 12).save(Path("data/t/test.npz"))
    train_and_evaluate(models)
    select_best.main("t")
    holdout.main("t")
    split([f"{n}.png" for n in range(24)], test=[f"{n}.png" for n in range(24)])
    for n in range(30, 40):
        artifacts.write_bytes(f"there/{('benign', 'malignant')[n % 2]}/{n}.png", encoded(noise(n, 300, 225)))
    for n in range(4):
        artifacts.write_bytes(f"there/benign/again{n}.jpg", drawn_image(n, suffix="JPEG"))
    artifacts.write_bytes("there/benign/broken.png", drawn_image(50)[:900])
    name_external(raw="there")
    external.main("there")
    report = artifacts.read_json("reports/t/external/there.json")
    assert report["overlap"] == {"n": 4, "of": 14, "dev": 0, "test": 4, "excluded": 0}
    assert report["left_out"] == {"label": 0, "unreadable": 1}
    assert report["counts"]["n"] == 10
    charts = {path.name for path in Path("reports/t/external/there").iterdir()}
    assert charts == {"roc.png", "reliability.png"}
