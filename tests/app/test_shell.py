"""The app's shell: tasks, addresses, bugs."""

import subprocess
import sys

import pytest

from app import champions
from tests.helpers import pages
from tests.helpers.pages import first_page, text_of

pytestmark = pytest.mark.usefixtures("fresh_app")


def test_the_task_and_the_address_follow_each_other(project):
    page = first_page(task="patients")
    assert page.segmented_control(key="task").value == "patients"
    page.segmented_control(key="task").set_value("skin").run()
    assert page.query_params["task"] in ("skin", ["skin"])
    assert "not a medical device" in text_of(page)


def test_an_unknown_task_in_the_address_is_passed_over(project):
    page = first_page(task="../../etc")
    assert page.segmented_control(key="task").value in ("skin", "patients")
    assert not page.exception


def test_without_a_champion_the_page_says_what_to_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    page = first_page()
    assert not page.exception
    assert "make demo" in page.info[0].value


def test_the_first_page_waits_for_no_heavy_library():
    heavy = "{'PIL', 'numpy', 'pandas', 'altair', 'sklearn', 'tensorflow', 'mlflow', 'app.serving'}"
    heavy += " | {'pipeline.prediction.predictor'}"
    code = f"import sys, app.champions, app.access, app.views.predict; print(sorted(({heavy}) & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=pages.MAIN.parents[1], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_a_bug_shows_a_sentence_and_logs_only_its_location(project, monkeypatch, caplog):
    def broken(task: str) -> None:
        raise RuntimeError("-".join(["what", "somebody", "sent"]))  # the log shows this line, not what it makes

    monkeypatch.setattr(champions, "champion", broken)
    page = first_page()
    assert not page.exception
    assert "an internal error" in page.error[0].value
    assert "broken" in caplog.text
    assert "RuntimeError" in caplog.text
    assert "what-somebody" not in caplog.text + text_of(page)
