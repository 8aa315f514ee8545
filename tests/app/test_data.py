"""The page Data shows where every sample went, what the audit found and what the samples are like."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from app.views import audit as audit_part
from app.views import distributions
from pipeline import audit, scan, split
from pipeline.core import artifacts
from tests import pages
from tests.models import folder_of
from tests.pages import opened, said
from tests.samples import put, task, write_params

CLASSES = ("adeno", "large cell", "normal_x", "squamous")
SPLIT = {"by": "hash", "test_fraction": 0.3, "folds": 3, "min_test_per_class": 1}


def run_stages(block, program=None):
    """Run scan, audit and split of the task `skin` in the working folder."""
    if program:
        artifacts.write_bytes("models/backbone/embedder.tflite", program.read_bytes())
    write_params(block, workers=1)
    for stage in (scan, audit, split):
        stage.main("skin")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory, program):
    """A project of pictures in four classes, with copies, a contradiction, an unreadable file and a stray one."""
    with folder_of(tmp_path_factory.mktemp("pictures")) as folder:
        files = {f"{name}/{k}.png": 20 * number + k for number, name in enumerate(CLASSES) for k in range(16)}
        files |= {f"adeno/copy {k}.png": k for k in range(14)}  # more than one page of pairs
        files |= {"squamous/0 again.png": 20, "normal_x/bad.png": b"no picture", "adeno/notes.txt": "text"}
        put(folder / "raw", files)
        run_stages(task(split=SPLIT), program)
    return folder


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """A project of a table: a number with gaps, a category, whole numbers, equal rows."""
    with folder_of(tmp_path_factory.mktemp("rows")) as folder:
        rng = np.random.default_rng(0)
        table = pd.DataFrame(
            {"age": rng.normal(50, 9, 80).round(1).astype(str), "sex_at_birth": rng.choice(["f", "m"], 80)}
        )
        table["grade"] = rng.integers(1, 4, 80)
        table.loc[:4, "age"] = "NA"
        table["diagnosis"] = np.where(np.arange(80) % 3 == 0, "ill", "well")
        artifacts.write_csv(folder / "raw.csv", pd.concat([table, table.iloc[[7, 8]]]))
        run_stages(task("table", raw="raw.csv", read={"label": "diagnosis"}, split=SPLIT))
    return folder


@pytest.fixture
def project(pictures, tmp_path, monkeypatch):
    """The working folder: a copy of the project of pictures."""
    shutil.copytree(pictures, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def split_table():
    return pd.read_csv("data/skin/split.csv", dtype=str, keep_default_na=False)


@pytest.mark.parametrize("name", ["pictures", "rows"])
def test_the_counts_are_those_of_the_split_table(name, request, monkeypatch):
    monkeypatch.chdir(request.getfixturevalue(name))
    page, written = opened("data", "skin"), split_table()
    table = pages.table(page, "Part").set_index("Part")
    for label in sorted(set(written["label"])):
        of = written[written["label"] == label]
        for subset, row in (("dev", "development"), ("test", "test"), ("excluded", "excluded")):
            if row in table.index:
                assert table.loc[row, label] == (of["subset"] == subset).sum()
        for fold in "012":
            assert table.loc[f"fold {fold}", label] == (of["fold"] == fold).sum()
    for subset, row in (("dev", "development"), ("test", "test"), ("excluded", "excluded")):
        assert table["All"].get(row, 0) == (written["subset"] == subset).sum()
    assert {one.label: one.value for one in page.metric} == {
        "Development": str((written["subset"] == "dev").sum()),
        "Test": str((written["subset"] == "test").sum()),
        "Excluded": str((written["subset"] == "excluded").sum()),
    }


def test_pictures_are_shown_by_size_format_intensity_and_class(project):
    page = opened("data", "skin")
    texts = list(pages.charts(page))
    assert "Images by width, 60 to 60 px, and height, 40 to 40 px" in texts
    for channel in ("red", "green", "blue"):
        (text,) = (text for text in texts if text.startswith(f"Intensity of {channel} by class"))
        assert all(f"{name} 12" in text for name in CLASSES)  # noise: 127 or so
    formats = pages.table(page, "PNG RGB").set_index("Class")
    assert formats["PNG RGB"].sum() == 4 * 16 + 14 + 1
    assert set(formats["Median size (px)"]) == {"60 x 40"}


def test_development_and_test_set_can_be_shown_separately(project):
    page, written = opened("data", "skin"), split_table()
    for chosen, subset in (("development", "dev"), ("test", "test")):
        page.radio[0].set_value(chosen).run()
        assert not page.exception
        assert pages.table(page, "PNG RGB")["PNG RGB"].sum() == (written["subset"] == subset).sum()


def test_pairs_show_both_images_the_most_suspicious_first(project):
    page = opened("data", "skin")
    found = artifacts.read_json("data/skin/audit.json")
    assert len(found["pairs"]) == 15
    assert "same image: 15 sets (30 images)" in said(page)
    shown = page.get("image") or page.get("imgs")
    assert len(shown) == audit_part.AT_ONCE
    assert "Pairs 1 to 12 of 15" in said(page)
    first = next(text for text in said(page).splitlines() if "similarity" in text and text.startswith("**"))
    assert "large cell / squamous" in first  # under two labels
    page.number_input[0].set_value(2).run()
    assert not page.exception
    assert len(page.get("image") or page.get("imgs")) == 3


def test_what_was_left_out_has_its_reason(project):
    page = opened("data", "skin")
    excluded, skipped = (frame.value for frame in page.dataframe)
    written = split_table()
    assert (
        excluded.to_numpy().tolist()
        == written.loc[written["subset"] == "excluded", ["path", "label", "reason"]].to_numpy().tolist()
    )
    assert any(reason.startswith("unreadable: not a readable image") for reason in excluded["reason"])
    assert skipped.to_numpy().tolist() == [["adeno/notes.txt", "is no image by its name (.txt)"]]


def test_numbers_categories_and_integers_are_shown_by_class(rows, monkeypatch):
    monkeypatch.chdir(rows)
    page = opened("data", "skin")
    assert page.selectbox[0].options == ["age", "sex_at_birth", "grade"]
    assert "5 of 82 are missing." in said(page)
    assert pages.table(page, "Median")["Samples"].sum() == 77
    for column, kind in (("sex_at_birth", "bar"), ("grade", "bar"), ("age", "line")):
        page.selectbox[0].select(column).run()
        assert not page.exception
        (chart,) = (spec for text, spec in pages.charts(page).items() if text.startswith(f"{column} by class"))
        assert chart["mark"]["type"] == kind


def test_a_histogram_counts_every_value_once():
    shown = pd.DataFrame({"value": [1.0, 2, 2, 3, 10, 4, 4], "name": list("aaaaabb")})
    table = distributions.binned(shown)
    assert table.groupby("name")["share"].sum().to_dict() == pytest.approx({"a": 1, "b": 1})
    of_a = table[table["name"] == "a"]
    assert of_a.loc[of_a["share"] > 0, "share"].round(1).tolist() == [0.2, 0.4, 0.2, 0.2]


def test_rare_categories_are_counted_together():
    values = [f"v{k:02}" for k in range(30) for _ in range(31 - k)]
    table = distributions.counted(pd.DataFrame({"value": values, "name": "a"}))
    assert table["value"].tolist() == [*(f"v{k:02}" for k in range(20)), "10 others"]
    assert table["n"].sum() == len(values)
    assert table["share"].sum() == pytest.approx(1)


def test_further_columns_of_a_csv_are_shown(project):
    path = Path("data/skin/scan/samples.csv")
    samples = pd.read_csv(path, dtype=str, keep_default_na=False)
    artifacts.write_csv(path, samples.assign(site=["arm", "leg"] * (len(samples) // 2) + ["arm"] * (len(samples) % 2)))
    page = opened("data", "skin")
    assert page.selectbox[0].options == ["site"]
    assert any(text.startswith("site by class") for text in pages.charts(page))


@pytest.mark.parametrize(
    ("lost", "told"),
    [
        ("data/skin/split.csv", "run 'dvc repro split@skin'"),
        ("data/skin/audit.json", "run 'dvc repro audit@skin'"),
        ("data/skin/scan/intensity.csv", "run 'dvc repro scan@skin'"),
        ("data/skin/scan/skipped.csv", "run 'dvc repro scan@skin'"),
        ("data", "run 'dvc repro scan@skin'"),
        ("raw", "restore the raw files"),
        ("params.yaml", "params.yaml"),
    ],
)
def test_of_what_is_missing_the_page_says_what_to_run(project, lost, told):
    Path(lost).rename("elsewhere")
    assert told in said(opened("data", "skin"))


def test_names_that_are_markdown_are_shown_as_they_are(project):
    assert "normal\\_x" in [name for name in pages.opened("data", "skin").table[0].value]


def test_a_new_split_shows_without_a_restart(project):
    page = opened("data", "skin")
    written = split_table()
    artifacts.write_csv("data/skin/split.csv", written[written["subset"] != "test"])
    page.run()
    assert page.metric[1].value == "0"


def test_eight_thousand_pictures_of_as_many_sizes_are_thinned(project):
    rng = np.random.default_rng(0)
    paths = [f"adeno/{k}.png" for k in range(8000)]
    size = {"width": rng.integers(100, 4000, 8000), "height": rng.integers(100, 4000, 8000)}
    samples = pd.DataFrame(
        {"id": paths, "path": paths, "label": rng.choice(CLASSES, 8000), "group": "", "shipped": ""} | size
    )
    samples = samples.assign(mode="RGB", format="PNG", bytes=1, error="", age=rng.integers(20, 90, 8000))
    artifacts.write_csv("data/skin/scan/samples.csv", samples)
    artifacts.write_json("data/skin/audit.json", artifacts.read_json("data/skin/audit.json") | {"pairs": []})
    page = opened("data", "skin")
    assert "1,500 of" in said(page)
    assert pages.table(page, "PNG RGB")["PNG RGB"].sum() == 8000
