"""Names, dates of birth and numbers that start anew at each site say the patient together."""

import numpy as np
import pandas as pd
import pytest

from pipeline.duplicates.group_search import search_table
from pipeline.duplicates.joined_columns import find_persons, find_site, is_beyond_chance, starts_anew

RNG = np.random.default_rng(0)
PATIENT = np.repeat(np.arange(40), 5)


def rows(**columns) -> pd.DataFrame:
    """Return five rows of each of 40 patients, whose measurements say nothing."""
    table = pd.DataFrame(np.random.default_rng(1).normal(size=(200, 2)).round(3).astype(str), columns=["crp", "bmi"])
    return table.assign(**{name: np.asarray(cells).astype(str) for name, cells in columns.items()})


@pytest.mark.parametrize(
    ("first", "last"), [("first_name", "last_name"), ("Vorname", "Nachname"), ("given name", "Surname")]
)
def test_first_and_last_name_are_one_patient(first, last):
    table = rows(**{first: [f"F{p % 7}" for p in PATIENT], last: [f"L{p // 7}" for p in PATIENT]})
    choice = search_table(table, 0)
    assert (choice.column, choice.group_with, choice.n_groups) == (last, (first,), 40)
    assert choice.to_read() == {"group": last, "group_with": [first]}


def test_the_date_of_birth_belongs_to_the_name():
    born = [f"19{40 + p % 50}-0{1 + p % 9}-11" for p in PATIENT]
    joined_columns = find_persons(rows(surname=[f"L{p % 5}" for p in PATIENT], dob=born))
    assert (joined_columns.columns, joined_columns.n_values) == (("surname", "dob"), 40)


@pytest.mark.parametrize("column", ["first_name", "surname", "hospital"])
def test_a_name_that_others_have_is_nobody(column):
    assert find_persons(rows(**{column: [f"N{p % 7}" for p in PATIENT]})) is None


def test_a_name_of_few_values_is_no_person():
    assert find_persons(rows(name=["Nord", "West"] * 100)) is None
    assert find_persons(rows(name=[f"Jo {p}x" for p in PATIENT])).n_values == 40


def test_a_shared_date_of_birth_is_a_patient_where_chance_does_not_explain_it():
    days = pd.Timestamp("1950-01-01") + pd.to_timedelta(RNG.permutation(20_000), "D")
    visits, others = pd.Series(days[PATIENT].astype(str)), pd.Series(days[RNG.integers(0, 20_000, 200)].astype(str))
    assert is_beyond_chance(visits)
    assert not is_beyond_chance(others)
    assert search_table(rows(birth_date=visits), 0).column == "birth_date"
    assert not search_table(rows(birth_date=others), 0).is_known


def numbered(sites_differ: bool) -> tuple[pd.DataFrame, list[str]]:
    """Return a table of numbers that stand at two sites, of two patients or one, and labels."""
    site = PATIENT % 2 if sites_differ else np.arange(200) % 2
    number = PATIENT // 2 if sites_differ else PATIENT
    labels = np.random.default_rng(2).choice(["ill", "well"], 40)[PATIENT]
    return rows(patient_no=number, site=site), labels.tolist()


def test_numbers_that_start_anew_at_each_site_count_with_the_site():
    table, labels = numbered(sites_differ=True)
    assert find_site(table, "patient_no") == "site"
    assert starts_anew(table, "patient_no", "site", labels)
    choice = search_table(table, 0, labels)
    assert (choice.column, choice.group_with, choice.n_groups) == ("patient_no", ("site",), 40)


def test_a_patient_seen_at_two_sites_stays_one():
    table, labels = numbered(sites_differ=False)
    choice = search_table(table, 0, labels)
    assert (choice.column, choice.group_with, choice.n_groups) == ("patient_no", (), 40)
    assert "if they start anew in each, --group patient_no,site" in choice.grounds


def test_a_number_at_one_site_needs_no_site():
    assert find_site(rows(patient_no=PATIENT, site=PATIENT % 2), "patient_no") is None
