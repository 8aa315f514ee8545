"""The block `augment:` of a task: presets, values that replace theirs, and what is refused."""

import pytest

from pipeline.core import params
from pipeline.core.augment_params import PRESETS, AugmentParams
from pipeline.core.errors import ParamsError
from pipeline.core.params_models import PreprocessParams


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_named_alone_or_in_a_block(name):
    alone = PreprocessParams.model_validate({"augment": name}).augment
    assert alone == AugmentParams.model_validate({"preset": name})
    assert alone.preset == name
    assert {key: getattr(alone, key) for key in PRESETS[name]} == PRESETS[name]


def test_a_value_replaces_that_of_the_preset():
    block = AugmentParams.model_validate({"preset": "xray", "noise": 0.0, "cutout": 0.2})
    assert (block.noise, block.cutout, block.quarter_turns) == (0.0, 0.2, False)


def test_xrays_keep_their_orientation():
    block = AugmentParams.model_validate("xray")
    assert (block.flips, block.quarter_turns) == ("horizontal", False)


def test_without_a_block_images_are_changed_as_before():
    assert PreprocessParams().augment == AugmentParams(flips="both", quarter_turns=True, light=0.2)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("xrays", "augment.preset: found 'xrays'; input should be 'standard', 'dermoscopy'"),
        ({"flip": "none"}, "augment.flip: unknown key"),
        ({"blur": -1.0}, "augment.blur: found -1.0; input should be greater than or equal to 0"),
        ({"jpeg": 0}, "augment.jpeg: found 0; input should be greater than or equal to 5"),
        ({"preset": ["xray"]}, "augment.preset: found"),
        (3, "augment: found 3"),
    ],
)
def test_what_is_not_known_or_out_of_range_is_refused(value, message):
    with pytest.raises(ParamsError, match=f"tasks.t.preprocess.{message}"):
        params.parse(PreprocessParams, {"augment": value}, "tasks.t.preprocess")
