"""Find the DICOM files that a CSV of labels means by PatientID, StudyInstanceUID, SeriesInstanceUID or SOPInstanceUID."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from pipeline.core.errors import DataError
from pipeline.data.columns.words import plain, spelling
from pipeline.data.dicom.headers import IDS, may_be_dicom, read_headers
from pipeline.data.folders.sample_files import is_system, walk
from pipeline.data.tables import is_missing

# Headers of columns, in lower case and without signs, that are such identifiers or say who a patient is.
PERSONAL = {name.lower() for name in IDS} | set(
    (
        "patient patientname patientbirthdate birthdate dob studydate seriesdate acquisitiondate contentdate studytime "
        "accessionnumber mrn studyid studyuid seriesuid sopuid instanceuid name firstname lastname surname frameofreferenceuid"
    ).split()
)
FEWEST_FOUND = 0.5  # share of a column's cells that must be identifiers of files
PROBED = 200  # cells


class UnmatchedError(DataError):
    """Raised where a CSV names DICOM files by identifiers that these do not have."""


class DicomIndex:
    """The DICOM files in some folders below `root`, by their identifiers."""

    def __init__(self, root: Path, folders: Sequence[str]):
        paths = [
            path
            for path in walk(root)
            if may_be_dicom(path) and not any(map(is_system, path.split("/"))) and _is_in(path, folders)
        ]
        self.headers = read_headers(root, paths)
        self._paths: dict[str, dict[str, list[str]]] = {name: defaultdict(list) for name in IDS}
        for path, header in self.headers.items():
            for name, identifier in header.ids.items():
                if identifier:
                    self._paths[name][identifier].append(path)
        self._spelt: dict[str, list[str]] = defaultdict(list)
        for identifier, files in self._paths["PatientID"].items():
            self._spelt[spelling(identifier)] += files

    def __len__(self) -> int:
        return len(self.headers)

    def find(self, attribute: str, cell: str) -> list[str]:
        """Return the files whose attribute is a cell, sorted; a PatientID may be spelt in another way, such as 7 for 007."""
        files = self._paths[attribute].get(cell.strip(), [])
        return files or (sorted(self._spelt.get(spelling(cell), [])) if attribute == "PatientID" else [])

    def find_column(self, table: pd.DataFrame) -> tuple[str, str] | None:
        """Return the column of a table that names files and the attribute by which it does, the finest first; None without.

        Raises UnmatchedError where a column is named as such an attribute, and finds fewer files.
        """
        nearly = ""
        for attribute in IDS:
            columns = sorted(table, key=lambda name: plain(name) != attribute.lower())
            for column in columns:
                cells = [cell for cell in table[column] if not is_missing(cell)][:PROBED]
                hits = sum(bool(self.find(attribute, cell)) for cell in cells)
                if cells and hits >= FEWEST_FOUND * len(cells):
                    return column, attribute
                if cells and plain(column) == attribute.lower() and self.headers:
                    nearly = (
                        f"column {column!r}: {hits} of its first {len(cells)} cells are the {attribute} of a DICOM file"
                    )
        if nearly:
            raise UnmatchedError(
                f"{nearly} ({len(self)} files); expected at least half. Write them as the files have them: the CSV may "
                "be of another export, or the files may have been given new identifiers"
            )
        return None


def _is_in(path: str, folders: Sequence[str]) -> bool:
    return any(folder == "." or path.startswith(f"{folder}/") for folder in folders)
