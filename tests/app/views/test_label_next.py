"""The page Retrain says what to label next, for images."""

from tests.helpers.pages import opened


def test_images_to_label_are_asked_for_where_a_champion_answers(upload_project):
    page = opened("retrain", "skin")
    assert not page.exception
    assert "What to label next" in [entry.value for entry in page.subheader]
