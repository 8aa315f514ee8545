"""What a user decides goes before what is found."""

from dataclasses import replace

import pandas as pd
import pytest

from pipeline.data.columns.id_columns import NoFeature
from pipeline.data.folders.sample_files import Sample
from pipeline.tasks.choices import Choices, about_group, decided, exclude, find_no_features, search_site


@pytest.mark.parametrize(
    ("choices", "expected"),
    [
        (Choices(), {"label": "dx", "group": "pid"}),
        (Choices(no_group=True), {"label": "dx", "no_group": True}),
        (Choices(group_from="(.+)_"), {"label": "dx", "group_from": "(.+)_"}),
    ],
)
def test_a_decision_on_groups_replaces_the_guess(choices, expected):
    assert decided({"label": "dx", "group": "pid"}, choices) == expected


def test_kept_columns_are_features_and_excluded_ones_are_not():
    ids = [NoFeature("row", "index", "counts the rows"), NoFeature("code", "id", "differs in each row")]
    columns, lines = exclude(ids, Choices(keep=("code",), exclude=("row", "site")))
    assert columns == ["row", "site"]
    assert lines[0] == ("left out", "row: counts the rows; --keep row takes it as a feature")
    assert lines[1] == ("left out", "site: as you decided")


def test_ids_and_columns_that_are_the_label_are_no_features():
    labels = [("ill", "well")[n * 7 % 3 % 2] for n in range(90)]
    features = {"row": [str(n) for n in range(90)], "code": [label[0] for label in labels]}
    features |= {"age": [str(n * 37 % 50) for n in range(90)]}
    no_features, _ = find_no_features(pd.DataFrame(features), labels, [""] * 90)
    assert [entry.column for entry in no_features] == ["row", "code"]


def test_samples_without_groups_are_said_to_be_patients():
    assert about_group({"no_group": True}, None) == [("group", "none: each sample is another patient, as you decided")]
    assert about_group({}, None) == []


def test_numbers_that_start_anew_at_each_site_group_images_with_it():
    samples = [
        Sample(f"{n}.png", "ab"[n // 4 * 7 // 3 % 2], str(n // 8), extra={"site": "uv"[n // 4 % 2], "age": str(n)})
        for n in range(160)
    ]
    grouping = search_site(samples, "patient_no")
    assert (grouping.column, grouping.group_with, grouping.n_groups) == ("patient_no", ("site",), 40)
    alone = [replace(sample, group=str(n // 4)) for n, sample in enumerate(samples)]
    assert search_site(alone, "patient_no").group_with == ()
