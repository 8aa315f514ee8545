"""Ids, running indices and dates are told from features."""

import numpy as np
import pandas as pd
import pytest

from pipeline.data.columns.id_columns import find_ids

RNG = np.random.default_rng(0)
N = 60
NO_FEATURES = {
    "Unnamed: 0": ("index", range(N)),
    "x": ("index", range(17, 17 + N)),
    "nr": ("index", range(N, 0, -1)),
    "id": ("id", RNG.permutation(9 * N)[:N] + 1000),
    "patient_id": ("id", [f"P{n}" for n in RNG.permutation(N)]),
    "remark": ("id", [f"see letter {n}" for n in range(N)]),
    "visit date": ("date", [f"2021-0{1 + n % 9}-1{n % 9}" for n in range(N)]),
    "seen": ("date", [f"{1 + n % 28}.03.2020" for n in range(N)]),
    "sample_no": ("id", RNG.permutation(9 * N)[:N] + 1000),
    "measured": ("date", [1_600_000_000 + 86_400 * n for n in RNG.permutation(N)]),
    "start date": ("date", [44_197 + n % 30 for n in range(N)]),
    "date_of_exam": ("date", [f"202103{10 + n % 19}" for n in range(N)]),
}


@pytest.mark.parametrize("name", NO_FEATURES)
def test_ids_indices_and_dates_are_no_features(name):
    kind, values = NO_FEATURES[name]
    (column,) = find_ids(pd.DataFrame({name: list(values)}).astype(str))
    assert (column.column, column.kind) == (name, kind)


FEATURES = {
    "age": RNG.integers(20, 90, N),
    "crp": RNG.normal(size=N).round(3),
    "sorted measurement": np.sort(RNG.normal(size=N)),
    "sorted whole numbers": np.sort(RNG.permutation(90_000)[:N]),
    "dose": [f"{n / 7:.3f} mg" for n in range(N)],
    "leukocytes": [f"{n + 1},{n:03d}" for n in range(N)],
    "limit": [f"<0,{n:03d}" for n in range(N)],
    "sex": ["f", "m"] * 30,
    "platelet_number": RNG.integers(100, 400, N),
    "days in study": RNG.integers(0, 9000, N),
    "copies": RNG.choice(9_000_000, N, replace=False) + 100_000_000,
    "platelets": RNG.permutation(400_000)[:N],
    "ratio": [f"{n}/{n + 3}" for n in range(8)] * 7 + ["1/2"] * 4,
}


@pytest.mark.parametrize("name", FEATURES)
def test_measurements_and_categories_are_features(name):
    assert find_ids(pd.DataFrame({name: list(FEATURES[name])}).astype(str)) == []


def test_names_of_persons_are_no_features_and_decimals_no_ids():
    names = pd.DataFrame({"first_name": ["Ann", "Bo"] * 15, "x": [f"{k}.{k % 9 + 1}" for k in range(30)]})
    assert [(entry.column, entry.kind) for entry in find_ids(names)] == [("first_name", "id")]


def test_folds_are_no_features():
    assert find_ids(pd.DataFrame({"fold": ["0", "1"] * 20}))[0].kind == "split"
