"""A bundle answers made-up inputs as it did when it was exported."""

import shutil
from dataclasses import replace

import pytest

from pipeline.core.errors import BundleError
from pipeline.prediction import self_test
from pipeline.prediction.predictor import Predictor
from tests.helpers.models import KERAS_NOISE
from tests.helpers.predictors import IMAGE_MODELS, rewrite

pytestmark = pytest.mark.filterwarnings(KERAS_NOISE)


def test_a_bundle_is_checked_against_its_golden_predictions(image_bundles, tmp_path):
    for name in IMAGE_MODELS:
        shutil.copytree(image_bundles / "bundles" / name, tmp_path / name)
        golden = self_test.golden_predictions(Predictor(tmp_path / name))
        rewrite(tmp_path / name, golden=golden)
        self_test.check(Predictor(tmp_path / name))
        golden[2] = replace(golden[2], probabilities=[p + 2e-4 for p in golden[2].probabilities])
        rewrite(tmp_path / name, golden=golden)
        with pytest.raises(
            BundleError, match=r"sample_pictures\(\)\[2\] with a probability off by 0\.0002.*at most 0\.0001"
        ):
            self_test.check(Predictor(tmp_path / name))


def test_missing_or_non_numeric_golden_predictions_fail_the_check(table, tmp_path):
    shutil.copytree(table / "best", tmp_path / "best")
    with pytest.raises(BundleError, match="has 0 golden predictions; expected 3: run 'dvc repro'"):
        self_test.check(Predictor(tmp_path / "best"))
    rewrite(tmp_path / "best", golden=[{"input": "", "probabilities": [None, 1]}] * 3)
    with pytest.raises(BundleError, match="off by nan"):
        self_test.check(Predictor(tmp_path / "best"))
