"""Encodings that cannot be told apart are refused."""

from pathlib import Path

import pytest

from pipeline.core.errors import DataError
from pipeline.data.tabular.files import read_table


@pytest.mark.parametrize(
    ("text", "encoding"), [("диагноз,возраст\nболен,1\n", "cp1251"), ("诊断,年龄\n良性,1\n恶性,2\n", "gbk")]
)
def test_encodings_that_cannot_be_told_are_refused(text, encoding):
    with pytest.raises(DataError, match="Cyrillic, Greek, Chinese"):
        read_table(Path("t.csv"), text.encode(encoding))
