"""The block read says in one way how samples are grouped, by expressions that hold."""

import pytest
from pydantic import ValidationError

from pipeline.core.read_params import ReadParams


@pytest.mark.parametrize(
    "given", [{"group": "patient", "group_with": ["site"]}, {"group_from": r"^(\w+)_"}, {"no_group": True}]
)
def test_one_way_to_group_is_taken(given):
    assert ReadParams(**given).model_dump(exclude_unset=True) == given


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"group": "patient", "no_group": True}, "group and no_group exclude each other"),
        ({"group_with": ["site"]}, "group_with: goes with group alone"),
        ({"group": "patient", "group_from": r"^(\w+)_", "group_with": ["site"]}, "group_with: goes with group alone"),
        ({"group_from": r"^\w+_"}, "has 0 groups"),
        ({"group_from": r"^(\w)(\w)"}, "has 2 groups"),
        ({"skip": "("}, "skip: '\\(' is not a regular expression"),
        ({"folders": "patient/class"}, "folders"),
    ],
)
def test_what_contradicts_itself_is_refused(given, message):
    with pytest.raises(ValidationError, match=message):
        ReadParams(**given)
