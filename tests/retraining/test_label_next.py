"""Images to label next are those the model is unsure of, and no two of one kind."""

import csv
import io

import numpy as np

from pipeline.prediction.answer import OodScore, Prediction, refused
from pipeline.retraining.label_next import as_csv, choose, farthest_first


def answered(name, p, position):
    item = {"file": name, "class": "b" if p > 0.5 else "a", "probabilities": {"a": 1 - p, "b": p}}
    return Prediction(item, OodScore(distance=0.1, components=position))


def test_sure_and_refused_images_are_not_chosen():
    rng = np.random.default_rng(0)
    unsure = [answered(f"unsure {k}", 0.5 + 0.002 * k, rng.normal(size=3)) for k in range(25)]
    sure = [answered(f"sure {k}", 0.99, 10 * rng.normal(size=3)) for k in range(100)]
    chosen = choose([*sure, Prediction(refused("blank", "out of distribution")), *unsure], 5)
    assert len(chosen) == 5
    assert all(row.file.startswith("unsure") for row in chosen)
    assert chosen[0].file == "unsure 0"


def test_copies_are_asked_for_once():
    kinds = np.eye(4) * 10
    images = [answered(f"{kind} {copy}", 0.5 + 0.001 * copy, kinds[kind]) for kind in range(4) for copy in range(5)]
    assert sorted(row.file[0] for row in choose(images, 4)) == ["0", "1", "2", "3"]


def test_farthest_first_never_repeats_a_row():
    rows = farthest_first(np.zeros((6, 2)), 10)
    assert sorted(rows) == list(range(6))


def test_without_positions_the_least_sure_are_chosen():
    images = [answered(f"{k}", 0.5 + 0.01 * k, None) for k in range(10)]
    assert [row.file for row in choose(images, 3)] == ["0", "1", "2"]
    assert choose([], 3) == []


def test_csv_has_a_column_for_the_label():
    rows = list(csv.DictReader(io.StringIO(as_csv(choose([answered("a,b.png", 0.6, None)], 1)))))
    assert rows == [
        {"rank": "1", "file": "a,b.png", "class": "b", "probability": "0.600000", "margin": "0.200000", "label": ""}
    ]
