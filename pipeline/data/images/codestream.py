"""Check compressed DICOM frames before they are decoded: a frame must be as large as the header says."""

from pydicom.dataset import Dataset
from pydicom.encaps import get_frame
from pydicom.uid import RLELossless

from pipeline.core.errors import DataError

JPEG, IMAGE_SIZE = b"\xff\xd8", b"\xff\x4f\xff\x51"
JP2 = b"\x00\x00\x00\x0cjP  "  # begins the first box of a JP2 file, which some write into DICOM; it has FIRST_BOX bytes
FIRST_BOX, SMALLEST_BOX, CODESTREAM = 12, 8, b"jp2c"
NO_SIZE = {0xC4, 0xC8, 0xCC}  # markers between C0 and CF that start no frame
JPEG_LS = 0xF7
RLE_HEADER = 64  # bytes


def check(dataset: Dataset, index: int, n_frames: int, width: int, height: int) -> None:
    """Raise DataError unless the frame at `index` (from 0) holds width x height px, as its own header says."""
    table = None
    if dataset.get("ExtendedOffsetTable") and dataset.get("ExtendedOffsetTableLengths"):
        table = (dataset.ExtendedOffsetTable, dataset.ExtendedOffsetTableLengths)
    frame = get_frame(dataset.PixelData, index, number_of_frames=n_frames, extended_offsets=table)
    if dataset.file_meta.TransferSyntaxUID == RLELossless:
        check_rle(frame, width * height)
        return
    check_boxes(frame)
    size = size_of(frame)
    if size is None:
        raise DataError(f"its compressed frame {index + 1} has no size: it is cut off or damaged")
    if size != (width, height):
        raise DataError(
            f"its compressed frame {index + 1} is {size[0]}x{size[1]} px, where the header says {width}x{height}"
        )


def check_boxes(frame: bytes) -> None:
    """Raise DataError for a JP2 file whose boxes do not lead to its codestream: pydicom would follow an empty one forever."""
    start = FIRST_BOX if frame.startswith(JP2) else len(frame)
    while start < len(frame) and frame[start + 4 : start + 8] != CODESTREAM:
        length = int.from_bytes(frame[start : start + 4], "big")
        if length < SMALLEST_BOX:
            raise DataError("its JPEG 2000 frame has a box without a length: it is damaged")
        start += length


def size_of(frame: bytes) -> tuple[int, int] | None:
    """Return width and height of a JPEG, JPEG-LS or JPEG 2000 frame in px, None where it has none."""
    start = frame.find(IMAGE_SIZE)
    if not frame.startswith(JPEG) and start >= 0:
        numbers = [int.from_bytes(frame[start + offset : start + offset + 4], "big") for offset in (8, 12, 16, 20)]
        return numbers[0] - numbers[2], numbers[1] - numbers[3]
    offset = frame.find(JPEG) + 2
    while 2 <= offset < len(frame) - 8:
        if frame[offset] != 0xFF:
            return None
        marker = frame[offset + 1]
        if marker == 0xFF or marker in range(0xD0, 0xD8):  # padding, or a marker without content
            offset += 1 if marker == 0xFF else 2
            continue
        if (0xC0 <= marker <= 0xCF and marker not in NO_SIZE) or marker == JPEG_LS:
            return int.from_bytes(frame[offset + 7 : offset + 9], "big"), int.from_bytes(
                frame[offset + 5 : offset + 7], "big"
            )
        offset += 2 + int.from_bytes(frame[offset + 2 : offset + 4], "big")
    return None


def check_rle(frame: bytes, n_pixels: int) -> None:
    """Raise DataError for a run-length encoded frame of which a segment unpacks to more bytes than there are pixels."""
    n_segments = int.from_bytes(frame[:4], "little")
    if len(frame) < RLE_HEADER or not 1 <= n_segments <= 15:
        raise DataError("its run-length encoded frame has no header: it is cut off or damaged")
    starts = [int.from_bytes(frame[4 * i : 4 * i + 4], "little") for i in range(1, n_segments + 1)]
    for start, end in zip(starts, [*starts[1:], len(frame)], strict=True):
        offset, n_bytes = start, 0
        while offset < end and n_bytes <= n_pixels + 1:
            count = frame[offset] if offset < len(frame) else 128
            n_bytes += count + 1 if count < 128 else 257 - count if count > 128 else 0
            offset += count + 2 if count < 128 else 2 if count > 128 else 1
        if n_bytes > n_pixels + 1:
            raise DataError(f"its run-length encoded frame unpacks to more than its {n_pixels} px: it is damaged")
