"""Pairs that the audit found are shown side by side."""

from app.views import audit as audit_part
from pipeline.core import artifacts
from tests.helpers.pages import opened, text_of


def test_pairs_show_both_images_the_most_suspicious_first(photo_project):
    page = opened("data", "skin")
    content = artifacts.read_json("data/skin/audit.json")
    assert len(content["pairs"]) == 15
    assert "same image: 15 sets (30 images)" in text_of(page)
    shown = page.get("image") or page.get("imgs")
    assert len(shown) == audit_part.AT_ONCE
    assert "Pairs 1 to 12 of 15" in text_of(page)
    first = next(text for text in text_of(page).splitlines() if "similarity" in text and text.startswith("**"))
    assert "large cell / squamous" in first  # under two labels
    page.number_input[0].set_value(2).run()
    assert not page.exception
    assert len(page.get("image") or page.get("imgs")) == 3
