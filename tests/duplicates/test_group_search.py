"""What belongs to one patient is found by names and rows, and features are not taken for patients."""

import re

import numpy as np
import pandas as pd
import pytest

from pipeline.duplicates.group_search import search_table


def visits(seed: int = 0, n_patients: int = 60, each: int = 5) -> pd.DataFrame:
    """Return a table of patients with several visits, their sex and site."""
    rng = np.random.default_rng(seed)
    patient = np.repeat(np.arange(n_patients), each)
    x = rng.normal(size=(n_patients, 4))[patient] + 0.1 * rng.normal(size=(len(patient), 4))
    table = pd.DataFrame(x.round(3), columns=list("abcd")).astype(str)
    table["sex"] = np.array(["f", "m"])[rng.integers(0, 2, n_patients)[patient]]
    table["site"] = rng.integers(0, 12, n_patients)[patient].astype(str)
    table["nr"] = [f"X{number}" for number in patient]
    return table


@pytest.mark.parametrize("name", ["MRN", "patient_nbr", "hospital number", "participant_id"])
def test_a_column_named_like_a_patient_is_taken(name):
    choice = search_table(visits().rename(columns={"nr": name}), 0)
    assert (choice.column, choice.n_groups) == (name, 60)
    assert "named so" in choice.grounds


def test_an_arm_called_group_loses_against_the_patient():
    table = visits().rename(columns={"nr": "patient_id"})
    table.insert(0, "group", np.array(["A", "B"])[np.arange(len(table)) % 2])
    assert search_table(table, 0).column == "patient_id"


@pytest.mark.parametrize("seed", range(3))
def test_a_column_groups_where_its_rows_are_alike(seed):
    choice = search_table(visits(seed), seed)
    assert (choice.column, choice.n_groups) == ("nr", 60)
    assert "nearly equal" in choice.grounds


@pytest.mark.parametrize("cell", ["P{p:03d}-V{k}", "{p}.{k}", "{k}/pat{p}"])
def test_a_part_of_a_unique_id_is_taken(cell):
    table = visits().drop(columns=["sex", "site", "nr"])
    table = (table.astype(float) + np.random.default_rng(1).normal(size=table.shape) / 3).round(3).astype(str)
    table["patient key"] = [cell.format(p=row // 5 + 10, k=row % 5) for row in range(300)]
    choice = search_table(table, 0)
    assert (choice.column, choice.n_groups) == ("patient key", 60)
    assert re.search(choice.pattern, table["patient key"][0])[1].endswith("10")


@pytest.mark.parametrize("edit", [0.0, 0.01])
@pytest.mark.parametrize("seed", range(3))
def test_copies_make_no_measurement_a_patient(seed, edit):
    rng = np.random.default_rng(seed)
    table = pd.DataFrame({"crp": rng.lognormal(1, 1, 300).round(2), "bmi": rng.normal(25, 4, 300).round(1)})
    table["age"], labels = rng.integers(20, 90, 300), rng.choice(["ill", "well"], 300).tolist()
    both = pd.concat([table, table.assign(crp=(table["crp"] + edit).round(2))], ignore_index=True)
    assert not search_table(both.astype(str), 0, labels * 2).is_known


def test_a_part_of_a_code_that_repeats_is_taken():
    table = visits().drop(columns=["sex", "site", "nr"])
    table["barcode"] = [f"TCGA-{row // 5 + 10}-{'NT'[row % 2]}" for row in range(300)]
    choice = search_table(table, 0)
    assert (choice.column, choice.n_groups) == ("barcode", 60)
    assert choice.pattern


def test_a_name_that_repeats_groups_rows_that_are_alike():
    table = visits().drop(columns=["sex", "site"]).rename(columns={"nr": "surname"})
    noise = np.random.default_rng(1).normal(size=(300, 4)) / 3
    table[list("abcd")] = (table[list("abcd")].astype(float) + noise).round(3).astype(str)
    assert search_table(table, 0).column == "surname"
    table["surname"] = np.random.default_rng(2).permutation(table["surname"])
    assert not search_table(table, 0).is_known


def test_whole_numbers_that_others_follow_are_no_patients():
    rng = np.random.default_rng(0)
    radius = rng.integers(10, 60, 400)
    table = pd.DataFrame({"radius": radius, "area": (3.14 * radius**2 + rng.normal(0, 5, 400)).round(1)})
    table["perimeter"] = (6.28 * radius + rng.normal(0, 0.5, 400)).round(2)
    assert not search_table(table.astype(str), 0).is_known


def test_a_measurement_of_rows_entered_twice_is_no_patient():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 5)).round(3)
    table = pd.DataFrame(np.r_[X, X[rng.integers(0, 200, 150)]], columns=list("abcde"))
    assert not search_table(table.astype(str), 0).is_known


def test_sex_and_site_of_repeated_patients_are_not_patients():
    assert not search_table(visits().drop(columns="nr"), 0).is_known


def test_few_patients_are_a_group_and_said_to_be_few():
    choice = search_table(visits(n_patients=8, each=12).rename(columns={"nr": "patient"}), 0)
    assert choice.n_groups == 8
    assert "8 groups are few" in choice.grounds


@pytest.mark.parametrize("name", ["breast_cancer", "wine", "iris", "diabetes"])
def test_no_column_of_scikit_learn_is_a_patient(name):
    from sklearn import datasets

    X = getattr(datasets, f"load_{name}")().data
    assert not search_table(pd.DataFrame(X, columns=[f"x{k}" for k in range(X.shape[1])]).astype(str), 0).is_known


def test_an_unnamed_id_is_found_by_its_labels():
    rng = np.random.default_rng(0)
    patient = np.repeat(np.arange(40), 5)
    labels = rng.integers(0, 2, 40).astype(str)[patient]
    marker = (rng.normal(size=40)[patient] + rng.normal(size=200)).round(2)
    table = pd.DataFrame({"barcode": patient * 7919 % 997, "age": rng.integers(20, 90, 200), "marker": marker}).astype(
        str
    )
    assert search_table(table, 0, labels.tolist()).column == "barcode"
    assert search_table(table, 0, rng.permutation(labels).tolist()).column is None
    by_age = np.where(table["age"].astype(int) > 55, "ill", "well")
    assert search_table(table[["age", "marker"]], 0, by_age.tolist()).column is None


def test_rows_entered_twice_do_not_make_the_age_a_patient():
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {"age": rng.integers(20, 90, 200), "crp": rng.normal(size=200).round(2), "bmi": rng.normal(size=200).round(2)}
    )
    assert not search_table(pd.concat([table, table], ignore_index=True).astype(str), 0).is_known


def test_two_eyes_of_a_patient_are_one_group():
    table = visits().drop(columns="nr")
    table["ID"] = [f"{row // 5:03d}{'LR'[row % 2]}" for row in range(300)]
    assert search_table(table, 0).n_groups == 60


def test_a_family_is_the_group_of_its_patients():
    table = visits().rename(columns={"nr": "patient_id"})
    table["family_id"] = [str(row // 10) for row in range(300)]
    assert search_table(table, 0).column == "family_id"


def test_rows_without_a_patient_are_counted():
    table = visits().rename(columns={"nr": "patient_id"})
    table.loc[::3, "patient_id"] = "unknown"
    choice = search_table(table, 0)
    assert choice.n_groups == 60
    assert "100 without one" in choice.grounds


def test_patients_come_before_their_stays_in_any_order():
    stays = pd.DataFrame(
        {"hadm_id": [str(n // 2) for n in range(240)], "subject_id": [str(n // 6) for n in range(240)]}
    )
    for columns in (["hadm_id", "subject_id"], ["subject_id", "hadm_id"]):
        assert search_table(stays[columns], 0).column == "subject_id"


def test_a_patient_whose_samples_are_numbered_is_a_part_of_the_id():
    ids = pd.DataFrame({"patient_id": [f"{n // 3}.{n % 3 + 1}" for n in range(240)]})
    grouping = search_table(ids, 0)
    assert (grouping.column, grouping.n_groups) == ("patient_id", 80)
    assert re.search(grouping.pattern, "12.3")[1] == "12"


def test_a_value_of_many_samples_and_one_of_all_are_said():
    ids = [str(n // 5 or 999) if n > 60 else "999" for n in range(240)]
    assert (
        "61 of them have '999': if it means unknown, empty these cells"
        in search_table(pd.DataFrame({"patient": ids}), 0).grounds
    )
    constant = search_table(pd.DataFrame({"patient": ["1.23E+12"] * 240}), 0)
    assert constant.grounds.startswith("column 'patient' has '1.23E+12' in all rows")
