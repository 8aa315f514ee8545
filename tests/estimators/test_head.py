"""The softmax head on embeddings."""

import numpy as np
import pytest

from pipeline.estimators import _head, mobilenetv2
from pipeline.estimators.mobilenetv2 import Params
from tests.helpers.models import KERAS_NOISE, numbers

pytestmark = pytest.mark.filterwarnings(KERAS_NOISE)


def make(params, seed=7):
    return mobilenetv2.build(params, seed)


@pytest.mark.parametrize("n_classes", [2, 4])
def test_there_is_a_probability_for_each_row_and_class(n_classes):
    X, y = numbers(40, n_classes)
    proba = make(Params(epochs=1)).fit(X, y, y, "t").predict_proba(X)
    assert proba.shape == (40, n_classes)
    np.testing.assert_allclose(proba.sum(axis=1), 1, atol=1e-6)


def test_ten_rows_with_random_labels_can_be_memorised():
    rng = np.random.default_rng(5)
    X, y = rng.normal(size=(10, 40)).astype(np.float32), rng.permutation(np.arange(10) % 2)
    fitted = make(Params(epochs=200, learning_rate=0.05, dropout=0.0)).fit(X, y, y, "t")
    assert fitted.predict_proba(X)[np.arange(10), y].min() > 0.9
    assert fitted.history_["loss"].iloc[-1] < 0.1 < fitted.history_["loss"].iloc[0]


def test_the_seed_alone_decides_the_bits():
    X, y = numbers(60)
    first, same, other = (make(Params(epochs=2), seed).fit(X, y, y, "t").predict_proba(X) for seed in (7, 7, 8))
    np.testing.assert_array_equal(first, same)
    assert not np.array_equal(first, other)


def test_no_fit_depends_on_those_before_it():
    X, y = numbers(60)

    def bits(n):
        return make(Params(epochs=2, batch_size=16)).fit(X[:n], y[:n], y[:n], "t").predict_proba(X).tobytes()

    first = bits(60), bits(58)
    assert (bits(60), bits(58)) == first
    _head._new_head.cache_clear()
    assert (bits(58), bits(60)) == first[::-1]


def test_held_out_samples_influence_nothing():
    X, y = numbers(60)
    alone = make(Params(epochs=2)).fit(X, y, y, "t")
    held_out = make(Params(epochs=2)).fit(X, y, y, "t", (X[:10], y[:10]))
    np.testing.assert_array_equal(alone.predict_proba(X), held_out.predict_proba(X))
    assert alone.history_["val_loss"].isna().all()
    assert np.isfinite(held_out.history_["val_loss"]).all()


def test_balanced_class_weight_raises_the_rarer_class():
    rng = np.random.default_rng(0)
    y = (np.arange(200) % 10 == 0).astype(int)
    X = (rng.normal(size=(200, 4)) + y[:, None] * 0.5).astype(np.float32)
    own = {"epochs": 15, "learning_rate": 0.1}
    balanced, plain = (make(Params(class_weight=w, **own)).fit(X, y, y, "t") for w in ("balanced", None))
    assert balanced.predict_proba(X)[:, 1].mean() > plain.predict_proba(X)[:, 1].mean() + 0.1
