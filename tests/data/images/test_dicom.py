"""DICOM files decode as pydicom's own pipeline does, within a level, and hostile ones are refused before memory is spent."""

import io
import zlib
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.pixels import apply_color_lut, apply_modality_lut, apply_voi_lut
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
)

from pipeline.core.errors import DataError
from pipeline.data.images import decoding, limits
from pipeline.data.images.pixel_rule import PixelRule
from tests.helpers.dicom import dataset, dicom, to_bytes
from tests.helpers.dicom_pixels import G12, HOUNSFIELD, OWN, X, compressed, grey, peak_of

FOLDER = Path(pydicom.__file__).parent / "data"
FILES = sorted(path for path in FOLDER.rglob("*") if path.suffix in (".dcm", "") and path.is_file())
# Of the files with pixels that pydicom ships, those that are refused: pydicom cannot decode them either.
REFUSED = {
    "JPEG-lossy.dcm": "not a readable image",
    "JPEG2000-embedded-sequence-delimiter.dcm": "its compressed frame 1 is",
    "MR_truncated.dcm": "it is cut off",
    "badVR.dcm": "not a readable image",
}
NO_PIXELS = "is a DICOM file without pixels|not a readable image; expected one of"


def by_pydicom(path: Path) -> np.ndarray | None:
    """Return the pixels by pydicom's pipeline, float (height, width, 3) in 0..255; None for a file without any."""
    ds = pydicom.dcmread(path, force=True)
    if "Rows" not in ds or not any(name in ds for name in ("PixelData", "FloatPixelData")) or "BitsAllocated" not in ds:
        return None
    if "TransferSyntaxUID" not in ds.file_meta:
        implicit, little = ds.original_encoding
        explicit = ExplicitVRLittleEndian if little else ExplicitVRBigEndian
        ds.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else explicit
    values = ds.pixel_array
    n_frames = int(ds.get("NumberOfFrames") or 1)
    values = values[n_frames // 2] if n_frames > 1 else values
    if ds.PhotometricInterpretation == "PALETTE COLOR":
        colours = apply_color_lut(values, ds)
        return colours / (257 if colours.dtype == np.uint16 else 1)
    if values.ndim == 3:
        return values / ((2.0**ds.BitsStored - 1) / 255)
    low, high = (
        (-(2 ** (ds.BitsStored - 1)), 2 ** (ds.BitsStored - 1) - 1)
        if ds.PixelRepresentation
        else (0, 2**ds.BitsStored - 1)
    )
    slope, intercept = float(ds.get("RescaleSlope") or 1), float(ds.get("RescaleIntercept") or 0)
    low, high = sorted((low * slope + intercept, high * slope + intercept))
    shown = ((apply_voi_lut(apply_modality_lut(values, ds), ds) - low) / (high - low)).clip(0, 1) * 255
    return (255 - shown if ds.PhotometricInterpretation == "MONOCHROME1" else shown)[..., None].repeat(3, axis=-1)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(FOLDER).as_posix())
def test_pixels_are_those_of_pydicom_within_a_level(path, monkeypatch):
    monkeypatch.setattr(limits, "MIN_SIDE", 1)  # some are 3x3 px
    if path.name in REFUSED:
        with pytest.raises(DataError, match=REFUSED[path.name]):
            decoding.decode(path.read_bytes(), OWN)
        return
    expected = by_pydicom(path)
    if expected is None:
        with pytest.raises(DataError, match=NO_PIXELS):
            decoding.decode(path.read_bytes(), OWN)
        return
    assert np.abs(decoding.decode(path.read_bytes(), OWN).pixels - expected).max() <= 1


def test_most_of_the_shipped_files_have_pixels():
    names = {path.name for path in FILES}
    assert set(REFUSED) <= names
    assert len(names) > 100


def test_bits_beside_the_stored_ones_are_no_values():
    overlay = (G12 % 2 * 0x8000).astype(np.uint16)
    assert np.array_equal(grey(dicom(G12 | overlay, BitsStored=12)), grey(dicom(G12, BitsStored=12)))
    shifted = dicom(G12 << 4, BitsStored=12, HighBit=15)
    assert np.array_equal(grey(shifted), grey(dicom(G12, BitsStored=12)))


def test_a_sign_in_the_middle_of_a_word_counts():
    twelve = (HOUNSFIELD.astype(int) & 0xFFF).astype(np.uint16)
    assert np.array_equal(
        grey(dicom(twelve, BitsStored=12, PixelRepresentation=1), "lung"), grey(dicom(HOUNSFIELD), "lung")
    )


@pytest.mark.parametrize("planar", [0, 1])
def test_colours_are_kept_in_both_orders(planar):
    colours = np.stack([G12 % 256, G12 // 16, G12 % 7], axis=-1).astype(np.uint8)
    stored = colours.transpose(2, 0, 1) if planar else colours
    data = dicom(colours, PlanarConfiguration=planar, PixelData=np.ascontiguousarray(stored).tobytes())
    for intensity in ("file", None, "lung"):
        assert np.array_equal(decoding.decode(data, PixelRule(intensity)).pixels, colours)


def test_cmyk_inside_dicom_is_refused_or_shown_as_declared():
    out = io.BytesIO()
    Image.new("CMYK", (64, 48), (10, 200, 30, 0)).save(out, "JPEG")
    ds = dataset(np.zeros((48, 64, 3), np.uint8))
    ds.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    ds.PixelData = encapsulate([out.getvalue()])
    with pytest.raises(DataError, match="not a readable image"):
        decoding.decode(to_bytes(ds))


def test_jpeg_2000_keeps_16_bits():
    data = compressed(G12, JPEG2000Lossless, "JPEG2000", BitsStored=16)
    assert np.array_equal(grey(data, "12 bits"), grey(dicom(G12), "12 bits"))


def test_no_preamble_and_no_meta_are_read():
    ds = dataset(G12, BitsStored=12)
    with_meta = to_bytes(ds)
    for data in (with_meta[132:], with_meta[with_meta.index(b"\x08\x00\x16\x00UI") :]):
        assert np.array_equal(grey(data), grey(with_meta))


# what is hostile


def deflated(content: bytes) -> bytes:
    """Return a deflated file with this content behind its meta information."""
    ds = dataset(G12)
    ds.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return meta_of(to_bytes(ds)) + squeeze.compress(content) + squeeze.flush()


def meta_of(data: bytes) -> bytes:
    """Return the preamble and the meta information of a file."""
    return data[: 132 + 12 + int.from_bytes(data[140:144], "little")]


def content_of(ds: Dataset) -> bytes:
    """Return a data set without its meta information."""
    data = to_bytes(ds)
    return data[len(meta_of(data)) :]


def test_a_deflated_file_is_read():
    assert np.array_equal(grey(deflated(content_of(dataset(G12, BitsStored=12)))), grey(dicom(G12, BitsStored=12)))


def test_a_deflate_bomb_is_refused(monkeypatch):
    from pipeline.data.images import dicom as reader

    monkeypatch.setattr(reader, "MAX_INFLATED", 1_000_000)
    bomb = deflated(content_of(dataset(np.zeros((8000, 8000), np.uint8))))
    assert len(bomb) < 200_000
    assert peak_of(bomb, "when inflated") < 4_000_000


@pytest.mark.parametrize(
    ("elements", "match"),
    [
        ({"Rows": 65535, "Columns": 65535}, "over 50 megapixels"),
        ({"NumberOfFrames": 65535}, "it is cut off"),
        ({"NumberOfFrames": 99999}, "says that it has 99999 frames"),
        ({"NumberOfFrames": -1}, "says that it has -1 frames"),
        ({"Rows": 4}, "at least 16 px"),
        ({"BitsAllocated": 32, "BitsStored": 32}, "it is cut off"),
        ({"PixelData": b""}, "pixel data are empty"),
        ({"PixelData": None}, "or it is cut off"),
        ({"BitsStored": 17, "HighBit": 15}, "17 bits are stored in 16"),
        ({"PhotometricInterpretation": "HSV"}, "photometric interpretation 'HSV'"),
        ({"RescaleSlope": 0, "RescaleIntercept": 5}, "rescale slope 0"),
        ({"RescaleSlope": 1, "RescaleIntercept": "-1e300"}, "cannot be told apart"),
    ],
)
def test_wrong_sizes_are_refused_before_memory_is_spent(elements, match):
    assert peak_of(dicom(G12, **elements), match) < 2_000_000


def test_video_is_refused_with_what_to_do():
    ds = dataset(G12)
    ds.file_meta.TransferSyntaxUID = UID("1.2.840.10008.1.2.4.102")
    ds.PixelData = encapsulate([b"\0" * 100])
    with pytest.raises(DataError, match="compressed in a way that is not read"):
        decoding.decode(to_bytes(ds))


@pytest.mark.parametrize(
    "tag", [b"\x08\x00\x40\x11", b"\x00\x52\x29\x92", b"\x00\x52\x30\x92"], ids=["other", "shared", "frames"]
)
@pytest.mark.parametrize("n_levels", [100, 20_000])
def test_sequences_inside_each_other_end(tag, n_levels):
    whole = dicom(G12, BitsStored=12)
    start = whole.index(b"\xe0\x7f\x10\x00" if tag[:2] == b"\x00\x52" else b"\x28\x00\x02\x00US")
    open_ended = (tag + b"SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff") * n_levels
    with pytest.raises(DataError):
        decoding.decode(whole[:start] + open_ended + whole[start:])
    inside = b""
    for _ in range(n_levels):
        item = b"\xfe\xff\x00\xe0" + len(inside).to_bytes(4, "little") + inside
        inside = tag + b"SQ\0\0" + len(item).to_bytes(4, "little") + item
        if len(inside) > 500_000:
            break
    assert np.array_equal(grey(whole[:start] + inside + whole[start:]), grey(whole))


@pytest.mark.parametrize("open_ended", [False, True])
def test_too_many_items_are_refused_before_they_are_parsed(open_ended, monkeypatch):
    from pipeline.data.images import dicom as reader

    monkeypatch.setattr(reader, "MOST_READS", 10_000)
    whole, items = dicom(G12, BitsStored=12), b"\xfe\xff\x00\xe0\0\0\0\0" * 210_000
    length = b"\xff\xff\xff\xff" if open_ended else len(items).to_bytes(4, "little")
    sequence = b"\x00\x52\x30\x92SQ\0\0" + length + items + b"\xfe\xff\xdd\xe0\0\0\0\0" * open_ended
    start = whole.index(b"\xe0\x7f\x10\x00")
    with pytest.raises(DataError, match="more elements and frames than are read"):
        decoding.decode(whole[:start] + sequence + whole[start:])


def test_random_damage_to_dicom_gives_an_image_or_data_error():
    rnd = np.random.default_rng(0)
    small = (X[:20, :24] % 256).astype(np.uint8)
    whole = [dicom(small), dicom(G12[:20, :24], WindowCenter=99, WindowWidth=9), dicom(np.stack([small] * 3, axis=-1))]
    whole += [compressed(small, JPEGBaseline8Bit, "JPEG"), compressed(small, JPEG2000Lossless, "JPEG2000")]
    whole += [to_bytes(dataset(np.stack([small] * 4))), deflated(content_of(dataset(small)))]
    whole += [(FOLDER / "test_files" / name).read_bytes() for name in ("MR_small_RLE.dcm", "SC_rgb_jpeg_dcmtk.dcm")]
    outcomes = {"image": 0, "error": 0}
    for number in range(500):
        data = bytearray(whole[number % len(whole)])
        for _ in range(rnd.choice((1, 2, 8, 30))):
            data[rnd.integers(rnd.choice((600, len(data))) if len(data) > 600 else len(data))] = rnd.integers(256)
        if rnd.random() < 0.3:
            del data[rnd.integers(len(data)) :]
        try:
            image = decoding.decode(bytes(data), OWN)
        except DataError:
            outcomes["error"] += 1
        else:
            outcomes["image"] += 1
            assert image.pixels.dtype == np.uint8
    assert min(outcomes.values()) > 50


# what must not be in a message


def test_no_message_quotes_a_name_or_a_date():
    secret = {"PatientName": "Doe^Jane", "PatientID": "4711", "PatientBirthDate": "19700101", "StudyDate": "20200202"}
    ds = dataset(G12, **secret)
    for name in ("Rows", "Columns", "BitsAllocated"):
        broken = pydicom.dcmread(io.BytesIO(to_bytes(ds)))
        del broken[name]
        with pytest.raises(DataError) as error:
            decoding.decode(to_bytes(broken))
        assert not any(word in str(error.value) for word in (*secret.values(), "Doe", "1970"))
