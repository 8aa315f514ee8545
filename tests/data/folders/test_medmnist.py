"""Arrays of MedMNIST become images of the shipped split."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.core.errors import DataError
from pipeline.data.folders import archives
from tests.helpers.folders import list_images

pytestmark = pytest.mark.usefixtures("empty_folder")


def medmnist(**more: np.ndarray) -> Path:
    """Write a .npz like those of MedMNIST."""
    rng, arrays = np.random.default_rng(1), {}
    for split, n in (("train", 6), ("val", 2), ("test", 4)):
        arrays[f"{split}_images"] = rng.integers(0, 256, (n, 28, 28), dtype=np.uint8)
        arrays[f"{split}_labels"] = (np.arange(n) % 2).astype(np.uint8)[:, None]
    np.savez_compressed("pneumonia.npz", **(arrays | more))
    return Path("pneumonia.npz")


def test_medmnist_arrays_become_images_of_the_shipped_split():
    raw = medmnist()
    result, _ = list_images(raw)
    assert len(result) == 12
    assert (result["test/1/3.png"].label, result["test/1/3.png"].shipped) == ("1", "test")
    with np.load(raw) as arrays:
        image = np.asarray(Image.open(archives.folder_of(raw) / "test/1/3.png"))
        np.testing.assert_array_equal(image, arrays["test_images"][3])


def test_one_hot_labels_are_one_label():
    one_hot = np.eye(2, dtype=np.uint8)[np.arange(6) % 2]
    result, _ = list_images(medmnist(train_labels=one_hot))
    assert {sample.label for sample in result.values()} == {"0", "1"}


@pytest.mark.parametrize(
    ("arrays", "text"),
    [
        ({"train_labels": np.zeros((6, 14), np.uint8)}, "is multi-label: train_labels has 14 labels an image"),
        ({"train_images": np.zeros((6, 28, 28, 28), np.uint8)}, "train_images holds volumes"),
        ({"train_images": np.zeros((6, 28, 28), float)}, "train_images: found float64"),
        ({"train_images": np.zeros((5, 28, 28), np.uint8)}, "train_images holds 5 images, train_labels 6 labels"),
        ({"train_labels": np.array([["x"]] * 6, object)}, "train_labels holds Python objects"),
    ],
)
def test_other_arrays_are_refused(arrays, text):
    with pytest.raises(DataError, match=text):
        archives.folder_of(medmnist(**arrays))


def test_arrays_of_another_purpose_are_refused():
    np.savez("x.npz", weights=np.zeros(3))
    with pytest.raises(DataError, match=r"x.npz: holds weights; expected MedMNIST's arrays"):
        archives.folder_of("x.npz")
