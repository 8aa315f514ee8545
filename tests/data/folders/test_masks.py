"""Masks of segmentations are no samples."""

import pytest

from pipeline.core.errors import DataError
from tests.helpers.folders import AB, reading, subsets


@pytest.mark.parametrize("masks", ["masks", "Ground_Truth", "annotations"])
def test_masks_beside_a_folder_of_images_are_left_out(tmp_path, masks):
    layout = reading(tmp_path, [f"{top}/{c}/{n}.png" for top in ("images", masks) for c in AB for n in range(3)])
    assert (layout.roles.folders, subsets(layout)) == ("any/class", {("a", ""), ("b", "")})
    assert len(layout.samples) == len(layout.skipped) == 6
    assert {skip.reason for skip in layout.skipped} == {"is left out as a mask or otherwise no sample (read.skip)"}


def test_masks_inside_class_folders_are_left_out(tmp_path):
    layout = reading(tmp_path, [f"{c}/{part}/{n}.png" for c in AB for part in ("images", "masks") for n in range(3)])
    assert (len(layout.samples), len(layout.skipped)) == (6, 6)


def test_masks_beside_their_images_are_left_out(tmp_path):
    names = [f"{c}/{c} ({n}){end}.png" for c in AB for n in range(3) for end in ("", "_mask", "_mask_1")]
    layout = reading(tmp_path, names)
    assert (len(layout.samples), len(layout.skipped)) == (6, 12)


@pytest.mark.parametrize("end", ["_L", "_superpixels", "_manual1", "-Label"])
def test_masks_of_other_names_are_left_out(tmp_path, end):
    names = [f"{c}/{n}{more}.png" for c in AB for n in range(3) for more in ("", end)]
    assert len(reading(tmp_path, names).samples) == 6


def test_left_and_right_eyes_are_samples(tmp_path):
    names = [f"{c}/{n}{side}.png" for c in AB for n in range(3) for side in ("_L", "_R")]
    assert len(reading(tmp_path, names).samples) == 12


@pytest.mark.parametrize("names", [("with_mask", "without_mask"), ("unmasked", "masked")])
def test_classes_about_masks_stay_classes(tmp_path, names):
    paths = [f"{name}/{n}.png" for name in names for n in range(3)]
    assert {label for label, _ in subsets(reading(tmp_path, paths))} == set(names)


def test_a_class_named_mask_is_asked_about(tmp_path):
    paths = [f"{name}/{n}.png" for name in ("mask", "no mask") for n in range(3)]
    with pytest.raises(DataError, match=r"mask may be no class but images or masks .+ A class: --folders class"):
        reading(tmp_path, paths)
    assert len(reading(tmp_path, paths, folders="class").samples) == 6


def test_file_names_that_end_with_mask_alone_are_samples(tmp_path):
    assert len(reading(tmp_path, [f"{c}/{n}_mask.png" for c in AB for n in range(3)]).samples) == 6


def test_label_maps_next_to_images_are_no_samples(tmp_path):
    layout = reading(tmp_path, [f"{c}/{n}{end}.png" for c in AB for n in range(3) for end in ("", "_label")])
    assert [sample.path for sample in layout.samples if "label" in sample.path] == []
    named = reading(tmp_path / "own", [f"{c}/{n}_label.png" for c in AB for n in range(3)])
    assert len(named.samples) == 6
