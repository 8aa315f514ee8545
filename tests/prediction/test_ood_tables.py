"""Numbers outside the range of the training data: said, and refused from half a range off."""

import numpy as np
import pandas as pd
import pytest

from pipeline.data import tables
from pipeline.prediction import ood_tables

FIELDS = tables.schema(pd.DataFrame({"age": [20.0, 80], "same": [3.0, 3], "site": ["arm", "leg"]}), {})


def row(**cells):
    return tables.to_frame({"age": 50, "same": 3, "site": "arm"} | cells, FIELDS)


@pytest.mark.parametrize("age", [20, 80, 35.5, None])
def test_a_number_within_the_range_or_missing_is_not_doubtful(age):
    score = ood_tables.score(row(age=age), FIELDS, ood_tables.FAR)
    assert (score.reason, score.is_refused) == ("", False)


def test_slightly_out_of_range_numbers_are_reported():
    message = "outside the range of the training data: 'age' is 95, in training 20 to 80; is it the same unit or code?"
    score = ood_tables.score(row(age=95), FIELDS, ood_tables.FAR)
    assert (score.reason, score.is_refused, score.distance) == (message, False, 0.5)
    assert ood_tables.score(row(age=110), FIELDS, ood_tables.FAR).is_refused is False


@pytest.mark.parametrize("age", [110.1, -10.1, 1e30])
def test_a_number_over_half_a_range_outside_is_refused(age):
    score = ood_tables.score(row(age=age), FIELDS, ood_tables.FAR)
    assert score.is_refused
    assert (
        score.reason
        == f"far outside the range of the training data: 'age' is {age:g}, in training 20 to 80; is it the same unit or code?"
    )


def test_another_value_of_a_constant_column_is_reported():
    score = ood_tables.score(row(same=99), FIELDS, ood_tables.FAR)
    assert score.reason == "'same' is 99, in training always 3: the model does not use this column"
    assert not score.is_refused
    assert ood_tables.score(row(same=None), FIELDS, ood_tables.FAR).reason == ""


def test_a_new_category_is_reported_and_refuses_nothing():
    message = "'site' is 'moon', which training never saw (it saw arm, leg)"
    score = ood_tables.score(row(site="moon"), FIELDS, ood_tables.FAR)
    assert (score.reason, score.is_refused) == (message, False)
    assert ood_tables.score(row(site="moon", age=1000), FIELDS, ood_tables.FAR).reason.endswith(message)
    assert ood_tables.score(row(site="ARM"), FIELDS, ood_tables.FAR).reason == ""


def test_new_categories_of_a_file_are_counted():
    rows = [{"age": 50, "same": 3, "site": site} for site in ("moon", "arm", "Leg", "moon", "sun", "", None)]
    (message,) = ood_tables.unseen_categories(rows, FIELDS)
    assert message == "column 'site': 3 of 7 cells are categories that training never saw: 'moon' (2), 'sun' (1)"


def test_out_of_fold_ranges_come_from_the_other_folds():
    X = pd.DataFrame({"x": [0.0, 1, 2, 10], "empty": [np.nan] * 4})
    np.testing.assert_allclose(ood_tables.out_of_fold(X, np.arange(4)), [0.1, 0, 0, 4.0], atol=0.02)
