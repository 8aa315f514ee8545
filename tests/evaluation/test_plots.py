"""Charts are PNG files whose bytes depend on nothing but what they show."""

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as reference

from pipeline.data.dataset import Dataset
from pipeline.evaluation import curves, plots
from tests.helpers.models import predictions

pytestmark = pytest.mark.usefixtures("real_charts")


def is_png(path):
    return path.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")


@pytest.mark.parametrize("n_classes", [2, 4])
def test_png_bytes_are_reproducible_and_name_no_program(tmp_path, n_classes):
    data, proba = predictions(n_classes)
    matrix = reference.confusion_matrix(data.y, proba.argmax(axis=1))
    for name in ("first", "second"):
        plots.roc(data, proba, 0.8, "m", tmp_path / f"{name} roc.png")
        plots.confusion(matrix, data.classes, "m", tmp_path / f"{name} confusion.png")
        history = pd.DataFrame({"epoch": [1, 2], "loss": [0.7, 0.5], "val_loss": [0.8, 0.7]})
        plots.history(history, "m", tmp_path / f"{name} history.png")
        bins, smooth = curves.reliability(data, proba), curves.flexible(data, proba)
        plots.reliability(bins, smooth, data.positive, "m", tmp_path / f"{name} reliability.png")
    for kind in ("roc", "confusion", "history", "reliability"):
        first = tmp_path / f"first {kind}.png"
        assert is_png(first)
        assert first.read_bytes() == (tmp_path / f"second {kind}.png").read_bytes()
        assert b"atplotlib" not in first.read_bytes()


def test_awkward_class_names_and_many_classes_can_be_drawn(tmp_path):
    names = [
        "$5 cost",
        "a_b^c$",
        "_hidden",
        "Übergröße",
        "a very long name of a class",
        *(f"class {k}" for k in range(6)),
    ]
    y = np.arange(44) % 11
    proba = np.random.default_rng(0).dirichlet(np.ones(11), 44)
    data = Dataset(y, y, y, y, y, names, {})
    plots.roc(data, proba, 0.5, "m", tmp_path / "roc.png")
    plots.confusion(reference.confusion_matrix(y, proba.argmax(axis=1)), names, "m", tmp_path / "confusion.png")
    assert is_png(tmp_path / "roc.png")
    assert is_png(tmp_path / "confusion.png")


def test_history_of_one_epoch_without_held_out_loss(tmp_path):
    plots.history(pd.DataFrame({"epoch": [1], "loss": [0.7], "val_loss": [np.nan]}), "m", tmp_path / "h.png")
    assert is_png(tmp_path / "h.png")
