"""Contrasts of the app's colours (WCAG 2.2: 4.5:1 for text, 3:1 for marks)."""

import tomllib
from itertools import product
from pathlib import Path

import pytest

from app import theme
from app.views.answer import percent

CONFIG = tomllib.loads((Path(theme.__file__).parents[1] / ".streamlit/config.toml").read_text(encoding="utf-8"))[
    "theme"
]


def luminance(colour: str) -> float:
    """Return the relative luminance of a colour, #RRGGBB."""
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(colour: str, background: str) -> float:
    """Return the contrast ratio of two colours."""
    low, high = sorted([luminance(colour), luminance(background)])
    return (high + 0.05) / (low + 0.05)


def test_the_backgrounds_are_those_of_the_configuration():
    assert {name: CONFIG[name]["backgroundColor"] for name in theme.BACKGROUNDS} == theme.BACKGROUNDS


@pytest.mark.parametrize("name", theme.BACKGROUNDS)
def test_text_has_a_contrast_of_4_5(name):
    own = CONFIG[name]
    for background in (own["backgroundColor"], own["secondaryBackgroundColor"]):
        assert contrast(own["textColor"], background) >= 4.5
        assert contrast(own["codeTextColor"], background) >= 4.5
        assert contrast(theme.MUTED[name], background) >= 4.5
    assert contrast(theme.ON_PRIMARY[name], own["primaryColor"]) >= 4.5


@pytest.mark.parametrize(("name", "mark"), list(product(theme.BACKGROUNDS, theme.MARKS)))
def test_marks_have_a_contrast_of_3(name, mark):
    assert contrast(mark, theme.BACKGROUNDS[name]) >= 3
    assert contrast(CONFIG[name]["primaryColor"], theme.BACKGROUNDS[name]) >= 3


@pytest.mark.parametrize(
    ("p", "text"),
    [(0, "< 0.1%"), (0.0009, "< 0.1%"), (0.001, "0.1%"), (0.5, "50.0%"), (0.999, "99.9%"), (1, "> 99.9%")],
)
def test_no_probability_is_shown_as_0_or_100(p, text):
    assert percent(p) == text
