"""A project without results, with raw images and a table."""

import shutil
from pathlib import Path

import pytest

from tests.helpers.samples import ROOT, put

CLASSES = {
    f"{label}/{number}.png": 100 * k + number for k, label in enumerate(("benign", "malignant")) for number in range(30)
}
TABLE = "age,ill\n" + "".join(f"{n * 7 % 60},{'YES' if n % 5 else 'NO'}\n" for n in range(60))


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    """The current folder: the project's params.yaml and dvc.yaml, a folder of images and a table."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copy(ROOT / name, tmp_path)
    return put(
        tmp_path, {"data/raw/rows.csv": TABLE} | {f"data/raw/skin/{path}": seed for path, seed in CLASSES.items()}
    )


@pytest.fixture
def shipped() -> bytes:
    """The params.yaml that nobody has edited."""
    return (ROOT / "params.yaml").read_bytes()
