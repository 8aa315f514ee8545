"""Champion and challenger are compared by what the task counts: groups where it says so."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from pipeline import select_best
from pipeline.core.params_models import RetrainParams
from pipeline.data.dataset import Dataset
from pipeline.evaluation.report import read_cv
from pipeline.retraining import batch_profile, comparison
from tests.helpers.comparisons import make_profile
from tests.helpers.grouped import MODELS, grouped, project
from tests.helpers.models import dataset, folder_of, train_and_evaluate, write_params


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A project that counts groups, and a copy to whose groups a batch adds samples."""
    folder = tmp_path_factory.mktemp("both")
    with folder_of(folder / "own"):
        project(Path(), unit="group")
    dev = grouped()
    y = np.concatenate([dev.y, dev.y[:30]])
    group = np.concatenate([[int(name[1:]) for name in dev.group], [int(name[1:]) for name in dev.group[:30]]])
    X = dev.X("columns")
    more = dataset(X.iloc[[*range(len(dev.y)), *range(30)]].reset_index(drop=True), y, group)
    with folder_of(shutil.copytree(folder / "own", folder / "tree")):
        write_params(MODELS, unit="group")
        more.save(Path("data/t/dev.npz"))
        train_and_evaluate(MODELS)
        select_best.main("t")
    return folder


@pytest.fixture
def both(made, monkeypatch):
    """The copy; the project is the working folder."""
    monkeypatch.chdir(made / "own")
    monkeypatch.setattr(batch_profile, "describe", lambda *given: make_profile())
    return made / "tree"


def test_groups_are_compared_not_samples(both):
    result = comparison.compare("t", both, [], RetrainParams())
    assert result.n == 60
    assert "on the champion's 60 development groups" in result.recommendation
    report = read_cv("t", result.champion["model"]).by_group
    assert result.metrics["roc_auc"].champion == pytest.approx(report["roc_auc"], abs=0.02)
    assert result.metrics["accuracy"].champion * 60 == pytest.approx(round(result.metrics["accuracy"].champion * 60))


def test_a_model_is_no_worse_than_itself(both):
    result = comparison.compare("t", Path(), [], RetrainParams())
    assert result.passed
    assert all(change.difference == 0 for change in result.metrics.values() if change.difference == change.difference)


def test_samples_added_to_a_group_do_not_count(both):
    own = comparison.read_side(both, "t")
    assert len(own.dev.y) == 180
    dev = Dataset.read("t", "dev")
    units = comparison.by_group.read("t", "dev", dev, comparison.params.task("t").select)
    side = comparison.read_side(both, "t", (dev, units))
    assert len(side.dev.y) == 60
    assert list(side.dev.path) == list(units.data.path)
