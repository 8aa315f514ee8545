"""Weeks of patients with several samples each that are like the training data: how often does monitoring say otherwise?

Samples of a patient share their position, distance and answer by an intraclass correlation of .6. Development has patients of the
same kind. Compared: samples whose patients the client names, samples without, by the design effect of development, and samples
that count as independent, as before.
"""

import numpy as np
import pytest
from scipy.stats import rankdata

from benchmarks.figures import Figure, save
from pipeline.monitoring import drift, histograms
from pipeline.monitoring.histograms import Reference, Tally, design_effect

CLASSES = ["benign", "malignant"]
K, WEEKS, SHARED = 16, 1000, 0.6  # components, weeks, intraclass correlation
BAR = 0.06
DESIGNS = {"five": "five samples each", "uneven": "1 to 20 samples each"}
COMMAND = "python -m pytest soak/test_drift_groups.py"


def patients(rng: np.random.Generator, sizes: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return group, decided, probability, distance and components of the samples of patients with so many each."""
    group = np.repeat(np.arange(len(sizes)), sizes)
    z = SHARED**0.5 * rng.normal(size=(len(sizes), K + 2))[group]
    z += (1 - SHARED) ** 0.5 * rng.normal(size=(len(group), K + 2))
    p = 1 / (1 + np.exp(-2 * z[:, 0]))
    return group, (p > 0.6).astype(int), np.column_stack([1 - p, p]), np.exp(0.25 * z[:, 1] - 0.6), z[:, 2:]


def tally(group: np.ndarray, decided: np.ndarray, proba: np.ndarray, distance: np.ndarray, places: np.ndarray) -> Tally:
    counts = histograms.count_predictions(CLASSES, decided, proba, distance, places, distance > 1)
    return counts


def development(rng: np.random.Generator, sizes: np.ndarray) -> Reference:
    group, decided, proba, distance, places = patients(rng, sizes)
    names, kept = [f"direction {k}" for k in range(1, K + 1)], distance <= 1
    effects = {"refused": design_effect((~kept).astype(float), group), "distance": design_effect(distance, group)}
    effects |= {f"place {name}": design_effect(x, group) for name, x in zip(names, places.T, strict=True)}
    effects |= {
        f"answer {name}": design_effect((decided[kept] == k).astype(float), group[kept])
        for k, name in enumerate(CLASSES)
    }
    effects["probability"] = design_effect(rankdata(proba[kept, 1]), group[kept])
    return Reference(tally(group, decided, proba, distance, places), len(sizes), names, effects)


@pytest.mark.parametrize("design", ["five", "uneven"])
def test_weeks_like_the_training_data_give_few_alarms(design):
    rng = np.random.default_rng(5)

    def sizes(n: int) -> np.ndarray:
        return np.full(n, 5) if design == "five" else rng.integers(1, 21, n)

    alarms = dict.fromkeys(("named", "assumed", "independent"), 0)
    for _ in range(WEEKS):
        reference = development(rng, sizes(150))
        plain = Reference(reference.tally, reference.n_groups, reference.names)
        own = sizes(40)
        served = tally(*patients(rng, own))
        alarms["independent"] += drift.compare([served], plain, "image").verdict != "alike"
        alarms["assumed"] += drift.compare([served], reference, "image").verdict != "alike"
        served.grouped, served.squares = int(own.sum()), int((own**2).sum())
        alarms["named"] += drift.compare([served], reference, "image").verdict != "alike"
    shares = {name: n / WEEKS for name, n in alarms.items()}
    print(design, shares)
    how = {
        "named": "the client names each sample's patient",
        "assumed": "no patient is named: the design effect of development",
        "independent": "samples count as independent, as before",
    }
    figures = [
        Figure(
            f"weeks with a false alarm, {name}",
            100 * share,
            how[name],
            at_most=None if name == "independent" else 6,
            unit="%",
        )
        for name, share in shares.items()
    ]
    save(
        f"drift_groups_{design}", f"False alarms of monitoring, 40 patients a week, {DESIGNS[design]}", figures, COMMAND
    )
    assert shares["named"] <= BAR
    assert shares["assumed"] <= BAR
