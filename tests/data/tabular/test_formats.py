"""A learnt format is stored, and reads each row to predict as training was read."""

import pytest

from pipeline.core import artifacts
from pipeline.data.tabular.formats import ColumnFormat, Field
from tests.helpers.tables import learnt, many


@pytest.mark.parametrize(
    ("cells", "at_prediction"),
    [
        (["7,188", "985"], {"7,188": "7188", "7188": "7188", "NA": "NA", "7.1": "7.1", "1,5": None}),
        (["1,33", "2"], {"1,5": "1.5", "1.5": "1.5", "1.500": None, "x": None}),
        (["10.3 mg", "9 mg"], {"10 mg": "10", "10": "10", "10 g": None, "10 MG": "10"}),
        (["[50-60)", "[60-70)"], {"[50-60)": "55", "[70-80)": "75", "63": "63", "old": None}),
    ],
)
def test_a_row_to_predict_is_read_by_the_same_format(cells, at_prediction):
    form = learnt(a=many(*cells)).formats["a"]
    form = ColumnFormat.from_json("number", form.to_json())
    assert {cell: form.canonical(cell) for cell in at_prediction} == at_prediction


def test_what_was_read_once_is_read_alike_again():
    first = learnt(";", a=many("1,33", "2"), b=many("7 mg", "8 mg"), c=many("50-59", "60-69"))
    again = learnt(";", **first.table.to_dict("list"))
    assert again.table.equals(first.table)
    assert again.notices == []


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


def test_a_column_of_small_numbers_varies_in_the_file_too(tmp_path):
    field = Field("c", "number", 2.3456789e-9, min=1.2345678e-9, max=3.1063374, missing=False)
    artifacts.write_json(tmp_path / "bundle.json", {"schema": [field], "shown": 2.3456789e-9})
    content = artifacts.read_json(tmp_path / "bundle.json")
    assert artifacts.from_json(Field, content["schema"][0]) == field
    assert content["shown"] == 0
