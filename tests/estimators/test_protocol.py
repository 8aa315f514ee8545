"""Estimators are found by the names of their files, with defaults for the hooks that they leave out."""

import sys
from types import ModuleType

import pytest

from pipeline.core import code_hashes
from pipeline.core.errors import ParamsError
from pipeline.estimators._protocol import ClassifierModel, get_estimator
from tests.helpers.models import KERAS_NOISE

pytestmark = pytest.mark.filterwarnings(KERAS_NOISE)


@pytest.mark.parametrize("name", code_hashes.estimator_names())
def test_every_estimator_has_all_hooks(name):
    estimator = get_estimator(name)
    own = estimator.Params()
    assert estimator.check(own, estimator.FEATURES[0], "t") is estimator.check_size(own, 1000, "t") is None
    assert estimator.use_workers(2) == (1 if name == "mobilenetv2" else 2)


def test_a_scikit_learn_classifier_becomes_a_model(monkeypatch):
    estimator = get_estimator("dummy")
    model = estimator.make_model(estimator.Params(), 7, 1)
    assert isinstance(model, ClassifierModel)
    assert model.history_ is None
    assert model.durations(None, None, "t") is None


def test_a_file_that_lacks_a_required_name_is_refused(monkeypatch):
    file = ModuleType("pipeline.estimators.half")
    file.FEATURES = ("columns",)
    monkeypatch.setitem(sys.modules, file.__name__, file)
    with pytest.raises(ParamsError, match=r"pipeline/estimators/half\.py lacks Params, build"):
        get_estimator("half")
