"""The audit stage calls independent rows clustered in at most 5 % of tables, and finds repeated visits and copies."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline import audit, scan
from pipeline.core.errors import FindingError
from tests.helpers.samples import put, task, write_params


def designs(rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
    """Return tables of independent rows: informative, discrete, of several sites, on curves, with copied columns."""
    y, p = rng.integers(0, 2, n), int(rng.integers(2, 12))
    G, kinds = rng.normal(size=(n, p)), min(12, n // 20)
    kind, spread = rng.choice(kinds, n, p=rng.dirichlet(2 * np.ones(kinds))), rng.uniform(0.2, 1.5, kinds)
    return {
        "normal": G,
        "correlated": G @ rng.normal(size=(p, p)),
        "informative": G + 3 * y[:, None],
        "very informative": G + 8 * y[:, None],
        "heavy tails": rng.standard_t(1.5, (n, p)),
        "uniform": rng.uniform(size=(n, p)),
        "skewed": np.exp(1.5 * G),
        "low rank": rng.normal(size=(n, 2)) @ rng.normal(size=(2, p)) + 0.1 * G,
        "curve": np.c_[np.cos(3 * G[:, 0]), np.sin(3 * G[:, 0]), G[:, 0]] + 0.05 * rng.normal(size=(n, 3)),
        "one decimal": np.round(G, 1),
        "whole numbers": np.round(20 * G),
        "with categories": np.c_[G[:, :2], rng.integers(0, 3, n), rng.integers(0, 2, n)],
        "many zeros": np.where(rng.random((n, p)) < 0.4, 0, G),
        "sites": G + 4 * rng.normal(size=(5, p))[rng.integers(0, 5, n)],
        "subtypes": G + 4 * rng.normal(size=(kinds, p))[rng.integers(0, kinds, n)],
        "tight subtypes": 0.3 * G + 4 * rng.normal(size=(kinds, p))[rng.integers(0, kinds, n)],
        "uneven subtypes": G * spread[kind, None] + 4 * rng.normal(size=(kinds, p))[kind],
        "copied columns": np.c_[G, G**3],
        "answers": rng.integers(0, 5, (n, p)),
    }


def labels(rng: np.random.Generator, X: np.ndarray) -> np.ndarray:
    """Return labels that are random, rare, or depend on the columns: smoothly, sharply, in waves or by three classes."""
    n, ranks = len(X), pd.DataFrame(X).rank(pct=True).to_numpy() - 0.5
    score = ranks @ rng.normal(size=ranks.shape[1])
    score /= score.std() + 1e-9
    kinds = {
        "random": rng.integers(0, 2, n),
        "rare": (rng.random(n) < 0.08).astype(int),
        "smooth": (rng.random(n) < 1 / (1 + np.exp(-1.5 * score))).astype(int),
        "sharp": (score > 0).astype(int),
        "exclusive": ((ranks[:, 0] > 0) ^ (ranks[:, 1] > 0)).astype(int),
        "three": np.digitize(score + 0.3 * rng.normal(size=n), [-0.5, 0.5]),
    }
    label = kinds[str(rng.choice(list(kinds)))]
    return label if len(set(label)) > 1 else np.arange(n) % 2


def is_stopped(X: np.ndarray, label: np.ndarray) -> bool:
    """Return whether the audit stage of a table ends with a finding."""
    table = pd.DataFrame(X, columns=[f"x{k}" for k in range(X.shape[1])]).round(4).assign(label=label)
    put_table = table.to_csv(index=False)
    put(Path(), {"rows.csv": put_table})
    write_params(task("table", "rows.csv", read={"label": "label"}, audit={"conflicts": "keep"}))
    scan.main("skin")
    try:
        audit.run_stage("skin")
    except FindingError:
        return True
    return False


def test_independent_rows_are_stopped_in_at_most_5_percent(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    rng, stops = np.random.default_rng(12), {}
    for _ in range(25):
        n = int(rng.choice([60, 100, 200, 500, 1500]))
        for name, X in designs(rng, n).items():
            stops.setdefault(name, []).append(is_stopped(X, labels(rng, X)))
    rates = {name: np.mean(result) for name, result in stops.items()}
    with capsys.disabled():
        print(rates)
    assert np.mean(list(rates.values())) <= 0.05
    assert max(rates.values()) <= 0.05


@pytest.mark.parametrize("each", [2, 3, 5, 10])
def test_visits_are_stopped(tmp_path, monkeypatch, each):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(each)
    patient = np.repeat(np.arange(300 // each), each)
    X = rng.normal(size=(300 // each, 4))[patient] + 0.05 * rng.normal(size=(len(patient), 4))
    assert is_stopped(X, rng.integers(0, 2, 300 // each)[patient])


@pytest.mark.parametrize(("n_patients", "each", "n_columns"), [(40, 5, 4), (100, 5, 4), (70, 3, 8)])
def test_visits_among_those_of_other_patients_are_stopped(tmp_path, monkeypatch, n_patients, each, n_columns):
    monkeypatch.chdir(tmp_path)
    stops = []
    for seed in range(10):
        rng, patient = np.random.default_rng(seed), np.repeat(np.arange(n_patients), each)
        X = rng.normal(size=(n_patients, n_columns))[patient] + 0.3 * rng.normal(size=(len(patient), n_columns))
        stops.append(is_stopped(X, rng.integers(0, 2, n_patients)[patient]))
    assert sum(stops) >= 8
