"""The page shows what the artefacts hold, in one file that loads nothing and is the same every time."""

from pathlib import Path

import pytest
import yaml

from pipeline import report
from pipeline.core.errors import StageError
from pipeline.reporting import results
from pipeline.reporting.page import render
from tests.helpers.models import KERAS_NOISE
from tests.helpers.projects import ROOT
from tests.helpers.reports import NASTY, Page

pytestmark = pytest.mark.filterwarnings(KERAS_NOISE)


def test_the_page_loads_and_runs_nothing(rows):
    tags = Page(render("t")).tags
    assert "script" not in {tag for tag, _ in tags}
    sources = [attrs[key] for _, attrs in tags for key in ("src", "href") if key in attrs]
    assert len(sources) > 20
    assert not [source for source in sources if not source.startswith(("data:", "#"))]
    assert not [name for _, attrs in tags for name in attrs if name.startswith("on")]
    assert "url(" not in render("t")


def test_equal_results_give_equal_bytes_in_any_folder(rows, reported, monkeypatch):
    report.main("t")
    monkeypatch.chdir(reported)
    assert (rows / "reports/t/report.html").read_bytes() == render("t").encode()


def test_every_figure_of_the_champion_is_on_the_page(rows):
    text = Page(render("t")).text
    study = results.read("t")
    for side in (study.cv, study.test):
        for key in ("roc_auc", "recall", "specificity", "brier_score_loss", "log_loss"):
            low, high = side.ci[key]
            assert f"{side[key]:.3f} [{low:.3f} to {high:.3f}]" in text, key
        for row in side.counts.confusion.values():
            assert all(f"{n} {n / sum(row.values()):.0%}" in text for n in row.values())
    assert study.verdict in text
    assert "roc_auc" not in text
    for row in study.cv.subgroups:
        assert f"age: {row.value}" in text
    for digest in (study.selection.bundle, study.dev.fingerprint):
        assert digest in text


def test_the_page_says_how_to_cite_assay(rows):
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    year, (author,) = cited["date-released"].year, cited["authors"]
    assert f"{author['name']} ({year}). {cited['title']}. Version {cited['version']}." in Page(render("t")).text


def test_the_shared_version_shows_no_single_sample(drawn, monkeypatch, capsys):
    monkeypatch.chdir(drawn)
    full = render("t")
    assert "image/jpeg" in full
    report.main("t", "--no-images")
    shared = capsys.readouterr().out
    assert "image/jpeg" not in shared
    assert "image/png" in shared  # the charts stay
    for path in results.read("t").samples["path"]:
        assert f">{path}<" not in shared
    assert NASTY not in shared
    assert ".png<" not in shared
    assert not Path("reports/t/report.html").exists()
    report.main("t", "--no-images", "--out", "shared.html")
    assert Path("shared.html").read_text(encoding="utf-8") == shared


def test_texts_of_the_data_are_escaped(rows):
    page = render("t")
    assert NASTY not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;.png" in page


def test_images_links_and_tables_are_accessible(drawn, monkeypatch):
    monkeypatch.chdir(drawn)
    tags = Page(render("t")).tags
    images = [attrs for tag, attrs in tags if tag == "img"]
    assert len(images) > 6
    assert all(attrs.get("alt") for attrs in images)
    ids = [attrs["id"] for _, attrs in tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    assert {attrs["href"][1:] for tag, attrs in tags if tag == "a"} <= set(ids)
    names = [tag for tag, _ in tags]
    assert names.count("table") == names.count("caption") > 5
    assert names.count("h1") == 1


def test_a_stage_that_has_not_run_is_named(rows):
    Path("data/t/audit.json").unlink()
    with pytest.raises(StageError, match="run 'dvc repro audit@t'"):
        report.main("t")
