"""Intervals of figures made of shares cover where a bootstrap of few positives does not."""

import numpy as np
import pytest
from sklearn import metrics

from pipeline.stats import combined
from pipeline.stats.intervals import wilson


def counted(seed, n=400, prevalence=0.03, sensitivity=0.6, specificity=0.95):
    """Actual and decided classes of n samples."""
    rng = np.random.default_rng(seed)
    y = rng.random(n) < prevalence
    return y, rng.random(n) < np.where(y, sensitivity, 1 - specificity)


def parts(y, decided):
    """Sensitivity, specificity and prevalence with Wilson's intervals."""
    shares = [(decided & y).sum(), (~decided & ~y).sum(), y.sum()], [y.sum(), (~y).sum(), len(y)]
    return [(hits / n, wilson(hits, n)) for hits, n in zip(*shares, strict=True)]


def test_figures_are_scikit_learns():
    y, decided = counted(0)
    shares = [estimate for estimate, _ in parts(y, decided)]
    assert combined.f1(*shares) == pytest.approx(metrics.f1_score(y, decided))
    assert combined.matthews(*shares) == pytest.approx(metrics.matthews_corrcoef(y, decided))
    assert combined.balanced_accuracy(*shares[:2]) == pytest.approx(metrics.balanced_accuracy_score(y, decided))


def test_difference_of_two_shares_is_newcombes():
    """Newcombe 1998, table II, method 10: 56/70 and 48/80 differ by 0.2, 0.0524 to 0.3339."""
    two = [(56 / 70, wilson(56, 70)), (48 / 80, wilson(48, 80))]
    assert combined.mover(lambda a, b: a - b, two) == pytest.approx([0.0524, 0.3339], abs=5e-5)


@pytest.mark.parametrize("name", ["f1", "matthews", "balanced_accuracy"])
def test_interval_covers_at_3_percent_prevalence(name):
    figure, inside = getattr(combined, name), 0
    truth = (0.6, 0.95, 0.03) if name != "balanced_accuracy" else (0.6, 0.95)
    for seed in range(400):
        low, high = combined.mover(figure, parts(*counted(seed))[: len(truth)])
        inside += low <= figure(*truth) <= high
    assert 0.93 <= inside / 400 <= 0.995


def test_no_positive_found_is_not_certain():
    y = np.arange(400) < 12
    low, high = combined.mover(combined.balanced_accuracy, parts(y, np.zeros(400, bool))[:2])
    assert low < 0.5
    assert high > 0.6
    assert combined.mover(combined.f1, parts(y, np.zeros(400, bool)))[1] > 0.2


def test_undefined_part_gives_no_interval():
    assert np.isnan(combined.mover(combined.f1, [(np.nan, wilson(0, 0)), (0.9, (0.8, 1.0)), (0.0, (0.0, 0.1))])).all()


def test_intervals_end_where_their_figures_end():
    rough, exact = (0.5, [0.01, 0.99]), (0.5, [0.45, 0.55])
    low, high = combined.mover(combined.f1, [rough, exact, rough])
    assert 0 <= low < high <= 1
    assert combined.mover(combined.f1, [rough] * 3)[0] == 0
    assert combined.mover(combined.matthews, [rough] * 3, -1.0)[0] < 0
