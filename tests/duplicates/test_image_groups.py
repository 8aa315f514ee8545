"""Images of one patient are found by names that the images confirm."""

import numpy as np
import pandas as pd
import pytest

from pipeline.duplicates.group_search import Grouping
from pipeline.duplicates.image_groups import search_images


def images(paths: list[str], patient: list[int], alike: float = 2.0, **columns: list) -> Grouping:
    """Return what is found of images whose features are `alike` within a patient."""
    rng = np.random.default_rng(3)
    features = alike * rng.normal(size=(max(patient) + 1, 10))[patient] + rng.normal(size=(len(patient), 10))
    labels = [path.split("/")[0] for path in paths]
    table = pd.DataFrame(columns, index=range(len(paths))).astype(str)
    return search_images(paths, labels, 1, table, lambda rows: features[rows], 0)


PATIENT = [i // 4 for i in range(160)]


@pytest.mark.parametrize("pattern", ["{c}/{p}/{i}.png", "{c}/{p:08d}_{i}.png", "{c}/X-{p}-{i}.png", "{c}/{p}_{i}.png"])
def test_similar_images_of_one_name_are_grouped(pattern):
    paths = [pattern.format(c="ab"[p % 2], p=p, i=i) for i, p in enumerate(PATIENT)]
    result = images(paths, PATIENT)
    assert result.pattern
    assert result.n_groups == 40
    assert "more alike" in result.grounds


def test_names_without_similar_images_group_nothing():
    paths = [f"{'ab'[p % 2]}/{p}_{i}.png" for i, p in enumerate(PATIENT)]
    assert not images(paths, PATIENT, alike=0).is_known


@pytest.mark.parametrize("pattern", ["{c}/患者{p}_{i}.png", "{c}/slice{k}/{p}.png"])
def test_patients_in_other_alphabets_and_below_slices_are_grouped(pattern):
    paths = [pattern.format(c="ab"[p % 2], p=p, i=i, k=i % 4) for i, p in enumerate(PATIENT)]
    assert images(paths, PATIENT).n_groups == 40


def test_equal_names_in_two_classes_group_nothing():
    paths = [f"{'ab'[i % 2]}/{i // 2}.png" for i in range(160)]
    assert not images(paths, [i % 2 for i in range(160)]).is_known


def test_a_number_that_classes_start_anew_counts_with_its_folder():
    paths = [f"{'ab'[p % 2]}/{p // 2}_{i}.png" for i, p in enumerate(PATIENT)]
    result = images(paths, PATIENT)
    assert result.n_groups == 40
    assert result.pattern.startswith("^(")


def test_copies_that_share_a_running_number_are_no_patients():
    # four images of each number and class: two of them are copies, the others strangers
    paths = [f"{'ab'[i % 2]}/{i // 2 % 30}_{i // 60}.png" for i in range(240)]
    stranger = [i if i >= 120 else i % 60 for i in range(240)]
    assert not images(paths, stranger, alike=20).is_known


def test_the_patient_comes_before_the_lesion_in_a_name():
    paths = [f"a/{p // 2}_{p % 2}_{i}.png" for i, p in enumerate(PATIENT)]
    result = images(paths, [p // 2 for p in PATIENT])
    assert result.n_groups == 20


def test_a_column_of_patients_comes_before_the_path():
    paths = [f"a/{i}.png" for i in range(160)]
    result = images(paths, PATIENT, lesion_id=list(range(160)), patient_id=PATIENT)
    assert (result.column, result.pattern) == ("patient_id", None)
