"""The balanced subset of HAM10000 that soak tests make projects of."""

import csv
import shutil
from pathlib import Path

from benchmarks.figures import DATA as REAL

DATA = REAL / "skin_binary"


def read_labels(data: Path) -> list[dict[str, str]]:
    """Return the rows of a set's CSV."""
    with (data / "labels.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def copy_rows(rows: list[dict[str, str]], folder: Path) -> None:
    """Copy the images of some rows, and their CSV."""
    folder.mkdir()
    for row in rows:
        (folder / row["path"]).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(DATA / row["path"], folder / row["path"])
    with (folder / "labels.csv").open("w", newline="", encoding="utf-8") as file:
        kept = [name for name in rows[0] if name != "dx"]  # the diagnosis would say the class
        writer = csv.DictWriter(file, kept, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
