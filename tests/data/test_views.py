"""Views of images: what other cameras make of them, the same each time, and cached."""

import numpy as np
import pytest
from PIL import Image

from pipeline.data import image_features, litert, views
from pipeline.data.images.pixel_rule import AS_IT_WAS
from pipeline.data.images.squares import SIZE
from tests.helpers.models import square
from tests.helpers.samples import put


@pytest.mark.parametrize("edit", [edit for edit, _ in views.EDITS])
@pytest.mark.parametrize("side", [150, SIZE])
def test_each_edit_changes_pixels_and_keeps_an_rgb_square(edit, side):
    image = Image.fromarray(square(1)).resize((side, side))
    edited = edit(image, np.random.default_rng(3))
    assert edited.mode == "RGB"
    assert edited.width == edited.height
    assert edited.size != image.size or (np.asarray(edited) != np.asarray(image)).any()


def test_views_differ_from_each_other_and_depend_on_the_seed():
    image = square(0)
    copy = image.copy()
    first, second = (views.view(image, rng) for rng in [np.random.default_rng(1)] for _ in range(2))
    assert first.shape == image.shape
    assert (first != second).any()
    np.testing.assert_array_equal(first, views.view(image, np.random.default_rng(1)))
    np.testing.assert_array_equal(image, copy)


@pytest.mark.parametrize(("n", "counts"), [(0, []), (2, [4, 4]), (1000, [2] * 500 + [1] * 500), (4000, [1] * 1500)])
def test_views_are_four_an_image_and_1500_together(n, counts):
    rows = views.plan(n)
    assert np.bincount(rows, minlength=len(counts)).tolist() == counts


def test_features_of_views_depend_on_the_file_alone(scan_project, program, monkeypatch):
    put(scan_project / "raw", {"a.png": 1, "b.png": 2, "c.png": 3})

    def compute(*paths):
        return views.compute(np.array(paths), scan_project / "raw", program, 2, AS_IT_WAS, "t")

    both = compute("a.png", "b.png")
    assert both["view_row"].tolist() == [0] * 4 + [1] * 4
    assert both["view_ood"].shape == (8, litert.Embedder(program.read_bytes()).n_frozen)
    assert both["view_classical"].shape == (8, image_features.N_CLASSICAL)
    assert len(np.unique(both["view_classical"], axis=0)) == 8
    monkeypatch.setattr(views, "view", None)  # from the cache
    np.testing.assert_array_equal(compute("b.png", "a.png")["view_ood"][4:], both["view_ood"][:4])
