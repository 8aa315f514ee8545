"""Recognise DICOM files by their first bytes, and name one frame of a file. Needs no pydicom."""

import re

PREAMBLE = 128  # bytes before the letters DICM
GROUPS = (b"\x02\x00", b"\x08\x00")  # a file without preamble begins with an element of one of these
VRS = {b"AE", b"CS", b"DA", b"LO", b"OB", b"PN", b"SH", b"SQ", b"TM", b"UI", b"UL", b"DT", b"ST", b"LT", b"IS", b"US"}
BIG = b"\x00\x08"  # the same in big-endian order
FRAME = re.compile(r"(.+)#(\d{1,5})")


class FrameBytes(bytes):
    """The bytes of a file with several frames, of which one, counted from 1, is meant."""

    frame: int

    @classmethod
    def of(cls, data: bytes, frame: int) -> "FrameBytes":
        """Return the bytes with the number of a frame."""
        frame_bytes = cls(data)
        frame_bytes.frame = frame
        return frame_bytes


def is_dicom(start: bytes) -> bool:
    """Return whether a file is DICOM, by its first HEAD bytes; some have no preamble."""
    if start[PREAMBLE : PREAMBLE + 4] == b"DICM":
        return True
    if start[:2] not in (*GROUPS, BIG) or len(start) < 16:
        return False
    if start[4:6] in VRS:
        return True
    # implicit VR: the length of the first element, which is a short text or number
    return start[:2] in GROUPS and 0 < int.from_bytes(start[4:8], "little") <= 256 and start[2:4] < b"\x80"


def split_frame(path: str) -> tuple[str, int] | None:
    """Return the file and the number of the frame in a path such as scan.dcm#3; None for other paths."""
    match = FRAME.fullmatch(path)
    return (match[1], int(match[2])) if match else None
