"""The metrics against scikit-learn's, and what must hold of them where scikit-learn has no answer."""

import subprocess
import sys

import numpy as np
import pytest
from sklearn import metrics as reference
from sklearn.preprocessing import label_binarize

from pipeline.stats import metrics, reliability

pytestmark = pytest.mark.filterwarnings("error")
CLOSE = {"rel": 1e-9, "abs": 1e-12, "nan_ok": True}


def predictions(n_classes, seed, n=150, tenths=False):
    """Return y, proba, decided; with `tenths` there are few different probabilities, hence many ties."""
    rng = np.random.default_rng(seed)
    y = rng.integers(n_classes, size=n)
    y[:n_classes] = np.arange(n_classes)
    proba = rng.dirichlet(1 + np.eye(n_classes)[y].mean(axis=0), size=n) / 2 + np.eye(n_classes)[y] * 0.1
    proba /= proba.sum(axis=1, keepdims=True)
    if tenths:
        proba = np.stack([rng.multinomial(10, row / row.sum()) for row in proba]) / 10
    decided = np.where(rng.random(n) < 0.2, rng.integers(n_classes, size=n), proba.argmax(axis=1))
    decided[:n_classes] = np.arange(n_classes)
    return y, proba, decided


def weightings(n, seed=0):
    rng = np.random.default_rng(seed)
    counts = rng.poisson(1, size=n)
    counts[:10] += 1  # every class keeps a sample
    return [None, rng.random(n) + 0.1, counts.astype(float)]


def expected(y, proba, decided, w):
    """Return what scikit-learn says, for predictions with every class among actual and decided."""
    n_classes = proba.shape[1]
    kwargs = {"sample_weight": w}
    result = {
        "accuracy": reference.accuracy_score(y, decided, **kwargs),
        "balanced_accuracy": reference.balanced_accuracy_score(y, decided, **kwargs),
        "matthews_corrcoef": reference.matthews_corrcoef(y, decided, **kwargs),
        "log_loss": reference.log_loss(y, proba, labels=range(n_classes), **kwargs),
        "brier_score_loss": reference.brier_score_loss(y, proba, labels=range(n_classes), **kwargs),
    }
    if n_classes == 2:
        return result | {
            "f1": reference.f1_score(y, decided, **kwargs),
            "precision": reference.precision_score(y, decided, **kwargs),
            "recall": reference.recall_score(y, decided, **kwargs),
            "specificity": reference.recall_score(y, decided, pos_label=0, **kwargs),
            "negative_predictive_value": reference.precision_score(y, decided, pos_label=0, **kwargs),
            "roc_auc": reference.roc_auc_score(y, proba[:, 1], **kwargs),
            "average_precision": reference.average_precision_score(y, proba[:, 1], **kwargs),
        }
    each = label_binarize(y, classes=range(n_classes))
    return result | {
        "f1_macro": reference.f1_score(y, decided, average="macro", **kwargs),
        "precision_macro": reference.precision_score(y, decided, average="macro", **kwargs),
        "recall_macro": reference.recall_score(y, decided, average="macro", **kwargs),
        "roc_auc": reference.roc_auc_score(y, proba, multi_class="ovr", average="macro", **kwargs),
        "average_precision": reference.average_precision_score(each, proba, average="macro", **kwargs),
    }


@pytest.mark.parametrize("tenths", [False, True], ids=["distinct", "ties"])
@pytest.mark.parametrize("n_classes", [2, 3, 7])
def test_every_metric_equals_scikit_learns(n_classes, tenths):
    for seed in range(5):
        data = predictions(n_classes, seed, tenths=tenths)
        for weights in weightings(150, seed):
            scores = metrics.scores(*data, weights)
            ece = scores.pop("ece")
            assert 0 <= ece <= 1
            assert scores == pytest.approx(expected(*data, weights), **CLOSE)
            assert all(type(value) is float for value in scores.values())


def test_auc_with_ties_equals_scikit_learns():
    rng = np.random.default_rng(1)
    for levels in (1, 2, 3, 10):
        score, positive, weights = rng.integers(levels, size=60) / 10, rng.random(60) < 0.4, rng.random((1, 60))
        result = np.ravel(metrics.Ranking(positive, score)(weights))
        theirs = [reference.roc_auc_score, reference.average_precision_score]
        assert result == pytest.approx([metric(positive, score, sample_weight=weights[0]) for metric in theirs])


def test_auc_is_the_share_of_ordered_pairs():
    rng = np.random.default_rng(2)
    score, positive = rng.integers(5, size=40), rng.random(40) < 0.5
    pairs = np.sign(score[positive][:, None] - score[~positive][None])
    assert metrics.Ranking(positive, score)(np.ones((1, 40)))[0][0] == pytest.approx((pairs.mean() + 1) / 2)


def test_probabilities_in_single_precision_score_like_those_in_double():
    y, proba, decided = predictions(3, 0)
    assert metrics.scores(y, proba.astype(np.float32), decided) == pytest.approx(
        metrics.scores(y, proba, decided), rel=1e-5
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_log_loss_is_clipped_as_in_scikit_learn(dtype):
    y, proba = np.array([0, 1, 1]), np.array([[0, 1], [1, 0], [0, 1]], dtype=dtype)
    loss = metrics.scores(y, proba, proba.argmax(axis=1))["log_loss"]
    assert loss == pytest.approx(reference.log_loss(y, proba), rel=1e-6)


def test_brier_score_of_two_and_three_classes():
    y, decided = np.array([0, 1]), np.array([0, 1])
    two = metrics.scores(y, np.array([[0.9, 0.1], [0.4, 0.6]]), decided)["brier_score_loss"]
    three = metrics.scores(y, np.array([[0.9, 0.1, 0.0], [0.4, 0.6, 0.0]]), decided)["brier_score_loss"]
    assert two == pytest.approx((0.1**2 + 0.4**2) / 2)
    assert three == pytest.approx((2 * 0.1**2 + 2 * 0.4**2) / 2)


def test_ece_of_two_classes_uses_the_positive_class():
    y = np.array([1, 1, 0, 1, 0])
    p = np.array([0.95, 0.97, 0.96, 0.62, 0.69])  # three bins of 1/15: 2/3 against .96, 1 against .62, 0 against .69
    error = metrics.scores(y, np.stack([1 - p, p], axis=1), y)["ece"]
    assert error == pytest.approx(3 / 5 * (0.96 - 2 / 3) + 1 / 5 * (1 - 0.62) + 1 / 5 * 0.69)


def test_ece_of_three_classes_uses_the_most_probable_class():
    proba = np.array([[0.81, 0.1, 0.09], [0.1, 0.83, 0.07], [0.3, 0.2, 0.5]])
    for decided in ([0, 1, 2], [2, 2, 2]):
        error = metrics.scores(np.array([0, 0, 2]), proba, np.array(decided))["ece"]
        assert error == pytest.approx(((0.81 + 0.83 - 1) + 0.5) / 3)  # one of two right at .82, one of one at .5


def test_ece_agrees_with_the_reliability_diagram():
    y, proba, decided = predictions(2, 4)
    predicted, observed, counts = reliability.reliability(y, proba[:, 1], reliability.equal_width(metrics.ECE_BINS))
    gaps = np.nansum(np.abs(predicted - observed) * counts) / len(y)
    assert metrics.scores(y, proba, decided)["ece"] == pytest.approx(gaps)


def test_a_whole_weight_is_worth_as_many_copies():
    for n_classes in (2, 3):
        data = predictions(n_classes, 3, tenths=True)
        counts = weightings(150, 3)[2]
        copies = [np.repeat(array, counts.astype(int), axis=0) for array in data]
        assert metrics.scores(*data, counts) == pytest.approx(metrics.scores(*copies), **CLOSE)


def test_a_rising_transform_of_the_probabilities_changes_no_ranking():
    y, proba, decided = predictions(2, 5, tenths=True)
    bent = np.stack([1 - proba[:, 1] ** 3, proba[:, 1] ** 3], axis=1)
    before, after = metrics.scores(y, proba, decided), metrics.scores(y, bent, decided)
    assert (after["roc_auc"], after["average_precision"]) == (before["roc_auc"], before["average_precision"])
    assert after["brier_score_loss"] != before["brier_score_loss"]


def test_order_of_samples_and_classes_does_not_matter():
    y, proba, decided = predictions(3, 6)
    scores = metrics.scores(y, proba, decided)
    order = np.random.default_rng(0).permutation(len(y))
    assert metrics.scores(y[order], proba[order], decided[order]) == pytest.approx(scores, **CLOSE)
    path = np.array([2, 0, 1])
    assert metrics.scores(path[y], proba[:, np.argsort(path)], path[decided]) == pytest.approx(scores, **CLOSE)


def test_without_positives_only_dependent_metrics_are_nan():
    _, proba, decided = predictions(2, 7)
    scores = metrics.scores(np.zeros(150, dtype=int), proba, decided)
    undefined = {name for name, value in scores.items() if np.isnan(value)}
    assert undefined == {"balanced_accuracy", "recall", "matthews_corrcoef", "roc_auc", "average_precision"}
    assert scores["precision"] == scores["f1"] == 0  # something was called positive, always wrongly


def test_nothing_decided_positive_has_no_precision_and_no_correlation():
    y, proba, _ = predictions(2, 8)
    scores = metrics.scores(y, proba, np.zeros(150, dtype=int))
    assert np.isnan(scores["precision"])
    assert (scores["recall"], scores["f1"], scores["matthews_corrcoef"]) == (0, 0, 0)


def test_constant_decision_has_no_correlation():
    y, proba, _ = predictions(3, 8)
    weights = np.random.default_rng(0).random((200, 150))
    assert (metrics.Scorer(y, proba, np.ones(150, dtype=int))(weights)["matthews_corrcoef"] == 0).all()


def test_a_macro_average_without_one_of_its_classes_is_nan():
    y, proba, decided = predictions(3, 9)
    kept = y != 2
    scores = metrics.scores(y, proba, decided, kept.astype(float))
    assert scores == pytest.approx(metrics.scores(y[kept], proba[kept], decided[kept]), **CLOSE)
    undefined = {name for name, value in scores.items() if np.isnan(value)}
    assert undefined == {"balanced_accuracy", "recall_macro", "roc_auc", "average_precision"}
    assert scores["matthews_corrcoef"] == pytest.approx(reference.matthews_corrcoef(y[kept], decided[kept]))


@pytest.mark.parametrize("n_classes", [2, 3])
def test_no_samples_and_no_weight_are_nan_everywhere(n_classes):
    y, proba, decided = predictions(n_classes, 10)
    assert np.isnan(list(metrics.scores(y, proba, decided, np.zeros(150)).values())).all()
    assert np.isnan(list(metrics.scores(y[:0], proba[:0], decided[:0]).values())).all()


@pytest.mark.parametrize("n_classes", [2, 3])
def test_a_perfect_prediction_is_perfect_by_every_metric(n_classes):
    y = np.arange(30) % n_classes
    scores = metrics.scores(y, np.eye(n_classes)[y], y)
    losses = [scores.pop(name) for name in ("brier_score_loss", "log_loss", "ece")]
    assert losses == pytest.approx([0, 0, 0], abs=1e-12)
    assert set(scores.values()) == {1.0}


def test_what_would_become_a_wrong_number_is_refused():
    y, proba, decided = predictions(3, 11)
    for bad in (
        (y[1:], proba, decided),
        (y, proba[:, 0], decided),
        (y, proba, np.where(y == 0, -1, decided)),
        (np.where(y == 0, 3, y), proba, decided),
        (y, np.where(proba > 0.5, np.nan, proba), decided),
        (y, proba * 2, decided),
    ):
        with pytest.raises(ValueError, match=r"expected|must be"):
            metrics.scores(*bad)


def test_confusion_equals_scikit_learns():
    y, _, decided = predictions(4, 12)
    matrix = metrics.confusion(y, decided, 4)
    assert matrix.tolist() == reference.confusion_matrix(y, decided, labels=range(4)).tolist()
    assert metrics.confusion([0, 0], [1, 1], 3).tolist() == [[0, 2, 0], [0, 0, 0], [0, 0, 0]]


def test_every_class_has_scikit_learns_figures():
    y, proba, decided = predictions(3, 13, tenths=True)
    by_class = metrics.per_class(y, proba, decided, ["a", "b", "c"])
    figures = zip(*reference.precision_recall_fscore_support(y, decided), strict=True)
    for k, (name, (precision, recall, f1, support)) in enumerate(zip("abc", figures, strict=True)):
        area = reference.roc_auc_score(y == k, proba[:, k])
        wanted = {"precision": precision, "recall": recall, "f1": f1, "roc_auc": area, "support": support}
        assert by_class[name] == pytest.approx(wanted)


def test_an_absent_class_has_no_figures_but_its_count():
    by_class = metrics.per_class(
        np.array([0, 1]), np.array([[0.5, 0.5, 0], [0.5, 0.5, 0]]), np.array([0, 1]), list("abc")
    )
    assert by_class["c"].pop("support") == 0
    assert np.isnan(list(by_class["c"].values())).all()


@pytest.mark.parametrize("levels", [1, 2, 5, 1000])
def test_roc_curve_equals_scikit_learns(levels):
    for seed in range(20):
        rng = np.random.default_rng(seed)
        y, score = rng.permutation(np.arange(50) % 3 == 0), rng.integers(levels, size=50) / levels
        curve = metrics.roc_curve(y, score)
        for ours, theirs in zip(curve, reference.roc_curve(y, score), strict=True):
            assert ours == pytest.approx(theirs)
        area = metrics.scores(y.astype(int), np.stack([1 - score, score], axis=1), y.astype(int))["roc_auc"]
        assert np.trapezoid(curve[1], curve[0]) == pytest.approx(area)


def test_roc_curve_without_negatives_has_no_false_positive_rate():
    fpr, tpr, _ = metrics.roc_curve([1, 1], [0.2, 0.8])
    assert np.isnan(fpr).all()
    assert tpr[-1] == 1


def test_importing_metrics_loads_only_numpy():
    code = "import sys, pipeline.stats.bootstrap; print(*{'sklearn', 'pandas', 'scipy'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "\n"


@pytest.mark.parametrize("n_classes", [2, 4])
def test_mean_losses_of_samples_are_the_figures(n_classes):
    rng = np.random.default_rng(0)
    proba = rng.dirichlet(np.ones(n_classes), 50)
    y = rng.integers(n_classes, size=50)
    figures = metrics.scores(y, proba, proba.argmax(axis=1))
    for name, of_samples in metrics.losses(y, proba).items():
        assert of_samples.mean() == pytest.approx(figures[name], rel=1e-12)
