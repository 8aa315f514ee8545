"""The correct class is submitted with one click."""

from pipeline.data import upload_ledger
from tests.helpers.pages import button, opened, text_of
from tests.helpers.textures import stored, texture


def test_the_right_answer_to_a_image_is_one_click(upload_project):
    page = opened("predict", "skin")
    page.file_uploader(key="files").upload("a.png", stored(texture(1001), "PNG"), "image/png").run()
    button(page, "malignant").click().run()
    assert not page.exception
    (line,) = upload_ledger.samples("skin")
    assert (line.label, line.source) == ("malignant", "app")
    assert "Stored as malignant" in text_of(page)
