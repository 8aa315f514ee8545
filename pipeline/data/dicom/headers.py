"""Read the elements of a DICOM header that are used: identifiers, which stay in memory, and columns of samples.csv."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pipeline.data.folders.sample_files import suffix_of
from pipeline.data.images.dicom_files import is_dicom
from pipeline.data.images.limits import DICOM_SUFFIXES, HEAD

IDS = ("SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID", "PatientID")  # the finest first
TELLING = ("PatientName", "PatientBirthDate", "StudyDate")
OLD = 89  # years: older patients are few, and told together
DAYS = {"D": 1, "W": 7, "M": 30.4375, "Y": 365.25}
# Columns of samples.csv and the elements that they come from.
COLUMNS = {
    "modality": "Modality",
    "manufacturer": "Manufacturer",
    "body_part": "BodyPartExamined",
    "view": "ViewPosition",
    "burned_in": "BurnedInAnnotation",
    "patient_sex": "PatientSex",
    "patient_age": "PatientAge",
    "series": "SeriesInstanceUID",
}
LONGEST = 64  # characters of a code: longer ones are no codes


@dataclass(frozen=True)
class DicomHeader:
    """What a file says of itself. `ids`: identifiers by attribute, never to be written; `columns`: what samples.csv gets,
    apart from the hash of the series; `telling`: the patient's name and the dates, which are looked for in paths.
    """

    ids: dict[str, str]
    columns: dict[str, str]
    n_frames: int
    telling: tuple[str, ...] = ()

    @property
    def is_burned_in(self) -> bool:
        """Whether the file says that text is burned into its pixels."""
        return self.columns["burned_in"] == "YES"


def may_be_dicom(path: str) -> bool:
    """Return whether a file may be DICOM by its name."""
    return suffix_of(path) in (*DICOM_SUFFIXES, "")


def read_headers(root: Path, paths: Iterable[str]) -> dict[str, DicomHeader]:
    """Return the header of each path below `root` that is a DICOM file; damaged ones are left out."""
    headers = {path: read_header(root / path) for path in paths if may_be_dicom(path)}
    return {path: header for path, header in headers.items() if header is not None}


def read_header(path: Path) -> DicomHeader | None:
    """Return the header of a file, None for what is no DICOM file or cannot be read."""
    try:
        status = path.stat()
        return _read(path, status.st_mtime_ns, status.st_size) if path.is_file() else None
    except OSError:
        return None


@lru_cache(maxsize=100_000)
def _read(path: Path, *_: int) -> DicomHeader | None:
    with path.open("rb") as file:
        start = file.read(HEAD)
        if not is_dicom(start):
            return None
        from pipeline.data.images import dicom  # pydicom is loaded for the first DICOM file

        try:
            file.seek(0)
            dataset = dicom.read_elements(file, [*IDS, *COLUMNS.values(), *TELLING, "NumberOfFrames"])
            texts = {name: str(dataset.get(name) or "").strip() for name in (*IDS, *COLUMNS.values(), *TELLING)}
            n_frames = int(dataset.get("NumberOfFrames") or 1)
        except Exception:  # pydicom raises all kinds of errors for damaged files; decoding says what is wrong
            return None
    columns = {column: code(texts[name]) for column, name in COLUMNS.items()}
    columns |= {"patient_age": years(texts["PatientAge"]), "series": ""}
    telling = tuple(texts[name] for name in TELLING if texts[name])
    return DicomHeader({name: texts[name] for name in IDS}, columns, n_frames, telling)


def code(text: str) -> str:
    """Return the text of a coded element on one line, "" for what is no code."""
    text = re.sub(r"\s+", " ", text)
    return text if len(text) <= LONGEST and text.isprintable() else ""


def years(text: str) -> str:
    """Return an age such as 045Y or 006M in years, "" for what is none; over OLD years it is OLD + 1."""
    match = re.fullmatch(r"(\d{1,3})([DWMY])", text.upper())
    if match is None:
        return ""
    age = int(match[1]) * DAYS[match[2]] / DAYS["Y"]
    return str(OLD + 1) if age > OLD else f"{age:.4g}"
