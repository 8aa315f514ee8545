"""What the audit keeps of a file comes back from the store as it was taken from the file."""

import numpy as np
import pytest

from pipeline.duplicates.images.fingerprint import Fingerprint, load_signature, open_store, pack, take, tones, unpack
from tests.helpers.textures import stored, texture

pytestmark = [pytest.mark.filterwarnings("error"), pytest.mark.usefixtures("empty_folder")]


def test_what_is_packed_comes_back_the_same():
    numbers, none = np.arange(6, dtype=np.float32).reshape(2, 3), np.empty((0, 128), np.uint8)
    about, arrays = unpack(pack({"key": "a\nb"}, numbers=numbers, none=none))
    assert about == {"key": "a\nb"}
    assert (arrays["numbers"] == numbers).all()
    assert (arrays["none"].dtype, arrays["none"].shape) == (np.uint8, (0, 128))


def test_a_known_file_gives_the_same_fingerprint_from_the_store(empty_folder):
    path, store = empty_folder / "a.png", open_store()
    path.write_bytes(stored(texture(1)))
    first, new = take(path, store)
    store.put(new)
    again, nothing_new = take(path, store)
    assert nothing_new == []
    assert again.pack() == first.pack() == Fingerprint.unpack(first.pack()).pack()
    assert first.is_comparable
    assert (first.facts.width, first.facts.height, first.facts.error) == (200, 150, "")


def test_a_signature_is_the_same_from_cache_and_file(empty_folder):
    path, store = empty_folder / "a.png", open_store()
    path.write_bytes(stored(texture(1)))
    first, new = take(path, store)
    from_file = load_signature(path, first.key, store)
    store.put(new)
    from_store = load_signature(path, first.key, store).arrays()
    assert all((from_store[name] == value).all() for name, value in from_file.arrays().items())


def test_tones_are_mean_colour_and_brightness_of_the_rim():
    pixels = np.zeros((128, 128, 3), np.uint8)
    pixels[16:-16, 16:-16, 0] = 255
    red, green, blue, rim = tones(pixels)
    assert red == pytest.approx(0.75**2, abs=0.01)
    assert (green, blue, rim) == (0, 0, 0)
