"""Which files of a folder are samples."""

import os

import pytest

from pipeline.core.errors import DataError
from tests.helpers.folders import TWO, list_images
from tests.helpers.samples import put


@pytest.mark.parametrize(
    "path",
    [
        "benign/.hidden.png",
        ".cache/1.png",
        "benign/.thumbs/1.png",
        "benign/Thumbs.db",
        "benign/desktop.ini",
        "benign/.DS_Store",
        "benign/._1.png",
        "__MACOSX/benign/1.png",
        "@eaDir/1.png",
        "benign/@eaDir/1.png",
    ],
)
def test_what_a_system_left_behind_is_no_sample(tmp_path, path):
    samples, skipped = list_images(put(tmp_path, {**TWO, path: b""}))
    assert set(samples) == set(TWO)
    assert skipped == {path: "a hidden or system file"}


def test_files_with_other_suffixes_are_skipped(tmp_path):
    _, skipped = list_images(put(tmp_path, {**TWO, "benign/notes.txt": b"", "benign/movie.MP4": b""}))
    assert skipped == {
        "benign/movie.MP4": "is no image by its name (.mp4)",
        "benign/notes.txt": "is no image by its name (.txt)",
    }


@pytest.mark.parametrize("name", ["1.JPG", "1.jpeg", "1.TIF", "1.webp", "1.dcm", "1.nii.gz", "IM0001"])
def test_possible_images_are_left_to_the_decoder(tmp_path, name):
    assert f"benign/{name}" in list_images(put(tmp_path, {**TWO, f"benign/{name}": b""}))[0]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
def test_a_name_with_carriage_return_is_skipped_with_a_reason(tmp_path):
    _, skipped = list_images(put(tmp_path, {**TWO, "benign/1\r.png": b"", "benign/Icon\r": b""}))
    assert list(skipped) == ["benign/1?.png", "benign/Icon?"]
    assert "carriage return" in skipped["benign/1?.png"]


@pytest.mark.skipif(not os.supports_bytes_environ, reason="only where file names are bytes")
def test_a_name_that_is_not_utf_8_is_refused(tmp_path):
    put(tmp_path, {**TWO, os.fsdecode(b"benign/caf\xe9.png"): b""})
    with pytest.raises(DataError, match=r"the name 'benign/caf\?.png' is not UTF-8; rename"):
        list_images(tmp_path)


def test_links_are_followed_and_loops_of_links_end(tmp_path):
    root, elsewhere = put(tmp_path / "raw", TWO), put(tmp_path / "elsewhere", {"3.png": b""})
    (root / "benign" / "more").symlink_to(elsewhere)
    (root / "benign" / "up").symlink_to("..")
    (root / "benign" / "itself").symlink_to(".")
    (root / "malignant" / "far up").symlink_to(tmp_path)
    (elsewhere / "back").symlink_to(root)
    assert set(list_images(root)[0]) == {*TWO, "benign/more/3.png"}


def test_a_linked_class_keeps_its_own_files(tmp_path):
    (put(tmp_path, TWO) / "benign" / "link").symlink_to("../malignant")
    samples, _ = list_images(tmp_path)
    assert samples["malignant/2.png"].label == "malignant"
    assert samples["benign/link/2.png"].label == "benign"


def test_a_dead_link_is_a_sample_that_the_scan_reports(tmp_path):
    (put(tmp_path, TWO) / "benign" / "dead.png").symlink_to("nowhere")
    assert "benign/dead.png" in list_images(tmp_path)[0]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may list every folder")
def test_an_unlistable_folder_is_an_error(tmp_path):
    (put(tmp_path, TWO) / "benign").chmod(0)
    try:
        with pytest.raises(DataError, match="benign: cannot be listed"):
            list_images(tmp_path)
    finally:
        (tmp_path / "benign").chmod(0o700)
