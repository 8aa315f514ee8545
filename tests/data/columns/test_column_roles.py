"""Which column is what is guessed by names and values, and an own choice always goes first."""

from pathlib import Path

import pandas as pd
import pytest

from pipeline.core.errors import DataError
from pipeline.data.columns.column_roles import columns_of

HERE = Path("rows.csv")
TWO = {"label": ["x", "y"]}
TEN = [f"p{number}" for number in range(10)]


def guess(columns: str, values: dict[str, list[str]], label: str | None = None, group: str | None = None) -> dict:
    """Return what is guessed of 30 rows of distinct texts, but for the columns whose `values` are given, repeated."""
    n = 30
    table = pd.DataFrame({name: [f"{name}{row}" for row in range(n)] for name in columns.split(",")}, dtype=object)
    for name, few in values.items():
        table[name] = (few * n)[:n]
    return columns_of(table, HERE, label, group).as_read()


@pytest.mark.parametrize("name", ["label", "Label", "LABELS", "class", "Target", "diagnosis", "dx", "Outcome", "y"])
def test_a_label_is_known_by_its_name(name):
    assert guess(f"a,{name},b", {name: ["x", "y"]}) == {"label": name}


def test_of_several_names_that_agree_the_plainest_counts():
    assert guess("dx,class,label", {"dx": ["1"], "label": ["x", "y"]})["label"] == "label"


def test_a_shipped_split_and_a_label_stand_apart():
    assert guess("split,label", {"split": ["train", "test"], **TWO}) == {"label": "label", "shipped": "split"}


@pytest.mark.parametrize("name", ["group", "Patient ID", "patient_id", "PatientID", "subject", "lesion_id", "case-id"])
def test_a_group_is_known_by_its_name(name):
    assert guess(f"{name},label", TWO | {name: TEN}) == {"label": "label", "group": name}


def test_a_patient_column_goes_before_a_lesion_column():
    assert guess("lesion_id,patient,label", TWO | {"lesion_id": TEN, "patient": TEN})["group"] == "patient"


def test_a_column_of_few_values_is_no_group():
    assert "group" not in guess("a,group,label", {"group": ["treated", "control"], **TWO})


def test_a_number_that_no_two_rows_share_is_no_group():
    assert "group" not in guess("id,patient,age,label", TWO)


def test_few_patients_are_a_group():
    assert guess("patient_id,label", TWO | {"patient_id": ["a", "b", "c", "d"]})["group"] == "patient_id"


def test_a_shipped_split_is_recognised_by_name_and_values():
    assert guess("split,label", {"split": ["Train", "TEST", "val"], **TWO})["shipped"] == "split"
    assert "shipped" not in guess("split,label", {"split": ["left", "right"], **TWO})


def test_an_own_choice_goes_before_every_guess():
    result = guess("label,dx,patient,lesion", {}, label="dx", group="lesion")
    assert result == {"label": "dx", "group": "lesion"}


@pytest.mark.parametrize(("own", "option"), [({"label": "dz"}, "--label"), ({"group": "dz"}, "--group")])
def test_a_missing_choice_is_refused_with_the_columns(own, option):
    with pytest.raises(DataError, match=rf"rows.csv: has no column 'dz' \(from {option}\); it has: dx, age"):
        guess("dx,age", {}, **own)


@pytest.mark.parametrize(("column", "words"), [("set", "trn tst"), ("phase", "Train Test"), ("partition", "tr te")])
def test_a_shipped_split_is_known_by_its_words(column, words):
    table = pd.DataFrame({column: words.split() * 2, "label": list("abba")})
    assert columns_of(table, Path("t.csv"), "label", None).shipped == column


def test_a_shipped_split_with_odd_cells_is_a_question():
    table = pd.DataFrame({"split": ["train", "test", "train", ""], "label": list("abba")})
    with pytest.raises(DataError, match=r"1 of 4 cells, the first '' in row 4, are neither train"):
        columns_of(table, Path("t.csv"), "label", None)
