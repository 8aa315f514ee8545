"""The app's first page, driven by Streamlit's own tester, on the bundles of the small graph."""

import csv
from pathlib import Path

import pytest
from streamlit import config
from streamlit.testing.v1 import AppTest

config.set_option("server.address", "127.0.0.1")  # as .streamlit/config.toml, which no temporary folder has
PAGE = Path(__file__).resolve().parents[2] / "app" / "main.py"


@pytest.fixture
def page(small, monkeypatch):
    monkeypatch.chdir(small.folder)
    return AppTest.from_file(str(PAGE), default_timeout=60).run()


def test_a_form_drawn_from_the_schema_is_answered(page):
    page.selectbox[0].select("breast").run()
    assert len(page.number_input) == 30
    page.button[0].click().run()
    assert not page.exception
    assert page.subheader[0].value in ("benign", "malignant")


def test_an_uploaded_picture_is_answered_and_a_bad_file_gets_its_reason(page, small):
    with (small.folder / "data/demo/lesions/labels.csv").open(encoding="utf-8", newline="") as file:
        path = next(csv.DictReader(file))["path"]
    picture = small.read(f"data/demo/lesions/{path}")
    page.selectbox[0].select("lesions").run()
    page.file_uploader[0].set_value([("a.jpg", picture, "image/jpeg"), ("b.jpg", b"not a picture", "image/jpeg")]).run()
    assert not page.exception
    assert page.subheader[0].value in ("benign", "malignant")
    assert page.error[0].value.startswith("b.jpg: not a readable image")


def test_without_a_champion_the_page_says_what_to_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    page = AppTest.from_file(str(PAGE), default_timeout=60).run()
    assert not page.exception
    assert "make demo" in page.info[0].value
