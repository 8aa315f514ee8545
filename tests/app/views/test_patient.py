"""All images of a patient get one answer, if that is asked for."""

import numpy as np
import pytest

from app import champions
from pipeline.core import artifacts
from pipeline.prediction.predictor import Predictor
from tests.helpers import dicom
from tests.helpers.models import drawn_image
from tests.helpers.pages import first_page, text_of
from tests.helpers.serving import select_bundle

pytestmark = pytest.mark.usefixtures("fresh_app")
FILES = [(f"{number}.png", drawn_image(number), "image/png") for number in range(4)]


@pytest.fixture
def pooling(project):
    """A project whose image champion pools samples."""
    path = "models/skin/best/bundle.json"
    content = artifacts.read_json(path)
    content["decision"]["pooling"] = "mean"
    artifacts.write_json(path, content)
    select_bundle("skin")


def test_all_images_of_a_patient_get_one_answer(pooling):
    page = first_page(task="skin")
    page.file_uploader[0].set_value(FILES).run()
    assert "contribution" not in page.dataframe[0].value
    page.toggle(key="together").set_value(True).run()
    assert not page.exception
    item = Predictor("models/skin/best").predict_group([(name, data) for name, data, _ in FILES], "all images")
    shown, differing = page.dataframe[0].value, [sample["file"] for sample in item["samples"] if sample["differs"]]
    assert list(shown["contribution"]) == [sample["contribution"] for sample in item["samples"]]
    assert list(shown["differs"]) == [sample["differs"] for sample in item["samples"]]
    assert page.subheader[0].value == item["class"]
    text = text_of(page).replace("\\", "")
    assert "From 4 of 4 images by mean." in text
    assert f"{len(differing)} of 4 images would get another answer alone: {', '.join(differing)}" in text


def test_a_model_without_pooling_has_no_switch(project):
    page = first_page(task="skin")
    page.file_uploader[0].set_value(FILES).run()
    assert "together" not in [toggle.key for toggle in page.toggle]


def test_files_of_two_patients_get_no_common_answer(pooling):
    files = [
        (
            f"{name}.dcm",
            dicom.to_bytes(dicom.dataset(np.zeros((64, 64), np.uint8), PatientID=name)),
            "application/dicom",
        )
        for name in ("P1", "P2", "p-01")
    ]
    page = first_page(task="skin")
    page.file_uploader[0].set_value(files).run()
    page.toggle(key="together").set_value(True).run()
    assert "The files name 2 patients" in page.error[0].value
    assert "contribution" not in page.dataframe[0].value


def served(task: str):
    """Return the counts of today for a task's champion, as monitoring has them."""
    champion = champions.kept()[task]
    (counts,) = champions.recorder().days(task, champion.id, 1).values()
    return counts


def test_monitoring_counts_images_of_a_patient_as_one_each_once(pooling):
    page = first_page(task="skin")
    page.file_uploader[0].set_value(FILES).run()
    before = served("skin")
    assert (before.grouped, before.n) == (0, 4)
    page.toggle(key="together").set_value(True).run()
    page.run()
    after = served("skin")
    assert (after.grouped, after.squares, after.n) == (4, 16, 4)


def test_monitoring_counts_the_patients_of_rows(project):
    page = first_page(task="patients")
    page.segmented_control[0].set_value("CSV file").run()
    data = b"age,size,site,empty,constant,group\n61,0.2,arm,,3,P1\n50,0.2,arm,,3,P1\n41,0.2,leg,,3,P2\n44,0.2,leg,,3,\n"
    page.file_uploader[0].set_value(("rows.csv", data, "text/csv")).run()
    assert not page.warning
    counts = served("patients")
    assert (counts.grouped, counts.squares, counts.n) == (3, 5, 4)
