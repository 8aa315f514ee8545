"""The page Predict answers as the Predictor does."""

from pathlib import Path

import pytest

from app import champions, limits
from pipeline.prediction.files import read_rows
from pipeline.prediction.predictor import Predictor
from tests.helpers import pages
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
    assert f"Yellow regions support {answered}, cyan regions contradict it" in text_of(page)
    images = [image for element in page.get("image") for image in element.proto.imgs]
    assert [image.caption.replace("\\", "") for image in images] == ["a.png", "What the answer rests on"]
    before = images[1].url
    page.slider[0].set_value(0).run()
    plain, mapped = [image for element in page.get("image") for image in element.proto.imgs]
    assert mapped.url == plain.url != before  # without opacity, the map leaves the image as it is
    page = first_page(task="patients")
    values = {"age": 61.0, "size": 0.2}
    next(box for box in page.selectbox if box.label == "constant").select_index(0)
    for field in page.number_input:
        field.set_value(values[field.label.partition(" ")[0]])
    page.button[0].click().run()
    page.toggle[0].set_value(True).run()
    assert not page.exception
    assert "Contribution of each value to the log-odds of" in text_of(page)


def test_nothing_is_offered_beside_an_unreadable_file(project):
    page = first_page(task="skin")
    page.file_uploader[0].set_value([("a.png", b"nothing", "image/png")]).run()
    assert "not a readable image" in page.error[0].value
    assert not page.toggle
    assert "The correct class is ..." not in [expander.label for expander in page.expander]
    assert not page.get("image")


def test_examples_are_those_of_the_task(project):
    def sources(page):
        return page.segmented_control[0].options

    assert "Example" not in sources(first_page(task="skin"))
    Path("models/skin/examples").mkdir()
    for number in (1, 2):
        Path(f"models/skin/examples/{number}.png").write_bytes(drawn_image(number))
    page = first_page(task="skin")
    assert "Example" in sources(page)
    page.segmented_control[0].set_value("Example").run()
    pages.button(page, "Another example").click().run()
    assert not page.exception
    assert [image.caption for element in page.get("image") for image in element.proto.imgs] == ["2\\.png"]


def test_surplus_files_are_left_out_with_a_notice(project, monkeypatch):
    monkeypatch.setattr(limits, "PAGE_FILES", 2)
    page = first_page(task="skin")
    page.file_uploader[0].set_value([(f"{number}.png", drawn_image(number), "image/png") for number in range(3)]).run()
    assert "The first 2 images are used, 1 are left out" in text_of(page)
    assert page.expander[0].label == "**2 predicted**, 1 left out. Remarks and reasons"
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
    assert all(warning in text_of(page) for warning in warnings)
    assert page.expander[0].label == "**2 predicted**, 1 could not be used. Remarks and reasons"
    assert list(pages.table(page, "Reason")["Reason"]) == [item["reason"] for item in expected if item["reason"]]
    assert page.dataframe[0].value.index[0] == 0
    assert "1 of 3: rows.csv row 1" in text_of(page)


def test_surplus_rows_are_counted_where_nothing_is_folded(project, monkeypatch):
    monkeypatch.setattr(limits, "ROWS", 2)
    page = first_page(task="patients")
    page.segmented_control[0].set_value("CSV file").run()
    row = b"61,0.2,arm,,3\n"
    page.file_uploader[0].set_value(("rows.csv", b"age,size,site,empty,constant\n" + 5 * row, "text/csv")).run()
    assert page.expander[0].label == "**2 predicted**, 3 left out. Remarks and reasons"


def test_model_no_better_than_guessing_warns_above_every_answer(project):
    warn("skin")
    page = first_page(task="skin")
    assert "not better than guessing: the interval contains 0.5" in page.warning[0].value.replace("\\", "")
    page.file_uploader[0].set_value([("a.png", drawn_image(1), "image/png")]).run()
    assert "not better than guessing" in page.warning[0].value
    assert not first_page(task="patients").warning
