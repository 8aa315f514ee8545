"""Values that fix the label as patients do are found; measurements, words for the label and usual categories are not."""

import numpy as np
import pandas as pd
import pytest

from pipeline.duplicates.fixed_label import find_fixed_label

RNG = np.random.default_rng(4)
PATIENT = np.repeat(np.arange(40), 5)
SICK = RNG.integers(0, 2, 40)[PATIENT]
VARIED = np.where(np.arange(200) % 40 == 0, 1 - SICK, SICK)  # five visits in which it changed
LABELS = np.array(["well", "ill"])


@pytest.mark.parametrize("sick", [SICK, VARIED], ids=["always", "hardly ever varies"])
@pytest.mark.parametrize("name", ["{}", "Rex{}"])
def test_a_column_whose_values_fix_the_label_is_found(name, sick):
    table = pd.DataFrame({"dog": [name.format(n * 37 % 101) for n in PATIENT]}, dtype=object)
    assert find_fixed_label(table, LABELS[sick].tolist()) == "dog"


def test_words_that_say_the_label_are_no_patients():
    words = [f"{LABELS[sick]} {n % 15:02}" for n, sick in zip(PATIENT, SICK, strict=True)]
    assert find_fixed_label(pd.DataFrame({"remark": words}, dtype=object), LABELS[SICK].tolist()) is None


@pytest.mark.parametrize("sick", [RNG.integers(0, 2, 200), (np.arange(200) < 4).astype(int)], ids=["drawn", "rare"])
def test_categories_and_rare_labels_fix_nothing(sick):
    assert (
        find_fixed_label(pd.DataFrame({"job": [f"job{n}" for n in PATIENT]}, dtype=object), LABELS[sick].tolist())
        is None
    )


def test_days_of_diagnosis_are_no_patients():
    days = [f"2021-{1 + n % 12:02}-{1 + n % 28:02}" for n in PATIENT]
    assert find_fixed_label(pd.DataFrame({"day": days}, dtype=object), LABELS[SICK].tolist()) is None
