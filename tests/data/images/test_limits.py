"""What is no accepted image is refused, with what to do."""

import gzip
import tracemalloc

import pytest

from pipeline.core.errors import DataError
from pipeline.data.images import decoding
from tests.helpers.samples import encoded, noise, png_header

# what is refused


def test_an_empty_file_is_refused():
    with pytest.raises(DataError, match=r"not a readable image \(0 bytes\)"):
        decoding.decode(b"")


@pytest.mark.parametrize("data", [b"this is no image", b"GIF89a", bytes(5000), b"<svg></svg>"])
def test_other_data_is_refused_with_the_accepted_formats(data):
    with pytest.raises(DataError, match="expected one of JPEG, PNG, BMP, TIFF, WEBP"):
        decoding.decode(data)


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.95])
@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "BMP", "TIFF", "WEBP"])
def test_a_truncated_file_is_an_error_not_half_an_image(file_format, kept):
    data = encoded(noise(0, 200, 200), file_format)
    with pytest.raises(DataError, match="not a readable image"):
        decoding.decode(data[: int(kept * len(data))])


@pytest.mark.parametrize("file_format", ["PNG", "WEBP", "TIFF"])
def test_several_frames_are_refused_with_their_number(file_format):
    data = encoded(noise(), file_format, save_all=True, append_images=[noise(1), noise(2)])
    with pytest.raises(DataError, match="has 3 frames; export one frame"):
        decoding.decode(data)


def test_an_animated_gif_is_refused():
    with pytest.raises(DataError, match="expected one of JPEG"):
        decoding.decode(encoded(noise(), "GIF", save_all=True, append_images=[noise(1)]))


@pytest.mark.parametrize("size", [(15, 200), (200, 15), (1, 1)])
def test_an_image_under_16_px_is_refused(size):
    with pytest.raises(DataError, match=f"is {size[0]}x{size[1]} px; at least 16 px"):
        decoding.decode(encoded(noise(0, *size)))


def test_an_image_of_16_px_is_accepted():
    assert decoding.decode(encoded(noise(0, 16, 16))).width == 16


@pytest.mark.parametrize("size", [(60_000, 60_000), (2**31 - 1, 2**31 - 1), (50_000_001, 16)])
def test_a_decompression_bomb_is_refused_before_it_is_decoded(size):
    data = png_header(*size)
    tracemalloc.start()
    with pytest.raises(DataError, match="over 50 megapixels; scale it down"):
        decoding.decode(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


@pytest.mark.parametrize(
    ("data", "hint"),
    [
        (bytes(344) + b"n+1\0" + bytes(400), "a NIfTI volume: export its slices"),
        (bytes(344) + b"ni1\0" + bytes(400), "a NIfTI volume: export its slices"),
        (bytes(4) + b"n+2\0\r\n\x1a\n" + bytes(600), "a NIfTI volume: export its slices"),
        (
            gzip.compress(bytes(344) + b"n+1\0", mtime=0),
            "a gzip file: unpack it; if it is a NIfTI volume: export its slices",
        ),
    ],
    ids=["nifti", "nifti pair", "nifti 2", "gzip"],
)
def test_medical_formats_are_refused_with_an_export_hint(data, hint):
    with pytest.raises(DataError, match=hint):
        decoding.decode(data)
