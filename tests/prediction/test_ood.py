"""Samples far from the training data are refused or reported."""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipeline.prediction import files as files_module
from pipeline.prediction.decision_rule import DecisionRule
from pipeline.prediction.predictor import Predictor
from tests.helpers.models import KERAS_NOISE, drawn_image
from tests.helpers.predictors import IMAGE_MODELS, KEYS

pytestmark = pytest.mark.filterwarnings(KERAS_NOISE)


@pytest.mark.parametrize("name", IMAGE_MODELS)
def test_an_image_beyond_the_threshold_is_refused(image_bundles, monkeypatch, name):
    monkeypatch.chdir(image_bundles)
    loaded, data = Predictor(Path("bundles") / name), drawn_image(0)
    loaded.rule = DecisionRule(refusal=1e9)
    assert loaded.predict(data, "a.png")["class"]
    loaded.rule = DecisionRule(refusal=1e-9)
    item = loaded.predict(data, "a.png")
    assert list(item) == KEYS
    assert item["class"] == item["decision"] == ""
    assert item["probabilities"] == {}
    assert item["refused"] is True
    assert re.fullmatch(
        r"too different from the training data: distance [\d.]+, at least 97.5% of training images are within 1e-09",
        item["reason"],
    )


def test_a_network_and_its_embeddings_give_the_same_distance(image_bundles, monkeypatch):
    monkeypatch.chdir(image_bundles)
    reasons = []
    for name in ("near", "net"):
        loaded = Predictor(Path("bundles") / name)
        loaded.rule = DecisionRule(refusal=1e-9)
        loaded._arrays["known.npz"] = Predictor(Path("bundles/near"))._arrays["known.npz"]
        reasons.append(loaded.predict(drawn_image(3), "a.png")["reason"])
    assert reasons[0] == reasons[1]


def test_a_bundle_without_a_threshold_refuses_nothing(image_bundles, monkeypatch):
    monkeypatch.chdir(image_bundles)
    loaded = Predictor(Path("bundles/near"))
    loaded.rule = DecisionRule()
    assert loaded.predict(drawn_image(0), "a.png")["refused"] is False


def test_slightly_out_of_range_rows_are_answered_far_ones_refused(table, monkeypatch):
    monkeypatch.chdir(table)
    loaded = Predictor("best")
    loaded.rule = DecisionRule(refusal=0.5)
    age = next(field for field in loaded.info.schema if field.name == "age")
    row = {"age": age.max + 1, "size": 0.2, "site": "arm", "empty": None, "constant": 3}
    near, far = loaded.predict(row, "a"), loaded.predict(row | {"age": 10_000}, "b")
    assert near["class"]
    assert near["reason"].startswith("outside the range of the training data: 'age' is ")
    assert (far["class"], far["refused"], far["probabilities"]) == ("", True, {})
    assert far["reason"].startswith("far outside the range of the training data: 'age' is 10000, in training ")
    assert near["reason"] in files_module.show([near], loaded.classes, "table")


def test_threads_get_the_ood_score_of_their_own_image(image_bundles):
    loaded = Predictor(image_bundles / "bundles/net")
    loaded.rule = DecisionRule(refusal=1e9)
    files = [drawn_image(seed) for seed in range(8)]
    scores = [loaded.predict_with_ood(file, "a").ood.distance for file in files]
    assert len(set(scores)) == 8
    with ThreadPoolExecutor(4) as pool:
        assert [
            item.ood.distance for item in pool.map(lambda file: loaded.predict_with_ood(file, "a"), files * 4)
        ] == scores * 4
    assert loaded.predict_with_ood(b"no image", "a").ood is None
