"""The page Monitor, driven by Streamlit's own tester."""

import shutil
from pathlib import Path

import pytest
import streamlit as st

from app import champions
from pipeline.core import artifacts
from tests.app.test_api_monitor import rows
from tests.pages import charts, opened, said, table


@pytest.fixture
def project(scored, tmp_path, monkeypatch):
    shutil.copytree(scored, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    st.cache_resource.clear()
    yield
    st.cache_resource.clear()


def ask(given):
    champion, _ = champions.champion("t")
    for row in given:
        champion.predict(row, "Mrs Smith")


def figure(page, label):
    return next(one.value for one in page.metric if one.label == label)


def test_before_anything_was_shown_the_page_says_so(project):
    page = opened("monitor", "t")
    assert "Too few to compare: 0 rows in the last 7 days; at least 50 are needed." in said(page)
    assert figure(page, "Samples") == "0"
    assert figure(page, "Refused") == figure(page, "95 % within") == "none yet"


def test_what_is_like_the_training_data_is_shown_beside_it(project):
    ask([*rows(120), {"age": "old"}])
    page = opened("monitor", "t")
    assert page.success[0].value.replace("\\", "").startswith("No evidence that the rows of the last 7 days differ")
    assert (figure(page, "Samples"), figure(page, "Unreadable")) == ("120", "1")
    drawn = charts(page)
    for start in (
        "Samples by day",
        "Share refused",
        "Distance: served median",
        "Probability: served",
        "Answers: benign",
    ):
        assert sum(says.startswith(start) for says in drawn) == 1, start
    assert "no image, no row, no name" in said(page)
    assert "Smith" not in said(page)


def test_what_is_unlike_it_is_an_alarm_with_its_figures(project):
    ask(rows(200, older=25))
    page = opened("monitor", "t")
    assert "are clearly different from the training data" in page.error[0].value
    lines = table(page, "Interval").set_index("Figure")
    assert lines.loc["age: larger than in training", "Verdict"] == "unlike"
    assert lines.loc["age: larger than in training", "Training"] == "50%"
    assert lines.loc["size: larger than in training", "Verdict"] == ""
    assert lines.loc["share refused", "Interval"].startswith("difference ")


def test_what_another_process_counted_is_there_too(project):
    ask(rows(60))
    champions.recorder().flush()
    st.cache_resource.clear()  # as after a restart
    ask(rows(10, seed=4))
    assert figure(opened("monitor", "t"), "Samples") == "70"


def test_without_a_reference_counts_and_the_remedy_are_shown(project):
    path = Path("models/t/best/bundle.json")
    content = artifacts.read_json(path)
    del content["metrics"]["reference"]
    artifacts.write_json(path, content)
    artifacts.write_json("reports/t/selection.json", {"bundle": artifacts.sha256(path.read_bytes())})
    ask(rows(60))
    page = opened("monitor", "t")
    assert "run 'dvc repro' to export it again" in said(page)
    assert figure(page, "Samples") == "60"
