"""Forms are drawn from the schema."""

import pytest
from streamlit.testing.v1 import AppTest

from app.views import form
from pipeline.prediction.predictor import Predictor
from tests.helpers.models import drawn_image
from tests.helpers.pages import first_page, text_of

pytestmark = pytest.mark.usefixtures("fresh_app")


def test_the_form_shows_units_and_ranges_and_accepts_missing_values(project):
    page = first_page(task="patients")
    age = page.number_input[0]
    assert age.label.replace("\\", "") == "age (years)"
    assert age.help.startswith("In training: ")
    assert (age.value, age.placeholder[:7]) == (None, "median ")
    site = next(box for box in page.selectbox if box.label == "site")
    assert [*site.options] == ["arm", "leg", "unknown"]
    assert (site.value, site.proto.placeholder[:10]) == (None, "most often")
    given = fill_in(page)
    page.button[0].click().run()
    expected = Predictor("models/patients/best").predict(given | {"age": None, "site": None}, "the form")
    assert page.subheader[0].value == expected["class"]
    side = "at or above" if expected["class"] == "malignant" else "below"
    assert f"malignant: {expected['probabilities']['malignant']:.1%}, {side} the threshold of 50%." in text_of(page)


def fill_in(page):
    """Fill in the fields that training never saw empty; return what was given."""
    info = Predictor("models/patients/best").info
    needed = [field for field in info.schema if field.is_required]
    given = {field.name: int(field.default) if field.values else field.default for field in needed}
    for field in (*page.number_input, *page.selectbox):
        name = field.label.replace("\\", "")
        if name in given:
            field.set_value(given[name])
    return {field.name: None for field in info.schema} | given


def test_what_training_never_saw_empty_is_asked_for(project):
    page = first_page(task="patients")
    page.button[0].click().run()
    assert "Fill in size" in page.warning[0].value
    assert not page.subheader


def test_the_template_has_the_columns_and_no_values(project):
    schema = Predictor("models/patients/best").info.schema
    assert form.template(schema) == "age,size,site,empty,constant\n"


def test_clinical_columns_start_empty_on_the_page(project):
    loaded, files = Predictor("models/whole/best"), [("a.png", drawn_image(1), "image/png")]
    page = first_page(task="whole")
    site = next(box for box in page.selectbox if box.label == "site")
    assert [page.number_input[0].value, site.value] == [None, None]
    assert "Unknown: age, site" in text_of(page)
    page.file_uploader[0].set_value(files).run()
    shown = [
        loaded.predict((drawn_image(1), {"age": age, "site": None}), "a.png")["probabilities"] for age in (None, 70)
    ]
    assert f"malignant {shown[0]['malignant']:.1%}" in bars(page)
    page.number_input[0].set_value(70.0).run()
    assert f"malignant {shown[1]['malignant']:.1%}" in bars(page)
    assert "Unknown: site" in text_of(page)
    page.toggle[0].set_value(True).run()
    assert not page.exception
    assert "The bars show the clinical columns" in text_of(page)


def bars(page: AppTest) -> str:
    """Return what the charts of a page say."""
    return "; ".join(chart.proto.alt for chart in page.get("vega_lite_chart"))
