"""The section of data."""

import pandas as pd
import pytest

from pipeline.core import artifacts
from pipeline.reporting import data_section
from pipeline.reporting.page import render
from tests.helpers.models import KERAS_NOISE
from tests.helpers.reports import Page

pytestmark = pytest.mark.filterwarnings(KERAS_NOISE)


def test_a_leaking_shipped_split_is_reported(rows):
    samples = pd.read_csv("data/t/scan/samples.csv", dtype=str, keep_default_na=False)
    samples["shipped"] = ["test" if path.startswith("test") else "train" for path in samples["path"]]
    artifacts.write_csv("data/t/scan/samples.csv", samples)
    audit = artifacts.read_json("data/t/audit.json") | {"leaks": [["row 1", "test 1"]], "n_leaked": 1}
    artifacts.write_json("data/t/audit.json", audit)
    assert "As shipped, 1 of 60 test rows also show up outside the test set" in Page(render("t")).text


def test_columns_are_summarised_by_kind():
    assert data_section.numbers(pd.Series([1.0, 2.0, 3.0, None])) == "2 (1.5 to 2.5), 1 missing"
    assert data_section.numbers(pd.Series([None, None], dtype=float)) == "all missing"
    assert data_section.words(pd.Series(["arm", "arm", "leg", ""])) == "arm 50%, leg 25%, missing 25%"
