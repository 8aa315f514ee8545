"""Add to samples what the headers of DICOM files say: the group, columns, and a sample for each frame where that is asked for."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from pipeline.core.read_params import ReadParams
from pipeline.data.columns.words import plain, spelling
from pipeline.data.dicom.dicom_index import PERSONAL
from pipeline.data.dicom.headers import COLUMNS, DicomHeader, read_headers
from pipeline.data.dicom.patient_hash import COARSEST, KINDS, finest_of, group_of_ids, hashed, is_told
from pipeline.data.folders.sample_files import Sample


def describe(samples: list[Sample], root: Path, read: ReadParams) -> list[Sample]:
    """Return the samples with what their headers say; those of other formats have empty columns.

    Where there is a DICOM file, groups of any origin become salted hashes, and columns of a CSV such as PatientName are left out.
    A group by `read.dicom_group` is a salted hash, of a finer identifier where a file lacks that one. With `read.frames: all` a
    file of several frames becomes a sample for each, path#1 to path#n, all of one group.
    """
    headers = read_headers(root, (sample.path for sample in samples))
    if not headers:
        return samples
    return [frame for sample in samples for frame in with_header(sample, headers.get(sample.path), read)]


def with_header(sample: Sample, header: DicomHeader | None, read: ReadParams) -> list[Sample]:
    """Return the samples that a file is, with its columns; the CSV's own columns of the same name come first."""
    columns = dict.fromkeys(COLUMNS, "")
    if header:
        columns = header.columns | {"series": hashed("series", header.ids["SeriesInstanceUID"])}
    own = {name: value for name, value in sample.extra.items() if plain(name) not in PERSONAL}
    extra = {(f"dicom_{name}" if name in own else name): value for name, value in columns.items()}
    sample = replace(sample, extra=own | extra, group=hashed("group", sample.group))
    if header is None:
        return [sample]
    if read.dicom_group and not sample.group:
        sample = replace(sample, group=group_of_ids(header.ids, read.dicom_group))
    if read.frames == "middle" or header.n_frames == 1:
        return [sample]
    group = sample.group or hashed(KINDS["SOPInstanceUID"], header.ids["SOPInstanceUID"] or sample.path)
    return [replace(sample, path=f"{sample.path}#{number}", group=group) for number in range(1, header.n_frames + 1)]


def group_attribute(headers: Sequence[DicomHeader]) -> str | None:
    """Return the identifier by which files are one patient's: the coarsest of which there are several, None without."""
    for attribute in COARSEST:
        if len({header.ids[attribute] for header in headers if is_told(header.ids[attribute])}) > 1:
            return attribute
    return None


def numbered(headers: dict[str, DicomHeader], attribute: str) -> dict[str, str]:
    """Return the group of each path by an identifier, as patient 1, patient 2 ...: nothing of the identifier, and no key."""
    numbers: dict[tuple[str, str], int] = {}
    groups = {}
    for path, header in sorted(headers.items()):
        if name := finest_of(header.ids, attribute):
            identifier = spelling(header.ids[name]) if name == "PatientID" else header.ids[name]
            groups[path] = f"{KINDS[name]} {numbers.setdefault((name, identifier), len(numbers) + 1)}"
    return groups


def about(headers: dict[str, DicomHeader], read: ReadParams) -> list[tuple[str, str]]:
    """Return what is told of DICOM files as (title, text): frames, burned-in text, paths that name a patient."""
    several = [path for path, header in headers.items() if header.n_frames > 1]
    burned_in = [path for path, header in headers.items() if header.is_burned_in]
    telling = [path for path, header in headers.items() if names_somebody(path, header)]
    lines = []
    attribute = read.dicom_group
    lacking = [header for header in headers.values() if attribute and not is_told(header.ids[attribute])]
    if lacking and attribute:
        n_alone = sum(not finest_of(header.ids, attribute) for header in lacking)
        also = f"; {n_alone} have none of these, and each counts as another patient" if n_alone else ""
        lines.append(
            ("warning", f"{len(lacking)} of {len(headers)} files have no {attribute}: their study or series is their group{also}")
        )  # fmt: skip
    if several and read.frames == "middle":
        lines.append(
            ("frames", f"{len(several)} files have several: the middle one is the sample; read.frames: all takes each")
        )
    if burned_in:
        lines.append(
            ("warning", f"{len(burned_in)} files say that text is burned into their pixels (BurnedInAnnotation): it may name the "
             "patient, and tell the class")
        )  # fmt: skip
    if telling:
        lines.append(
            ("warning", f"the paths of {len(telling)} files hold an identifier, name or date of their header: they stand in "
             "data/ and in the audit, so rename the files before you share these")
        )  # fmt: skip
    return lines


def names_somebody(path: str, header: DicomHeader) -> bool:
    """Return whether a path holds one of the file's identifiers, its patient's name or a date."""
    words = set(re.findall(r"[^\W\d_]+|\d+", path.casefold()))
    texts = (re.findall(r"[^\W\d_]+|\d+", text.casefold()) for text in header.telling)
    named = any(parts and max(map(len, parts)) > 2 and words.issuperset(parts) for parts in texts)
    return named or any(is_in(identifier, path) for identifier in header.ids.values())


def is_in(identifier: str, path: str) -> bool:
    """Return whether an identifier is a part of a path: short ones only as a whole name."""
    parts: Iterable[str] = path.replace(".dcm", "").split("/")
    return bool(identifier) and (identifier in parts or (len(identifier) > 7 and identifier in path))
