"""Pairs that the audit found are shown side by side."""

from app.views import audit as audit_part
from pipeline.core import artifacts
from tests.helpers.pages import opened, text_of


def images_of_pairs(page) -> list[str]:
    """Return the captions of the images that are shown large, with label and group."""
    captions = [caption for image in page.get("image") for caption in image.captions]
    parts = ("· fold", "· test", "· excluded")  # of the gallery below
    return [caption for caption in captions if not any(part in caption for part in parts)]


def test_pairs_show_both_images_the_most_suspicious_first(photo_project):
    page = opened("data", "skin")
    content = artifacts.read_json("data/skin/audit.json")
    assert len(content["pairs"]) == 15
    assert "same image: 15 sets (30 images)" in text_of(page)
    shown = images_of_pairs(page)
    assert len(shown) == 2 * audit_part.AT_ONCE
    assert "Pairs 1 to 6 of 15" in text_of(page)
    first = next(text for text in text_of(page).splitlines() if "similarity" in text and text.startswith("**"))
    assert "large cell / squamous" in first  # under two labels
    page.number_input[0].set_value(3).run()
    assert not page.exception
    assert len(images_of_pairs(page)) == 6
