"""One list says which words mean no value; None and - depend on the column."""

import pytest

from pipeline.data.tabular.missing import is_missing, missing_in


@pytest.mark.parametrize(
    "word", ["", "NA", "n/a", "NaN", "null", "None", "?", "-", ".", "#N/A", "#NULL!", "#DIV/0!", "<NA>"]
)
def test_usual_words_for_no_value_are_missing(word):
    assert is_missing(word)


@pytest.mark.parametrize("word", ["0", "no", "negative", "unknown", "Nan Goldin", "nil", "x"])
def test_words_that_may_be_values_are_not_missing(word):
    assert not is_missing(word)


@pytest.mark.parametrize(
    ("values", "missing"),
    [
        (["none", "mild", "severe"], set()),
        (["None", "Mild", "Severe"], set()),
        (["None", "mild", "severe"], {"None"}),
        (["None", "1", "2"], {"None"}),
        (["-", "+"], set()),
        (["-", "1+", "2+"], set()),
        (["-", "left", "right"], {"-"}),
        (["None"], {"None"}),
        (["NA", "EU", "none"], {"NA", "none"}),
    ],
)
def test_the_column_decides_whether_none_and_minus_are_categories(values, missing):
    assert missing_in(values) == missing


@pytest.mark.parametrize(
    ("labels", "missing"),
    [
        (["NA", "benign", "malignant"], {"NA"}),
        (["keine Angabe", "gesund", "krank"], {"keine Angabe"}),
        (["99", "-9.0", "ill", "well"], {"99", "-9.0"}),
        (["9", "1", "2"], set()),
        (["None", "benign", "malignant"], {"None"}),
        (["None", "Benign", "Malignant"], {"None"}),
        (["None", "Mild", "Severe"], set()),
        (["none", "polyp"], set()),
        (["-", "+"], set()),
        (["?", "0", "1"], {"?"}),
        (["Unknown", "unknown", "0", "1"], {"Unknown", "unknown"}),
        (["unknown", "benign"], set()),
    ],
)
def test_a_label_that_python_wrote_as_none_is_no_class(labels, missing):
    assert missing_in(labels, of_label=True) == missing
