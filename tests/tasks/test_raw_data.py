"""Raw data that DVC or the scan cannot read are refused before the first stage runs."""

import os
import shutil
from pathlib import Path

import pytest

from pipeline import check
from pipeline.core.errors import ParamsError
from tests.samples import put, task, write_params


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


def test_raw_data_that_are_not_there_are_refused_before_anything_is_computed():
    raw_refused("raw: 'data/raw/skin' does not exist; put the data there or mend the path", raw="data/raw/skin")


def test_raw_data_that_the_demo_draws_may_come_later(capsys):
    write_params(task(raw="data/demo/lesions"))
    check.main()
    assert capsys.readouterr().err == ""


def test_in_a_clone_without_the_data_what_was_scanned_before_is_only_a_doubt(capsys):
    put(Path(), {"dvc.lock": "schema: '2.0'\nstages:\n  scan@skin:\n    cmd: c\n    deps:\n    - path: far/skin\n"})
    write_params(task(raw="far/skin"))
    check.main()
    assert capsys.readouterr().err.startswith("check: params.yaml: tasks.skin.raw: 'far/skin' does not exist")
    shutil.rmtree("data/.code")
    raw_refused("raw: 'far/skni' does not exist", raw="far/skni")


def test_a_file_for_pictures_and_a_folder_for_a_table_are_refused():
    put(Path(), {"rows.csv": "a,label\n1,x\n", "raw/benign/1.png": 1})
    raw_refused("raw: 'rows.csv': expected a folder of pictures for a task of kind image", raw="rows.csv")
    raw_refused("raw: 'raw': expected a CSV file for a task of kind table", kind="table", raw="raw")


def test_a_csv_that_is_not_in_the_folder_is_refused():
    put(Path(), {"raw/benign/1.png": 1})
    raw_refused("read.csv: there is no file 'label.csv' in raw", read={"csv": "label.csv"})


def test_what_dvc_cannot_read_is_refused_with_its_place():
    root = put(Path("raw"), {"benign/1.png": 1})
    (root / "benign" / "dead.png").symlink_to("nowhere")
    raw_refused("raw: raw/benign/dead.png is a link that leads nowhere: DVC cannot read it; delete it")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_what_dvc_would_wait_for_for_ever_is_refused():
    os.mkfifo(put(Path("raw"), {"benign/1.png": 1}) / "benign" / "pipe.png")
    raw_refused("raw: raw/benign/pipe.png is no file: DVC cannot read it; delete it")


def test_links_to_folders_are_a_doubt_because_dvc_does_not_follow_them(capsys):
    root = put(Path("raw"), {"benign/1.png": 1})
    (root / "benign" / "up").symlink_to("..")
    put(Path("elsewhere"), {"2.png": 2})
    (root / "malignant").symlink_to(Path("elsewhere").absolute())
    write_params(task())
    check.main()
    said = capsys.readouterr().err
    assert said.startswith(
        "check: params.yaml: tasks.skin.raw: DVC does not look behind links to folders: a change in "
    )
    assert "raw/malignant" in said
    assert "raw/benign/up" in said
