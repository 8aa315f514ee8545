"""Rows of a file to predict are read as training was, or as the file is written."""

import pytest

from pipeline.core.errors import DataError
from pipeline.data import tables
from pipeline.data.tabular.file_rows import rows_of
from pipeline.data.tabular.formats import ColumnFormat, Field
from tests.helpers.tables import read


def read_to_predict(text: str, fields: list[dict]) -> list[dict]:
    return rows_of(read(text), fields)


@pytest.mark.parametrize(
    ("text", "number"),
    [("a;b\n1,5;x\n", 1.5), ("a,b\n1.500,x\n", 1.5), ("a;b\n1.234;x\n1,5;y\n", None), ('a,b\n"1,5",x\n', 1.5)],
)
def test_a_file_to_predict_may_be_written_otherwise_than_training(text, number):
    fields = [Field("a", "number", format=ColumnFormat(decimal=",")), Field("b", "choice")]
    row = read_to_predict(text, fields)[0]
    if number is None:
        with pytest.raises(DataError, match="expected a number with a decimal comma"):
            tables.to_frame(row, fields)
    else:
        assert tables.to_frame(row, fields)["a"][0] == number


def test_thousands_points_in_a_predicted_file_are_seen():
    fields = [Field(name, "number") for name in "ab"]
    rows = read_to_predict("a;b\n1.234;1,5\n2.345;2,25\n", fields)
    assert [tables.to_frame(row, fields).iloc[0].tolist() for row in rows] == [[1234, 1.5], [2345, 2.25]]
