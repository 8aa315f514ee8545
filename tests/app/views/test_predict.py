"""The page Predict answers as the Predictor does."""

import pytest

from app import champions, limits
from pipeline.prediction.files import read_rows
from pipeline.prediction.predictor import Predictor
from tests.helpers.models import drawn_image
from tests.helpers.pages import first_page, text_of
from tests.helpers.serving import warn

pytestmark = pytest.mark.usefixtures("fresh_app")


def test_each_image_is_answered_once_as_by_the_predictor(project, monkeypatch):
    loaded = Predictor("models/skin/best")
    page = first_page(task="skin")
    files = [(f"{number}.png", drawn_image(number), "image/png") for number in range(3)]
    page.file_uploader[0].set_value(files).run()
    assert list(page.dataframe[0].value["class"]) == [loaded.predict(data, "")["class"] for _, data, _ in files]
    asked = []
    monkeypatch.setattr(champions.Champion, "predict_and_count", lambda *given: asked.append(given))
    page.run()
    assert not asked


def test_what_an_answer_rests_on_is_shown_on_demand(project):
    page = first_page(task="skin")
    page.file_uploader[0].set_value([("a.png", drawn_image(1), "image/png")]).run()
    assert "speak for" not in text_of(page)
    page.toggle[0].set_value(True).run()
    assert not page.exception
    answered = Predictor("models/skin/best").predict(drawn_image(1), "")["class"]
    assert f"Orange regions support {answered}, blue regions contradict it" in text_of(page)
    page = first_page(task="patients")
    page.button[0].click().run()
    page.toggle[0].set_value(True).run()
    assert not page.exception
    assert "Contribution of each value to the log-odds of" in text_of(page)


def test_surplus_files_are_left_out_with_a_notice(project, monkeypatch):
    monkeypatch.setattr(limits, "PAGE_FILES", 2)
    page = first_page(task="skin")
    page.file_uploader[0].set_value([(f"{number}.png", drawn_image(number), "image/png") for number in range(3)]).run()
    assert "The first 2 images are used, 1 are left out" in page.warning[0].value
    assert len(page.dataframe[0].value) == 2


def test_rows_of_a_csv_are_answered_as_by_the_predictor(project):
    page = first_page(task="patients")
    page.segmented_control[0].set_value("CSV file").run()
    data = b"age,size,site,empty,constant\n61,0.2,arm,,3\nold,0.2,arm,,3\n9999,0.2,nose,,3\n"
    page.file_uploader[0].set_value(("rows.csv", data, "text/csv")).run()
    loaded = Predictor("models/patients/best")
    given, warnings = read_rows(loaded.info.schema, "rows.csv", data)
    expected = [loaded.predict(row, name) for name, row in given]
    shown = page.dataframe[0].value
    assert list(shown["file"]) == [item["file"] for item in expected]
    assert list(shown["class"].fillna("")) == [item["class"] for item in expected]
    assert list(shown["reason"]) == [item["reason"] for item in expected]
    assert [warning.value.replace("\\", "") for warning in page.warning] == warnings


def test_model_no_better_than_guessing_warns_above_every_answer(project):
    warn("skin")
    page = first_page(task="skin")
    assert "not better than guessing: the interval contains 0.5" in page.warning[0].value.replace("\\", "")
    page.file_uploader[0].set_value([("a.png", drawn_image(1), "image/png")]).run()
    assert "not better than guessing" in page.warning[0].value
    assert not first_page(task="patients").warning
