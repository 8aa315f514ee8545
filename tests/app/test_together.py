"""Which samples of a request are one patient's, and the API's answer to them."""

import numpy as np
import pytest

from app import limits, together
from app.problems import Problem
from pipeline.core import artifacts
from pipeline.data.tabular.formats import Field
from pipeline.prediction.bundle import BundleInfo
from pipeline.prediction.predictor import Predictor
from tests.helpers import dicom
from tests.helpers.models import drawn_image
from tests.helpers.serving import GOOD, ROW, running, select_bundle

TABLE = BundleInfo("table", ["a", "b"], "columns", {}, {}, schema=[Field("age", "number", 1.0)])
IMAGE = BundleInfo("image", ["a", "b"], "embedding", {}, {})


@pytest.fixture
def pooling(project):
    """A project whose champions pool samples."""
    for task in ("skin", "patients"):
        path = f"models/{task}/best/bundle.json"
        content = artifacts.read_json(path)
        content["decision"]["pooling"] = "mean_log_odds"
        artifacts.write_json(path, content)
        select_bundle(task)
    return project


def named(*rows):
    return [(f"row {number}", row) for number, row in enumerate(rows, start=1)]


def test_rows_say_whose_they_are():
    given = named({"age": 1, "group": "P"}, {"age": 2, "group": 7}, {"age": 3, "group": "P"})
    rows, ids = together.split_ids(TABLE, given, "")
    assert (ids, [set(row) for _, row in rows]) == (["P", "7", "P"], [{"age"}] * 3)
    groups = together.divide(TABLE, rows, ids)
    assert [(name, [of for of, _ in own]) for name, _, own in groups] == [("P", ["row 1", "row 3"]), ("7", ["row 2"])]


def test_a_group_in_several_spellings_is_one():
    given = named({"group": 12}, {"group": "12.0"}, {"group": 12.0}, {"group": " p7"})
    groups = together.divide(TABLE, *together.split_ids(TABLE, given, ""))
    assert [(name, len(own)) for name, _, own in groups] == [("12", 3), ("p7", 1)]


@pytest.mark.parametrize("nothing", [{}, {"group": None}, {"group": " "}, {"group": "NA"}, {"group": "unknown"}])
def test_a_group_in_some_rows_only_is_refused(nothing):
    for divided in (True, False):
        with pytest.raises(Problem, match="row 2 says nothing in 'group'"):
            together.split_ids(TABLE, named({"age": 1, "group": "P"}, {"age": 2} | nothing), "", divided)


def test_rows_whose_group_is_empty_are_nobodys_together():
    rows = named({"age": 1, "group": None}, {"age": 2, "group": ""})
    with pytest.raises(Problem, match="row 1 says nothing"):
        together.split_ids(TABLE, rows, "", divided=True)
    assert together.split_ids(TABLE, rows, "")[1] == ["", ""]
    assert together.split_ids(TABLE, named({"age": 1}), " unknown ")[1] == [""]


def test_rows_without_a_group_are_one_patients():
    rows, ids = together.split_ids(TABLE, named({"age": 1}, {"age": 2}), "")
    assert [(name, len(own)) for name, _, own in together.divide(TABLE, rows, ids)] == [("row 1 and 1 more", 2)]


@pytest.mark.parametrize("column", ["patient", "Group"])
def test_rows_of_several_patients_under_another_name_are_refused(column):
    rows = named({"age": 1, column: "A"}, {"age": 2, column: "B"})
    with pytest.raises(Problem, match=f"differ in '{column}'"):
        together.split_ids(TABLE, rows, "", divided=True)
    assert together.split_ids(TABLE, rows, "P", divided=True)[1] == ["P", "P"]
    assert together.split_ids(TABLE, rows[:1], "", divided=True)[1] == [""]


def test_a_column_of_the_model_called_group_stays():
    info = BundleInfo("table", ["a", "b"], "columns", {}, {}, schema=[Field("group", "number", 1.0)])
    given = named({"group": 1}, {"group": 2})
    assert together.split_ids(info, given, "P") == (given, ["P", "P"])


def file(patient):
    """Return a DICOM file of a patient."""
    return dicom.to_bytes(dicom.dataset(np.zeros((64, 64), np.uint8), PatientID=patient))


def test_dicom_files_say_whose_they_are():
    given = [("1.dcm", file("Erika")), ("2.dcm", file("Otto")), ("3.dcm", file("Erika")), ("4.png", GOOD)]
    samples, ids = together.split_ids(IMAGE, given, "")
    groups = together.divide(IMAGE, samples, ids)
    assert [name for name, *_ in groups] == ["1.dcm and 1 more", "2.dcm", "4.png"]
    assert "Erika" not in str([name for name, *_ in groups])


def test_files_of_several_patients_are_no_group():
    given = [("1.dcm", file("P-07")), ("2.dcm", file("p7")), ("3.dcm", file("ANONYMOUS"))]
    assert together.split_ids(IMAGE, given, "G", divided=True)[1] == ["G"] * 3
    assert together.split_ids(IMAGE, given, "")[1] == ["P-07", "p7", ""]
    assert [len(own) for *_, own in together.divide(IMAGE, *together.split_ids(IMAGE, given, "", True))] == [2, 1]
    with pytest.raises(Problem, match="name several patients"):
        together.split_ids(IMAGE, [*given, ("4.dcm", file("Q"))], "G", divided=True)


def test_the_api_answers_all_images_of_a_patient_once(pooling):
    files = [(f"{seed}.png", drawn_image(seed)) for seed in range(40)]
    bad = ("bad.png", b"no image")
    with running() as server:
        skin = Predictor("models/skin/best")
        status, content, _ = server.send("/v1/tasks/skin/predict?together=true", *files, bad)
        assert (status, content["bundle"]) == (200, skin.id)
        assert content["predictions"] == [skin.predict_group([*files, bad], "0.png and 40 more")]
        item = content["predictions"][0]
        assert (item["n"], item["n_used"], len(item["samples"])) == (41, 40, 41)
        status, content, _ = server.send("/v1/tasks/skin/predict?together=true", bad, bad, files[0])
        assert status == 422
        assert "2 of 3 samples could not be used" in content["detail"]
        assert len(content["predictions"][0]["samples"]) == 3
        many = [(f"{number}.png", b"") for number in range(limits.TOGETHER + 1)]
        assert server.send("/v1/tasks/skin/predict?together=true", *many)[0] == 413
        assert server.send("/v1/tasks/skin/predict", *files)[0] == 413
        status, content, _ = server.send("/v1/tasks/skin/predict?together=true&explain=true", files[0])
        assert (status, "one by one" in content["detail"]) == (422, True)


def test_the_api_answers_rows_by_their_group(pooling):
    rows = [ROW | {"group": "P"}, ROW | {"age": 40, "group": "Q"}, ROW | {"age": 90, "group": "P"}]
    with running() as server:
        status, content, _ = server.rows(*rows, query="?together=true")
        assert status == 200
        assert [(item["file"], item["n"]) for item in content["predictions"]] == [("P", 2), ("Q", 1)]
        expected = Predictor("models/patients/best")
        samples = [(f"row {n}", {k: v for k, v in rows[n - 1].items() if k != "group"}) for n in (1, 3)]
        assert content["predictions"][0] == expected.predict_group(samples, "P")
        # one by one the field is for monitoring, and no column that the model does not take
        status, content, _ = server.rows(*rows)
        assert [item["reason"] for item in content["predictions"]] == [""] * 3


def test_monitoring_counts_the_patients_that_are_named(pooling):
    files = [(f"{seed}.png", drawn_image(seed)) for seed in range(6)]
    with running() as server:
        server.send("/v1/tasks/skin/predict?group=P", *files[:2])
        server.send("/v1/tasks/skin/predict?together=true", *files[2:])
        server.send("/v1/tasks/skin/predict", files[0])
        counts = server.get("/v1/tasks/skin/monitor")[1]["counts"]
    assert (counts["n"], counts["grouped"], counts["squares"]) == (7, 6, 4 + 16)
