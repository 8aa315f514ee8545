"""A column's entry in a bundle's schema."""

import pytest

from pipeline.core import artifacts
from pipeline.data.tabular.field import Field
from pipeline.data.tabular.formats import ColumnFormat

ENTRIES = [
    {"name": "a", "type": "number", "default": 2.0, "min": 1.0, "max": 3.0, "values": [1, 2, 3], "unit": "mg"},
    {"name": "a", "type": "number", "default": None, "min": None, "max": None, "format": {"decimal": ","}},
    {"name": "a", "type": "number", "default": 1.0, "min": 1.0, "max": 2.0, "format": {"middles": {"0-2": 1.0}}},
    {"name": "a", "type": "choice", "default": "arm", "choices": ["arm", "leg"]},
]


@pytest.mark.parametrize("entry", ENTRIES)
def test_entries_survive_reading_and_writing(entry):
    assert artifacts.rounded(artifacts.from_json(Field, entry)) == entry


def test_numbers_are_written_with_the_column_unit():
    assert Field("a", "number", unit="mg").number_format == ColumnFormat(unit="mg")
    assert Field("a", "number", unit="mg", format=ColumnFormat(unit="g", decimal=",")).number_format.unit == "g"
