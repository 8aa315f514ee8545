"""Classes that became known are read from JSON and CSV alike, and wrong ones are named."""

from datetime import date

import pytest

from pipeline.core.errors import DataError
from pipeline.monitoring import outcomes

CLASSES = ["benign", "malignant"]
TODAY = date(2026, 11, 28)
ROW = {"id": "7", "label": "malignant", "class": "benign", "probability": "0.2", "day": "2026-11-20"}


def test_csv_and_rows_are_read_alike():
    text = "\ufeffid,label,class,probability,day\n7,malignant,benign,0.2,2026-11-20\n8,benign,,,2026-11-21\n"
    first, second = outcomes.parse(outcomes.read_csv(text), CLASSES, "line@1", TODAY)
    assert first == outcomes.parse([ROW | {"probability": 0.2}], CLASSES, "line@1", TODAY)[0]
    assert first == outcomes.Outcome("7", "line@1", date(2026, 11, 20), "malignant", "benign", 0.2)
    assert (second.answer, second.probability) == ("", None)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"label": "Malignant"}, "found the label 'Malignant'; expected benign or malignant"),
        ({"class": "cat"}, "found the class 'cat'"),
        ({"probability": "20 %"}, "found the probability '20 %'; expected that of malignant"),
        ({"probability": 1.5}, "found the probability 1.5"),
        ({"day": "28.11.2026"}, "found the day '28.11.2026'"),
        ({"day": "2026-11-29"}, "expected one of the last 400 days, until 2026-11-28"),
        ({"id": ""}, "found no id"),
    ],
)
def test_a_wrong_outcome_is_named_with_its_number(wrong, named):
    with pytest.raises(DataError, match="outcome 2 of 2") as raised:
        outcomes.parse([ROW, ROW | wrong], CLASSES, "line@1", TODAY)
    assert named in str(raised.value)
    assert str(raised.value).endswith("nothing was counted")


def test_csv_without_a_column_is_refused():
    with pytest.raises(DataError, match="expected id, label, class, probability, day"):
        outcomes.read_csv("id,label\n1,benign\n")
