"""Classes that became known are read from JSON and CSV alike, and wrong ones are named."""

from datetime import date

import pytest

from pipeline.core.errors import DataError
from pipeline.monitoring import outcomes

CLASSES = ["benign", "malignant"]
TODAY = date(2026, 11, 28)
ROW = {"id": "7", "label": "malignant", "class": "benign", "probability": "0.2", "day": "2026-11-20"}


def test_csv_and_rows_are_read_alike():
    text = "\ufeffid,label, class,probability,day\n7,malignant,benign,0.2,2026-11-20\n8,benign,,,2026-11-21\n\n"
    for written in (text, text.replace(",", ";"), text.replace("\n", "\r\n"), text.replace("\n", "\r")):
        first, second = outcomes.parse(outcomes.read_csv(written.encode()), CLASSES, "line@1", TODAY)
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
        ({"probability": 10**400}, "found the probability 1000"),
        ({"probability": True}, "found the probability True"),
        ({"bundle": "../x"}, "found the bundle '../x'; expected the id that was answered with, such as line@1"),
    ],
)
def test_a_wrong_outcome_is_named_with_its_number(wrong, named):
    with pytest.raises(DataError, match="outcome 2 of 2") as raised:
        outcomes.parse([ROW, ROW | wrong], CLASSES, "line@1", TODAY)
    assert named in str(raised.value)
    assert str(raised.value).endswith("nothing was counted")


HEAD = b"id,label,class,probability,day\n"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "found the columns none; expected each of id, label, class, probability, day once"),
        (b"id,label\n1,benign\n", "found the columns id, label; expected each of id"),
        (HEAD.replace(b"\n", b",day\n"), "expected each of id"),
        (HEAD, "found a header and no row"),
        (HEAD + b"1,benign,benign,0,2,2026-11-20\n", "outcome 1 of 1 has 6 cells; expected 5; nothing was counted"),
        (HEAD + b"\xe9,benign,benign,0.2,2026-11-20\n", "found a byte that is not UTF-8 at 31"),
        (HEAD + b"1" * 200_000 + b",benign,benign,0.2,2026-11-20\n", "the CSV cannot be read"),
    ],
)
def test_a_file_that_is_no_such_csv_is_refused(data, reason):
    with pytest.raises(DataError, match=reason):
        outcomes.read_csv(data)


def test_ids_that_cannot_be_written_do_not_stop_the_count():
    (outcome,) = outcomes.parse([ROW | {"id": "\ud800", "bundle": ""}], CLASSES, "line@1", TODAY)
    assert outcome.id.encode()
