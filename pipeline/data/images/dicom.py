"""Read one frame of a DICOM file as stored values or colours, with the windows that the file declares.

Only the elements that describe pixels are read: no name, date or identifier is in memory, so that none can be in a message.
Sizes are checked against the limits before a pixel is decoded, also those inside compressed frames.
"""

import io
import logging
import warnings
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import IO, Any

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.pixels import get_decoder
from pydicom.tag import Tag
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from pipeline.core.errors import DataError
from pipeline.data.images import codestream
from pipeline.data.images.limits import check_size
from pipeline.data.images.lookup_tables import own_window, to_units
from pipeline.data.images.palettes import palette_colours
from pipeline.data.images.stored_values import StoredValues, in_stored_bits

# pydicom warns of harmless oddities, and its log may quote values. Set once: see `decoding`.
warnings.filterwarnings("ignore", module=r"pydicom(\.|$)")
logging.getLogger("pydicom").setLevel(logging.CRITICAL)
MAX_INFLATED = 160_000_000  # bytes of a deflated file: more than 50 megapixels of RGB take
MOST_FRAMES = 65_535
# Of a file's elements, and items of a sequence of frames: pydicom takes 14 us and 1.3 kB for an item of 8 bytes.
MOST_READS, MOST_ITEMS = 300_000, 200_000
ITEMS = b"\xfe\xff\x00\xe0", b"\xff\xfe\xe0\x00"  # what an item begins with in both byte orders
SEQUENCES = [
    Tag(name)
    for name in (
        "ModalityLUTSequence",
        "VOILUTSequence",
        "SharedFunctionalGroupsSequence",
        "PerFrameFunctionalGroupsSequence",
    )
]
TOO_MANY = "has more elements and frames than are read (some 100,000); export some of its frames as files of their own"
NO_PIXELS = "is a DICOM file without pixels: a report, a plan or a list, or it is cut off"
GREYS = ("MONOCHROME1", "MONOCHROME2")
COLOURS = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT", "PALETTE COLOR")
DATA = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
TAGS = [
    *(
        "SpecificCharacterSet SOPClassUID Modality Rows Columns NumberOfFrames SamplesPerPixel PhotometricInterpretation "
        "PlanarConfiguration BitsAllocated BitsStored HighBit PixelRepresentation RescaleSlope RescaleIntercept "
        "ModalityLUTSequence VOILUTSequence WindowCenter WindowWidth VOILUTFunction SharedFunctionalGroupsSequence "
        "PerFrameFunctionalGroupsSequence ExtendedOffsetTable ExtendedOffsetTableLengths PixelPaddingValue"
    ).split(),
    *(f"{colour}PaletteColorLookupTableDescriptor" for colour in ("Red", "Green", "Blue")),
    *(f"{colour}PaletteColorLookupTableData" for colour in ("Red", "Green", "Blue")),
    *(f"Segmented{colour}PaletteColorLookupTableData" for colour in ("Red", "Green", "Blue")),
]


# As numbers: pydicom looks each keyword up again for every file, which takes as long as reading the file.
HEADER_TAGS = [Tag(name) for name in TAGS]
PADDING = Tag("PixelPaddingValue")
OVERLAY_BIT = Tag(0x60000102)  # the bit of a pixel in which an overlay is hidden
ALL_TAGS = [*HEADER_TAGS, OVERLAY_BIT, *(Tag(name) for name in DATA)]


class BoundedBytes(io.BytesIO):
    """The bytes of a file that may be read in MOST_READS pieces: each element and each item takes one and more."""

    n_reads = 0

    def read(self, size: int | None = -1, /) -> bytes:
        """Return the next bytes; raise DataError after too many pieces."""
        self.n_reads += 1
        if self.n_reads > MOST_READS:
            raise DataError(TOO_MANY)
        return super().read(size)


@dataclass(frozen=True)
class DicomImage:
    """A DICOM file whose sizes were checked: width and height in px, and what it takes to decode a frame."""

    width: int
    height: int
    n_frames: int
    photometric: str
    dataset: Dataset

    @property
    def mode(self) -> str:
        """What the file holds, for samples.csv: MONOCHROME2 12 bits."""
        bits = self.dataset.get("BitsStored") or self.dataset.get("BitsAllocated") or 32
        return f"{self.photometric} {bits} bits"

    def read_frame(self, frame: int | None = None) -> StoredValues:
        """Return the values of a frame, counted from 1; None: the middle one, the only one of most files."""
        number = frame or self.n_frames // 2 + 1
        if number > self.n_frames:
            raise DataError(f"has {self.n_frames} frames; there is no frame {number}")
        values, oddity = self._decoded(number - 1)
        if self.photometric == "PALETTE COLOR":
            return replace(colours(palette_colours(values, self.dataset)), oddity=oddity)
        if values.ndim == 3:
            seen = colours(values, int(self.dataset.get("BitsStored", 8)))
            return replace(seen, oddity=oddity or seen.oddity)
        return self._grey(values, number - 1, oddity)

    def _grey(self, values: np.ndarray, index: int, oddity: str) -> StoredValues:
        ds = self.dataset
        is_float = values.dtype.kind == "f"
        stored = 32 if is_float else int(ds.get("BitsStored") or ds.BitsAllocated)
        signed = not is_float and ds.get("PixelRepresentation", 0) == 1
        if not is_float:
            raw = values
            values = in_stored_bits(values, stored, signed, int(ds.get("HighBit") or stored - 1) - stored + 1)
            if values is not raw and not oddity and self._is_beyond(raw, stored):
                oddity = f"holds values of more than the {stored} bits that its header says: they are cut off"
        low, high = (-(2 ** (stored - 1)), 2 ** (stored - 1) - 1) if signed else (0, 2**stored - 1)
        if is_float:
            finite = values[np.isfinite(values)]
            low, high = (float(finite.min()), float(finite.max())) if finite.size else (0, 1)
            high = high if high > low else low + 1
        groups = list(groups_of(ds, index))
        units, ends = to_units(ds, groups, signed, (float(low), float(high)))
        padding = ds[PADDING].value if PADDING in ds else None
        return StoredValues(
            values, *ends, units, own_window(ds, groups, signed), self.photometric == "MONOCHROME1", True, stored,
            has_range=not is_float, padding=padding if isinstance(padding, int) else None, oddity=oddity,
        )  # fmt: skip

    def _is_beyond(self, raw: np.ndarray, stored: int) -> bool:
        """Return whether integers have more bits than are stored, which are no overlay; a missing sign is no bit."""
        ds = self.dataset
        if int(ds.get("HighBit") or stored - 1) != stored - 1 or ds.get(OVERLAY_BIT):
            return False
        return bool(raw.max() >= 2**stored or raw.min() < -(2 ** (stored - 1)))

    def _decoded(self, index: int) -> tuple[np.ndarray, str]:
        """Return the values of the frame at `index`, and what is wrong with the length of the pixels, or ""."""
        ds, oddity = self.dataset, ""
        syntax = ds.file_meta.TransferSyntaxUID
        keyword = next((name for name in DATA if name in ds), None)
        if keyword is None:
            raise DataError(NO_PIXELS)
        data = ds[keyword].value
        if not data:
            raise DataError("is a DICOM file whose pixel data are empty")
        if syntax.is_compressed and syntax != DeflatedExplicitVRLittleEndian:
            codestream.check(ds, index, self.n_frames, self.width, self.height)
        else:
            frame, oddity = self._native(data, index, keyword, syntax)
            if frame:
                return frame[0], oddity
        decoder = get_decoder(syntax)
        return decoder.as_array(ds, index=index)[0], oddity

    def _native(self, data: bytes, index: int, keyword: str, syntax: str) -> tuple[list[np.ndarray], str]:
        """Return uncompressed grey values in a list, little-endian ones without a copy; an empty list for what pydicom arranges.

        Also returns what is said of a file that holds at least twice the pixels that its header says, or "".
        Raises DataError where fewer bytes are there than the header says.
        """
        ds = self.dataset
        bits, samples = int(ds.BitsAllocated), int(ds.get("SamplesPerPixel", 1))
        per_pixel = 2 if self.photometric == "YBR_FULL_422" else samples
        length = (self.width * self.height * per_pixel * bits + 7) // 8
        needed = (self.width * self.height * per_pixel * bits * self.n_frames + 7) // 8
        if len(data) < needed:
            raise DataError(f"holds {len(data)} bytes of pixels, where its header says {needed}: it is cut off")
        oddity = ""
        if len(data) >= 2 * needed:
            oddity = f"holds {len(data)} bytes of pixels, where its header says {needed}: the rest is not shown"
        is_big = syntax == ExplicitVRBigEndian
        if keyword != "PixelData" or bits not in (8, 16) or samples != 1 or (is_big and bits == 8):
            return [], oddity
        kind = f"{'>' if is_big else '<'}{'i' if ds.get('PixelRepresentation', 0) == 1 else 'u'}{bits // 8}"
        values = np.frombuffer(data, kind, self.width * self.height, index * length)
        return [values.reshape(self.height, self.width).astype(values.dtype.newbyteorder("="), copy=False)], oddity


def colours(values: np.ndarray, stored: int | None = None) -> StoredValues:
    """Return colours, uint8 or uint16 (height, width, 3)."""
    if values.dtype == np.uint8:
        return StoredValues(values[..., :3], 0, 255, is_dicom=True, n_bits=8)
    bits, top = stored or (16 if values.max() > 255 else 8), int(values.max())
    dark = f"holds colours that are nearly black, up to {top} of {2**bits - 1}" if 0 < top < 2**bits / 16 else ""
    return StoredValues(values[..., :3], 0, 2**bits - 1, is_dicom=True, n_bits=8, oddity=dark)


def groups_of(dataset: Dataset, index: int) -> Iterator[Dataset]:
    """Yield the functional groups of a frame of an enhanced file: its own, then the shared ones."""
    per_frame = dataset.get("PerFrameFunctionalGroupsSequence") or []
    if index < len(per_frame):
        yield per_frame[index]
    yield from (dataset.get("SharedFunctionalGroupsSequence") or [])[:1]


def parse(data: bytes) -> DicomImage:
    """Return the image in the bytes of a DICOM file; raise DataError for what is beyond the limits or has no pixels."""
    return described(read_dataset(data, ALL_TAGS))


def parse_header(file: IO[bytes]) -> DicomImage:
    """Return what `parse` does without the pixels of an open file."""
    return described(read_elements(file, HEADER_TAGS), False)


def read_elements(file: IO[bytes], tags: list[Any]) -> Dataset:
    """Return some elements of an open file, without its pixels."""
    file.seek(0)
    start = file.read(4096)
    file.seek(0)
    if DeflatedExplicitVRLittleEndian.encode() in start:
        return read_dataset(file.read(), tags)
    return with_syntax(pydicom.dcmread(file, force=True, stop_before_pixels=True, specific_tags=list(tags)))


def read_dataset(data: bytes, tags: list[Any], **options: Any) -> Dataset:
    """Return some elements of a file; a deflated one is unpacked first, up to MAX_INFLATED bytes."""
    if DeflatedExplicitVRLittleEndian.encode() not in data[:4096]:
        return with_syntax(pydicom.dcmread(BoundedBytes(data), force=True, specific_tags=list(tags), **options))
    file = io.BytesIO(data)
    from pydicom.filereader import _read_file_meta_info, read_preamble

    read_preamble(file, force=True)
    _read_file_meta_info(file)
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    content = inflate.decompress(data[file.tell() :], MAX_INFLATED)
    if inflate.unconsumed_tail:
        raise DataError(f"is over {MAX_INFLATED // 1_000_000} MB when inflated, larger than any accepted image")
    return with_syntax(pydicom.dcmread(BoundedBytes(content), force=True, specific_tags=list(tags), **options))


def with_syntax(dataset: Dataset) -> Dataset:
    """Return a data set that names its transfer syntax; one without is uncompressed, in the order it was read in."""
    if not getattr(dataset, "file_meta", None):
        dataset.file_meta = FileMetaDataset()
    if not dataset.file_meta.get("TransferSyntaxUID"):
        implicit, little = dataset.original_encoding
        explicit = ExplicitVRLittleEndian if little else ExplicitVRBigEndian
        dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else explicit
    return dataset


def described(dataset: Dataset, with_pixels: bool = True) -> DicomImage:
    """Return an image after its sizes were checked; raise DataError otherwise."""
    for tag in SEQUENCES:
        raw = dataset.get_item(tag).value if tag in dataset else None
        if isinstance(raw, bytes) and sum(map(raw.count, ITEMS)) > MOST_ITEMS:
            raise DataError(TOO_MANY)
    if "Rows" not in dataset or "Columns" not in dataset:
        raise DataError(NO_PIXELS)
    if with_pixels and not any(name in dataset for name in DATA):
        raise DataError(NO_PIXELS)
    width, height = int(dataset.Columns), int(dataset.Rows)
    check_size(width, height)
    n_frames = int(dataset.get("NumberOfFrames") or 1)
    if not 1 <= n_frames <= MOST_FRAMES:
        raise DataError(f"says that it has {n_frames} frames; expected 1 to {MOST_FRAMES}")
    allocated = int(dataset.get("BitsAllocated") or 32)
    stored = int(dataset.get("BitsStored") or allocated)
    if not 1 <= stored <= allocated:
        raise DataError(f"says that {stored} bits are stored in {allocated}: its header is damaged")
    photometric = str(dataset.get("PhotometricInterpretation") or "MONOCHROME2").strip()
    if photometric not in (*GREYS, *COLOURS):
        known = ", ".join((*GREYS, *COLOURS))
        raise DataError(f"has the photometric interpretation {photometric[:20]!r}; expected one of {known}")
    syntax = dataset.file_meta.TransferSyntaxUID
    try:
        get_decoder(syntax)
    except NotImplementedError:
        raise DataError(
            f"is compressed in a way that is not read ({syntax.name[:60]}); export it uncompressed, for instance with dcmdjpeg"
        ) from None
    return DicomImage(width, height, n_frames, photometric, dataset)
