"""DVC's copies for experiments see the original's data."""

from pathlib import Path

import pytest

from pipeline.core import copies
from pipeline.core.errors import ParamsError


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A copy as `dvc exp run --queue` makes it, as the working folder; returns the original."""
    home = tmp_path / "a/b/home"
    folder = home / ".dvc/tmp/exps/tmp1"
    folder.mkdir(parents=True)
    (home / "raw").mkdir()
    (home / "raw/a.csv").write_text("a")
    (home.parent / "outside").mkdir()
    monkeypatch.setenv("DVC_ROOT", str(home))
    monkeypatch.chdir(folder)
    return home


def test_ignored_and_outside_data_lead_to_the_originals(copy):
    assert copies.in_copy()
    for path in ("raw", "raw", "../outside", "not there"):
        copies.link_from_home(path)
    assert Path("raw/a.csv").read_text() == "a"
    assert Path("../outside").resolve() == copy.parent / "outside"
    assert not Path("not there").exists()


def test_what_the_copy_has_is_left_alone(copy):
    Path("raw").mkdir()
    copies.link_from_home("raw")
    assert not Path("raw").is_symlink()


def test_data_too_far_away_need_an_absolute_path(copy):
    far = "../../../far"
    (copy.parents[2] / "far").mkdir()
    with pytest.raises(ParamsError, match="does not see it; name it by its absolute path"):
        copies.link_from_home(far)
    copies.link_from_home(copy.parents[2] / "far")


def test_the_original_links_nothing(copy, monkeypatch):
    monkeypatch.chdir(copy)
    assert not copies.in_copy()
    copies.link_from_home("elsewhere")
    monkeypatch.delenv("DVC_ROOT")
    assert not copies.in_copy()
