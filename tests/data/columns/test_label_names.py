"""The label is recognised by name and content, in other languages too; where these leave several, the user is asked."""

from pathlib import Path

import pandas as pd
import pytest

from pipeline.core.errors import DataError
from pipeline.data.columns.label_names import check_classes, guess_label, named_label, rank

HERE = Path("rows.csv")


def table(**columns: list[str]) -> pd.DataFrame:
    """Return 30 rows with a column of measurements and the given ones, their values repeated."""
    measured = {"crp": [f"{number / 7:.3f}" for number in range(30)]}
    return pd.DataFrame(measured | {name: (few * 30)[:30] for name, few in columns.items()}, dtype=object)


@pytest.mark.parametrize(
    "name",
    ["Ergebnis", "BEFUND", "Diagnose", "resultado", "Diagnóstico", "classe", "Étiquette", "esito", "диагноз", "诊断"],
)
def test_labels_of_other_languages_go_before_the_last_column(name):
    rows = table(**{name: ["x", "y"], "site": ["A", "B", "B"]})
    assert guess_label(rows, HERE).column == name


@pytest.mark.parametrize(
    "name", ["hist. result (1=pos.)", "DEATH_EVENT", "tumorClass", "LUNG_CANCER", "final_diagnosis"]
)
def test_a_word_of_a_longer_name_counts(name):
    assert guess_label(table(**{name: ["x", "y"], "treated": ["0", "1", "1"]}), HERE).column == name


def test_two_labels_that_differ_are_a_question():
    rows = table(outcome=["dead", "alive"], diagnosis=["a", "b", "b"])
    with pytest.raises(DataError, match=r"it may be 'diagnosis' \(b 20, a 10\) or 'outcome' \(dead 15, alive 15\)"):
        guess_label(rows, HERE)


def test_labels_that_say_the_same_are_one():
    rows = table(target=["1", "0", "0"], benign_malignant=["malignant", "benign", "benign"], dx=["mel", "nv", "bkl"])
    assert guess_label(rows, HERE).column == "benign_malignant"


def test_unnamed_columns_of_classes_are_a_question():
    with pytest.raises(
        DataError, match=r"'a' \(x 15, y 15\) or 'b' \(u 20, v 10\). Choose one with --label: crp, a, b$"
    ):
        guess_label(table(a=["x", "y"], b=["u", "u", "v"]), HERE)


def test_the_only_column_of_classes_is_taken_with_a_reason():
    choice = guess_label(table(donated=["0", "1"], sex=["f", "m", "m"]), HERE)
    assert (choice.column, choice.reason) == ("donated", "the only column of a few classes")


def test_the_last_of_several_outcomes_is_taken_and_said():
    choice = guess_label(table(heart_disease=["0", "1", "1"], stroke=["0", "1"]), HERE)
    assert choice.column == "stroke"
    assert choice.reason.endswith("besides 'heart_disease'")


@pytest.mark.parametrize(
    "values", [["x"], ["", "x"], [f"{number}" for number in range(25)], ["2020-01-01", "2021-05-03"]]
)
def test_columns_without_classes_are_never_guessed(values):
    with pytest.raises(DataError, match="none is named like one and has a few classes"):
        guess_label(table(last=values), HERE)


def test_a_description_of_the_patient_is_no_label():
    assert {rank(name) for name in ("Sex", "smoking_status", "age group", "scannerModel", "cancer_history")} == {4}


def test_the_plainest_name_is_the_label():
    assert named_label(["x", "Category", "Dx"]) == "Dx"
    assert named_label(["x"]) is None


def test_measurements_and_dates_are_no_classes():
    with pytest.raises(DataError, match="the labels are 40 different numbers"):
        check_classes([f"{number / 7:.2f}" for number in range(40)], "t.csv")
    with pytest.raises(DataError, match=r"the labels are dates \(2020-01-01\)"):
        check_classes(["2020-01-01", "2021-05-03"] * 20, "t.csv")
    with pytest.raises(DataError, match=r"the labels are shares or probabilities \(0.1, 0.9\), no classes"):
        check_classes(["0.1", "0.9"] * 20, "t.csv")
    check_classes([str(number) for number in range(10)] * 3, "t.csv")
    check_classes(["0", "0.5", "1"] * 9, "t.csv")  # grades
