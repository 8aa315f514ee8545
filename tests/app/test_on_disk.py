"""Bundles on disk and the states of their files."""

import os
from pathlib import Path

from app import on_disk
from tests.helpers.samples import put


def test_bundles_of_networks_come_first_with_their_selection(empty_folder):
    put(Path(), {"models/a/best/bundle.json": "{}", "models/a/best/model.joblib": b"x"})
    put(Path(), {"models/b/best/bundle.json": "{}", "reports/b/selection.json": "{}", "models/c/other.json": "{}"})
    bundles = on_disk.bundles()
    assert list(bundles) == ["b", "a"]
    assert set(bundles["b"]) == {"bundle.json", on_disk.SELECTION}
    assert set(bundles["a"]) == {"bundle.json", "model.joblib"}


def test_a_replaced_file_has_another_state(empty_folder):
    path = put(Path(), {"bundle.json": "1"}) / "bundle.json"
    before = on_disk.times(path)
    Path("new").write_text("1")
    os.replace("new", path)
    assert on_disk.times(path) != before


def test_a_champion_that_dvc_writes_is_being_selected(empty_folder):
    assert not on_disk.is_being_selected("skin")
    put(Path(), {".dvc/tmp/rwlock": '{"/p/models/skin/best": {"write": {"pid": 1}}}'})
    assert on_disk.is_being_selected("skin")
    assert not on_disk.is_being_selected("ski")
