"""The page Monitor, driven by Streamlit's own tester."""

from pathlib import Path

import pytest
import streamlit as st

from app import champions
from pipeline.core import artifacts
from tests.helpers.pages import charts, opened, table, text_of
from tests.helpers.serving import rows_like_training

pytestmark = pytest.mark.usefixtures("served_table", "fresh_app")


def ask(given):
    champion, _ = champions.champion("t")
    for row in given:
        champion.predict(row, "Mrs Smith")


def figure(page, label):
    return next(metric.value for metric in page.metric if metric.label == label)


def test_before_anything_was_shown_the_page_says_so():
    page = opened("monitor", "t")
    assert "Too few to compare: 0 rows in the last 7 days; at least 50 are needed." in text_of(page)
    assert figure(page, "Samples") == "0"
    assert figure(page, "Refused") == figure(page, "95 % answered within") == "no sample yet"


def test_what_is_like_the_training_data_is_shown_beside_it():
    ask([*rows_like_training(120), {"age": "old"}])
    page = opened("monitor", "t")
    assert page.success[0].value.replace("\\", "").startswith("No evidence that the rows of the last 7 days differ")
    assert (figure(page, "Samples"), figure(page, "Unreadable")) == ("120", "1")
    drawn = charts(page)
    assert "All samples came on " in text_of(page)
    assert "refused, 1 unreadable. Charts by day begin with the second day." in text_of(page)
    assert "**What to do.** Nothing now." in text_of(page)
    for start in (
        "Distance: served median",
        "Probability: served",
        "Answers: benign",
    ):
        assert sum(says.startswith(start) for says in drawn) == 1, start
    assert "no image, no row, no name" in text_of(page)
    assert "Smith" not in text_of(page)


def test_what_is_unlike_it_is_an_alarm_with_its_figures():
    ask(rows_like_training(200, older=25))
    page = opened("monitor", "t")
    assert "are clearly different from the training data" in page.error[0].value
    assert "**What to do.** Do not rely on the answers until labels are there." in text_of(page)
    lines = table(page, "Interval").set_index("Figure")
    assert lines.loc["age: larger than in training", "Verdict"] == "clearly different"
    assert lines.loc["age: larger than in training", "Training"] == "50%"
    assert lines.loc["size: larger than in training", "Verdict"] == ""
    assert lines.loc["share refused", "Interval"].startswith("difference ")


def test_new_categories_are_shown_by_column():
    ask([row | {"site": "neck"} for row in rows_like_training(4)])
    assert opened("monitor", "t").warning[0].value == (
        "Samples with a category that training never saw, by column: site 4 of 4."
    )


def test_what_another_process_counted_is_there_too():
    ask(rows_like_training(60))
    champions.recorder().flush()
    st.cache_resource.clear()  # as after a restart
    ask(rows_like_training(10, seed=4))
    assert figure(opened("monitor", "t"), "Samples") == "70"


def test_without_a_reference_counts_and_the_remedy_are_shown():
    path = Path("models/t/best/bundle.json")
    content = artifacts.read_json(path)
    del content["metrics"]["reference"]
    artifacts.write_json(path, content)
    artifacts.write_json("reports/t/selection.json", {"bundle": artifacts.sha256(path.read_bytes())})
    ask(rows_like_training(60))
    page = opened("monitor", "t")
    assert "run 'dvc repro' to export it again" in text_of(page)
    assert figure(page, "Samples") == "60"
