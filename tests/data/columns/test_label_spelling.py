"""Labels that may be one class in two spellings are refused or named."""

import pytest

from pipeline.core.errors import DataError
from pipeline.data.columns.label_spelling import about_similar, are_similar, check_answers


@pytest.mark.parametrize(
    ("classes", "text"),
    [
        (["yes", "y", "no"], "'y', 'yes' all say yes"),
        (["1", "yes", "0", "no"], "'1', 'yes' all say yes"),
        (["pos", "neg", "negative"], "'neg', 'negative' all say no"),
        (["Ja", "nein", "N"], "'N', 'nein' all say no"),
    ],
)
def test_one_answer_in_two_words_is_refused(classes, text):
    with pytest.raises(DataError, match=f"^t.csv: the labels {text}; make them one"):
        check_answers(classes, "t.csv")


@pytest.mark.parametrize(
    "classes", [["yes", "no"], ["1", "0"], ["+", "-"], ["y", "n", "maybe"], ["1", "2", "yes"], ["a", "b"]]
)
def test_other_classes_are_taken(classes):
    check_answers(classes, "t.csv")


@pytest.mark.parametrize(
    ("first", "second"), [("ill", "ill?"), ("M", "malignant"), ("mel", "melanoma"), ("Large-cell", "large cell")]
)
def test_similar_names_are_named(first, second):
    assert are_similar(first, second)
    assert f"{first!r} and {second!r}" in about_similar([first, second, second, "other"])


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("ill", "well"),
        ("1", "1+"),
        ("+", "-"),
        ("stage 1", "stage 11"),
        ("normal", "abnormal"),
        ("a", "ab"),
        ("nv", "mel"),
    ],
)
def test_other_names_are_two_classes(first, second):
    assert not are_similar(first, second)
    assert about_similar([first, second]) == ""
