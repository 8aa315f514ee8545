"""Columns of dates are recognised."""

import pytest

from pipeline.data.tabular.formats import ColumnFormat
from tests.helpers.tables import learnt, many


@pytest.mark.parametrize(
    ("cells", "layouts"),
    [
        (["2021-01-31", "2021-02-01"], ("%Y-%m-%d",)),
        (["2021-01-31T10:20:00Z", "2021-02-01 11:00"], ("%Y-%m-%d",)),
        (["31.01.2021", "1.2.2021"], ("%d.%m.%Y",)),
        (["31/01/2021", "01/02/2021"], ("%d/%m/%Y",)),
        (["01/31/2021", "01/02/2021"], ("%m/%d/%Y",)),
        (["01/02/2021", "03/04/2021"], ("%d/%m/%Y", "%m/%d/%Y")),
        (["20210131", "20210201", "20210301", "20200101", "19991231"], ("%Y%m%d",)),
        (["3 Jan 2021", "4 Sep 2021"], ("%d %b %Y",)),
        (["Mar 2015", "Sept 2016", "Jan-2017"], ("%b %Y",)),
        (["March 2015", "May 2016"], ("%b %Y",)),
        (["Mar-15", "Apr-16"], ("%b %y",)),
        (["03/2015", "12/2016"], ("%m/%Y",)),
        (["Q1/2015", "2016-Q4", "2016Q2"], ("quarter",)),
    ],
)
def test_a_column_of_dates_is_said_to_be_one(cells, layouts):
    learnt_columns = learnt(a=many(*cells))
    assert learnt_columns.formats["a"] == ColumnFormat("date", layouts=layouts)
    assert "holds dates" in str(learnt_columns.notices[0])
    assert ("cannot be told apart" in str(learnt_columns.notices[0])) == (len(layouts) > 1)


@pytest.mark.parametrize(
    "cells",
    [
        ["12345678", "87654321"],
        ["31/31/2021", "1/1/2021"],
        ["2021", "2022"],
        ["12.5", "1.5"],
        ["13/2015", "99/2016"],
        ["Grade 2015", "B 1"],
    ],
)
def test_what_only_looks_like_a_date_is_none(cells):
    assert learnt(a=many(*cells)).formats["a"].kind != "date"
