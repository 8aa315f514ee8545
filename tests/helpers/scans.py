"""Scanning a small task: what tests of the scan and of its parts share."""

from pathlib import Path

import pandas as pd

from pipeline import scan
from pipeline.core import artifacts
from tests.helpers.samples import write_params

GOOD = {"benign/a.png": 1, "benign/b (2).png": 2, "malignant/c.png": 3, "malignant/良.png": 4}
BAD = {"benign/empty.jpg": b"", "malignant/text.png": b"no image"}


def scanned(block: dict, workers: int = 1) -> pd.DataFrame:
    """Scan the task `skin` and return samples.csv as later stages read it."""
    write_params(block, workers=workers)
    scan.main("skin")
    return pd.read_csv("data/skin/scan/samples.csv", dtype=str, keep_default_na=False)


def written() -> dict[str, str]:
    """Return {file: sha256} of what the scan wrote."""
    return {path.name: artifacts.sha256(path.read_bytes()) for path in Path("data/skin/scan").iterdir()}
