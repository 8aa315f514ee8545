"""Raw data that DVC or the scan cannot read are refused before the first stage runs."""

import os
import shutil
from pathlib import Path

import pytest

from pipeline import check
from pipeline.core.errors import ParamsError
from tests.helpers.samples import put, task, write_params


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    """An empty current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def raw_refused(text: str, **block: object) -> None:
    """Expect the stage to refuse a task for what lies at its raw path."""
    write_params(task(**block))
    with pytest.raises(ParamsError, match=rf"^params.yaml: tasks.skin.{text}"):
        check.main()
    assert not Path("data/.code").exists()


def test_missing_raw_data_are_refused_before_any_stage():
    raw_refused("raw: 'data/raw/skin' does not exist; put the data there or correct the path", raw="data/raw/skin")


def test_a_project_in_a_folder_with_braces_is_refused(folder, monkeypatch):
    (folder / "a{b}").mkdir()
    monkeypatch.chdir(folder / "a{b}")
    with pytest.raises(ParamsError, match=r"a\{b\}: has a brace, and DVC cannot work there: move the project"):
        check.main()


def test_raw_data_that_the_demo_draws_may_come_later(capsys):
    write_params(task(raw="data/demo/lesions"))
    check.main()
    assert capsys.readouterr().err == ""


def test_missing_scanned_data_are_only_a_warning(capsys):
    put(Path(), {"dvc.lock": "schema: '2.0'\nstages:\n  scan@skin:\n    cmd: c\n    deps:\n    - path: far/skin\n"})
    write_params(task(raw="far/skin"))
    check.main()
    assert capsys.readouterr().err.startswith("check: params.yaml: tasks.skin.raw: 'far/skin' does not exist")
    shutil.rmtree("data/.code")
    raw_refused("raw: 'far/skni' does not exist", raw="far/skni")


def test_raw_data_must_fit_the_kind():
    put(Path(), {"rows.csv": "a,label\n1,x\n", "raw/benign/1.png": 1})
    raw_refused("raw: 'rows.csv': expected a folder of images for a task of kind image", raw="rows.csv")
    raw_refused("raw: 'raw': expected a CSV file for a task of kind table", kind="table", raw="raw")


def test_a_csv_that_is_not_in_the_folder_is_refused():
    put(Path(), {"raw/benign/1.png": 1})
    raw_refused("read.csv: there is no file 'label.csv' in raw", read={"csv": "label.csv"})


def test_broken_links_are_refused_with_their_path():
    root = put(Path("raw"), {"benign/1.png": 1})
    (root / "benign" / "dead.png").symlink_to("nowhere")
    raw_refused("raw: raw/benign/dead.png is a broken link: DVC cannot read it; delete it")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_pipes_are_refused():
    os.mkfifo(put(Path("raw"), {"benign/1.png": 1}) / "benign" / "pipe.png")
    raw_refused("raw: raw/benign/pipe.png is not a regular file: DVC cannot read it; delete it")


def test_linked_folders_are_a_warning(capsys):
    root = put(Path("raw"), {"benign/1.png": 1})
    (root / "benign" / "up").symlink_to("..")
    put(Path("elsewhere"), {"2.png": 2})
    (root / "malignant").symlink_to(Path("elsewhere").absolute())
    write_params(task())
    check.main()
    message = capsys.readouterr().err
    assert message.startswith("check: params.yaml: tasks.skin.raw: DVC does not follow links to folders: a change in ")
    assert "raw/malignant" in message
    assert "raw/benign/up" in message
