"""A model is built again as it was before it was fitted."""

import numpy as np
import pytest

from pipeline.training.refit import builder
from tests.helpers.models import describe, mixed, write_params


@pytest.mark.parametrize(("tuned", "C"), [(None, 0.1), ({"C": 1.0}, 1.0)])
def test_the_chosen_value_is_built_again(tmp_path, monkeypatch, tuned, C):
    from pipeline.training.candidate import Tuned

    monkeypatch.chdir(tmp_path)
    write_params({"line": {"estimator": "logreg", "C": [0.1, 1.0] if tuned else 0.1}})
    describe(model="line", tuned=tuned and Tuned(tuned, [], [])).write(tmp_path / "models/t/candidates/line")
    model = builder("t", "line")()
    X, y = mixed(60)
    assert model.classifier[-1].C == C
    assert np.isfinite(model.fit(X, y, y, "t").predict_proba(X)).all()
