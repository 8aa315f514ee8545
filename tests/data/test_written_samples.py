"""The dates of samples, as a split by time reads them."""

import pandas as pd
import pytest

from pipeline.core.errors import DataError
from pipeline.data.written_samples import read_times


@pytest.mark.parametrize(
    ("cells", "order"),
    [
        (["31.12.2020", "01.02.2021", "NA"], [0, 1]),
        (["2021-01-31 12:30", "2021-01-31T08:00"], [1, 0]),
        (["12/31/2020", "01/02/2021"], [0, 1]),
        (["2019", "2018.5", ""], [1, 0]),
        (["Q3/2015", "Q2/2016", ""], [0, 1]),
        (["2016-06-08", "07.06.2016", ""], [1, 0]),
        (["Mar 2015", "2014-12-31", ""], [1, 0]),
    ],
)
def test_a_time_column_orders_the_samples(cells, order):
    times = read_times(pd.DataFrame({"when": cells}), "skin", "when")
    assert times.dropna().argsort().tolist() == order
    assert times.isna().sum() == len(cells) - 2


@pytest.mark.parametrize(
    ("cells", "text"),
    [
        (["01/02/2021", "03/04/2021"], "month or day first"),
        (["soon", "late"], "neither dates nor numbers"),
        (["2021-01-01", "late"], "for instance 'late'"),
    ],
)
def test_a_time_column_without_an_order_is_refused(cells, text):
    with pytest.raises(DataError, match=f"time_column: 'when'.*{text}"):
        read_times(pd.DataFrame({"when": cells}), "skin", "when")
