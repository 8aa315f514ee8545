"""What a user decides goes before what is found."""

import pandas as pd
import pytest

from pipeline.data.columns.id_columns import NoFeature
from pipeline.tasks.choices import Choices, about_group, decided, exclude, find_no_features


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
