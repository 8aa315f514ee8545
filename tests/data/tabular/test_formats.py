"""A learnt format is stored, and reads each row to predict as training was read."""

import pytest

from pipeline.data.tabular.formats import ColumnFormat
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
