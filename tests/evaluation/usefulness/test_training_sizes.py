"""The champion is fitted on parts of each training fold, and the curve says what more data bring."""

from pathlib import Path

import numpy as np
import pytest

from pipeline import learning_curve
from pipeline.core import artifacts
from pipeline.data.dataset import Dataset
from pipeline.evaluation.usefulness.learning_curve import LearningCurve, in_words
from pipeline.evaluation.usefulness.training_sizes import parts
from tests.helpers.models import dataset, numbers


def test_parts_are_whole_groups_of_other_folds():
    dev = dataset(*numbers(120), groups=np.arange(120) // 3)
    small, middle, large = parts(dev, 2, 7)
    assert set(small) < set(middle) < set(large)
    assert not set(dev.fold[large]) & {2}
    assert not set(dev.group[large]) & set(dev.group[np.setdiff1d(np.flatnonzero(dev.fold != 2), large)])
    assert len(middle) == pytest.approx(48, abs=3)


def test_stage_writes_figures_at_four_sizes(scored_project):
    learning_curve.main("t")
    curve = LearningCurve.read("t")
    dev, report = Dataset.load(Path("data/t/dev.npz")), artifacts.read_json(f"reports/t/cv/{curve.model}.json")
    sizes = [step.n for step in curve.steps]
    assert sizes == sorted(sizes)
    assert sizes[-1] == round(len(dev.y) * 0.8)
    assert curve.steps[-1].roc_auc == pytest.approx(report["roc_auc"], abs=0.05)
    low, high = curve.doubled["roc_auc"].ci
    assert low < curve.doubled["roc_auc"].gain < high
    assert f"[{low:+.3f}, {high:+.3f}]" in in_words(curve)
    assert ("are worth collecting" in in_words(curve)) == (low > 0) or "whether" in in_words(curve)
    before = Path("reports/t/learning_curve.json").read_bytes()
    learning_curve.main("t")
    assert Path("reports/t/learning_curve.json").read_bytes() == before


def test_dummy_has_no_learning_curve(scored_project):
    chosen = artifacts.read_json("reports/t/selection.json")
    artifacts.write_json("reports/t/selection.json", chosen | {"winner": "floor"})
    learning_curve.main("t")
    assert in_words(LearningCurve.read("t")) == "No learning curve: floor learns nothing."
