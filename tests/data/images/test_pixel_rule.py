"""The rule of a data set is checked, and travels in params.yaml and in the bundle."""

import pytest

from pipeline.core.errors import DataError
from pipeline.data.images.pixel_rule import NAMED, PixelRule, checked


@pytest.mark.parametrize("intensity", [*NAMED, "full", "file", "8 bits", "12 bits", (-3, 4.5), None])
def test_a_rule_survives_json(intensity):
    rule = PixelRule(checked(intensity), "crop")
    assert PixelRule.from_json(rule.to_json()) == rule


def test_the_default_rule_adds_nothing_to_a_bundle():
    assert PixelRule().to_json() == {}
    assert PixelRule.from_json({"width": 224}) == PixelRule()


@pytest.mark.parametrize(
    "wrong", ["lungs", "12", "99 bits", [1], [4, 4], [5, 1], [0, float("nan")], [0, float("inf")], {}, 7]
)
def test_a_wrong_intensity_is_refused_with_the_choices(wrong):
    with pytest.raises(DataError, match="expected full, file, a number of bits"):
        checked(wrong)
