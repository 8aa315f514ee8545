"""The results of a task."""

import numpy as np
import pytest

from pipeline.core import artifacts
from pipeline.reporting import results
from tests.helpers.models import KERAS_NOISE

pytestmark = pytest.mark.filterwarnings(KERAS_NOISE)


def test_of_repeated_folds_the_first_counts(rows):
    once = results.read("t")
    path = f"models/t/candidates/{once.winner}/oof.npz"
    saved = dict(np.load(path))
    artifacts.write_npz(path, saved | {"proba": np.concatenate([saved["proba"], saved["proba"][::-1]])})
    np.testing.assert_array_equal(results.read("t").decided, once.decided)
