"""Samples of the command line are divided by whose they are."""

import csv
import io
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from pipeline import predict
from pipeline.core import artifacts
from pipeline.core.errors import DataError
from pipeline.prediction.decision_rule import DecisionRule
from pipeline.prediction.group_files import read_groups
from pipeline.prediction.predictor import Predictor
from tests.helpers import dicom
from tests.helpers.models import KERAS_NOISE, drawn_image, export

pytestmark = pytest.mark.filterwarnings(KERAS_NOISE)
RULE = DecisionRule(pooling="mean")
LAYOUT = {"p1": ["a.png", "series/b.png"], "p2": ["a.png"]}


@pytest.fixture
def patients(image_bundles, work_in_copy):
    """A bundle that pools images, and a folder of patients."""
    work_in_copy(image_bundles)
    export("colours", Path("bundle"), RULE)
    for seed, path in enumerate(f"{folder}/{name}" for folder, names in LAYOUT.items() for name in names):
        artifacts.write_bytes(f"patients/{path}", drawn_image(seed))
    artifacts.write_bytes("patients/p1/Thumbs.db", b"x")
    return Predictor("bundle")


@pytest.fixture
def rows(table, work_in_copy):
    """A bundle that pools rows, and a CSV with a column of patients."""
    work_in_copy(table)
    export("line", Path("bundle"), RULE)
    lines = [
        "patient,age,size,site,empty,constant",
        "A,61,0.2,arm,,3",
        "B,40,1,leg,,3",
        "A,50,0.1,arm,,3",
        ",33,0.4,leg,,3",
    ]
    Path("rows.csv").write_text("\n".join(lines) + "\n")


def names(groups):
    return {group: [name for name, _ in samples] for group, samples in groups.items()}


def test_each_folder_is_a_patient(patients):
    expected = {"patients/p1": ["patients/p1/a.png", "patients/p1/series/b.png"], "patients/p2": ["patients/p2/a.png"]}
    assert names(read_groups(patients, ["patients"], {})) == expected
    assert names(read_groups(patients, ["patients/p1", "patients/p2"], {})) == expected
    assert names(read_groups(patients, ["patients/p1/a.png", "patients/p2/a.png"], {})) == {
        "patients/p1": ["patients/p1/a.png"],
        "patients/p2": ["patients/p2/a.png"],
    }


def test_dicom_files_are_divided_by_their_patient(patients):
    for number, patient in enumerate(["P-1", "P-2", "p01", None, "Anonymous", "ANONYMIZED"]):
        values = np.full((64, 64), 40 * number, np.uint8)
        artifacts.write_bytes(f"export/{number}.dcm", dicom.to_bytes(dicom.dataset(values, PatientID=patient)))
    groups = read_groups(patients, ["export"], {})
    assert names(groups) == {
        "P-1": ["export/0.dcm", "export/2.dcm"],
        "P-2": ["export/1.dcm"],
        "export": [f"export/{number}.dcm" for number in (3, 4, 5)],
    }


def test_folders_in_two_spellings_are_one_patient_and_unknown_ones_nobody(patients):
    for number, folder in enumerate(["P01", "unknown"]):
        artifacts.write_bytes(f"patients/{folder}/c.png", drawn_image(10 + number))
        artifacts.write_bytes(f"patients/{folder}/d.png", drawn_image(20 + number))
    assert names(read_groups(patients, ["patients"], {})) == {
        "patients/P01": [f"patients/{name}" for name in ("P01/c.png", "P01/d.png", "p1/a.png", "p1/series/b.png")],
        "patients/p2": ["patients/p2/a.png"],
        "patients/unknown/c.png": ["patients/unknown/c.png"],
        "patients/unknown/d.png": ["patients/unknown/d.png"],
    }


def test_what_is_joined_by_its_name_is_said_and_a_folder_is_no_patient_id(patients, capsys, monkeypatch):
    for folder in ("1 23", "12 3"):
        artifacts.write_bytes(f"spelt/{folder}/a.png", drawn_image(int(folder[:2])))
    assert list(read_groups(patients, ["spelt"], {})) == ["spelt/1 23"]
    assert "spelt/1 23, spelt/12 3: taken for spellings of one name" in capsys.readouterr().err
    for number, folder in enumerate(["a", "b"]):
        values = np.full((64, 64), 40 * number, np.uint8)
        artifacts.write_bytes(f"patients/{folder}/1.dcm", dicom.to_bytes(dicom.dataset(values, PatientID="p1")))
    monkeypatch.chdir("patients")
    assert names(read_groups(patients, ["p1", "a", "b"], {})) == {
        "p1": ["p1/a.png", "p1/series/b.png"],
        "p1 (2)": ["a/1.dcm", "b/1.dcm"],
    }
    assert "p1: the files of this PatientID lie in a, b: answered as one patient's" in capsys.readouterr().err


def test_images_beside_folders_of_patients_are_refused(patients):
    artifacts.write_bytes("patients/cover.png", drawn_image(9))
    ((_, error),) = read_groups(patients, ["patients"], {})["patients"]
    assert "images (cover.png) and folders (p1, p2)" in str(error)


def test_what_a_folder_leaves_out_or_joins_is_said(patients, capsys):
    artifacts.write_bytes("site/patients/p1/a.png", drawn_image(1))
    artifacts.write_bytes("site/patients/p2/a.heic", b"x")
    artifacts.write_bytes("site/patients/p3/a.png", drawn_image(3))
    Path("site/empty").mkdir()
    groups = read_groups(patients, ["site", "site/patients/p1"], {})
    assert len(groups["site/patients"]) == 2
    assert "has no image" in str(groups["site/empty"][0][1])
    printed = capsys.readouterr().err
    assert "site: 1 of its files left out: patients/p2/a.heic: is no image" in printed
    assert "site/patients: its folders (p1, p3) are answered as one patient's" in printed
    assert "site/patients/p1/a.png: given twice, used once" in printed


def test_a_csv_of_images_names_the_patient(patients):
    Path("list.csv").write_text("path,patient\npatients/p1/a.png,X\npatients/p2/a.png,X\nnowhere.png,Y\n")
    groups = read_groups(patients, ["list.csv"], {}, "patient")
    assert list(groups) == ["X", "Y"]
    assert [isinstance(data, bytes) for _, data in groups["X"]] == [True, True]
    assert isinstance(groups["Y"][0][1], DataError)


def test_an_image_that_a_csv_names_twice_counts_once(patients, capsys):
    Path("list.csv").write_text("path,patient\npatients/p1/a.png,X\npatients/p1/a.png,X\npatients/p1/a.png,Y\n")
    groups = read_groups(patients, ["list.csv"], {}, "patient")
    assert {name: len(samples) for name, samples in groups.items()} == {"X": 1, "Y": 1}
    assert "patients/p1/a.png (row 2): given twice, used once" in capsys.readouterr().err


def test_the_command_line_answers_each_patient(patients, capsys):
    predict.main("bundle", "patients", "--by-group", "--format", "json")
    items = json.loads(capsys.readouterr().out)
    assert [(item["file"], item["n"], item["n_used"]) for item in items] == [
        ("patients/p1", 2, 2),
        ("patients/p2", 1, 1),
    ]
    files = [(f"patients/p1/{name}", Path(f"patients/p1/{name}").read_bytes()) for name in LAYOUT["p1"]]
    assert items[0] == patients.predict_group(files, "patients/p1")
    predict.main("bundle", "patients", "--by-group", "--format", "csv")
    table = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [(row["file"], row["n"], row["n_used"]) for row in table] == [
        ("patients/p1", "2", "2"),
        ("patients/p2", "1", "1"),
    ]
    predict.main("bundle", "patients", "--by-group")
    assert "from 2 of 2 samples by mean" in capsys.readouterr().out


def test_a_patient_without_enough_images_exits_2(patients, capsys):
    shutil.copy("broken.jpg", "patients/p2/b.jpg")
    shutil.copy("empty.png", "patients/p2/c.png")
    with pytest.raises(DataError, match="1 of 2 groups could not be used: patients/p2"):
        predict.main("bundle", "patients", "--by-group", "--format", "json")
    assert "2 of 3 samples could not be used" in json.loads(capsys.readouterr().out)[1]["reason"]


def test_rows_are_divided_by_a_column(rows, capsys):
    predict.main("bundle", "rows.csv", "--by-group", "--group-column", "patient", "--format", "json")
    printed = capsys.readouterr()
    items = json.loads(printed.out)
    assert [(item["file"], item["n"]) for item in items] == [("A", 2), ("B", 1), ("rows.csv row 4", 1)]
    assert [sample["file"] for sample in items[0]["samples"]] == ["rows.csv row 1", "rows.csv row 3"]
    assert "not used by the model" not in printed.err


def test_spellings_of_a_patient_are_one_and_unknown_ones_apart(rows):
    head = Path("rows.csv").read_text().partition("\n")[0]
    Path("more.csv").write_text(
        "\n".join([head, *(f"{id_},61,0.2,arm,,3" for id_ in ("12", "12.0", " 12 ", "NA", "NA"))])
    )
    Path("rest.csv").write_text(f"{head}\n012,40,1,leg,,3\n")
    by_patient = names(read_groups(Predictor("bundle"), ["more.csv", "rest.csv"], {}, "patient"))
    alone = {f"more.csv row {n}": [f"more.csv row {n}"] for n in (4, 5)}
    assert by_patient == {"12": [*(f"more.csv row {n}" for n in (1, 2, 3)), "rest.csv row 1"]} | alone


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["rows.csv", "--group-column", "doctor"], "has no column 'doctor' \\(from --group-column\\)"),
        (["rows.csv"], "--group-column is missing"),
        (["nowhere.csv"], "cannot be opened"),
        (["."], "is no table of rows"),
    ],
)
def test_what_says_nothing_of_patients_is_refused(rows, capsys, options, reason):
    with pytest.raises(DataError, match="1 of 1 groups"):
        predict.main("bundle", *options, "--by-group", "--format", "json")
    assert re.search(reason, json.loads(capsys.readouterr().out)[0]["samples"][0]["reason"])


@pytest.mark.parametrize("options", [["--by-group", "--explain", "out"], ["--group-column", "patient"]])
def test_options_that_exclude_each_other_are_refused(options, capsys):
    with pytest.raises(SystemExit):
        predict.main("bundle", "a.png", *options)
    assert "--by-group" in capsys.readouterr().err
