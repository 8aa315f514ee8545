"""What is said of groups that have several samples."""

import pandas as pd
import pytest

from pipeline.tasks.unit import about_unit


def samples(groups, labels):
    return pd.DataFrame({"group": groups, "label": labels})


@pytest.mark.parametrize("groups", [["", "", ""], ["a", "b", "c"]])
def test_samples_alone_need_no_word(groups):
    assert about_unit(samples(groups, list("xyx"))) == []


def test_groups_of_one_label_are_likely_the_unit():
    ((title, text),) = about_unit(samples(list("aaabbcd"), list("xxxyyxy")))
    assert title == "unit"
    assert "2 of 4 groups have several samples, up to 3" in text
    assert "select.unit: group" in text
    assert "likely right" in text


def test_few_samples_in_groups_are_no_reason():
    groups = ["a", "a", *map(str, range(20))]
    ((_, text),) = about_unit(samples(groups, list("xy" * 11)[:1] * 2 + list("xy" * 10)))
    assert "likely right" not in text


def test_groups_of_different_labels_are_counted():
    (_, text), (title, mixed) = about_unit(samples(list("aabbb"), list("xyxxx")))
    assert "likely right" not in text
    assert title == "label of a group"
    assert "1 of 2 have samples of different labels, which count one by one" in mixed
    assert "any positive makes each a positive group" in mixed
    assert "any positive" not in about_unit(samples(list("aabbb"), list("xyzzz")))[1][1]


def test_samples_without_a_group_are_no_group():
    ((_, text),) = about_unit(samples(["a", "a", "b", "", ""], list("xxyxy")))
    assert "1 of 2 groups have several samples" in text
