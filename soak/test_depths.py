"""The same images at 8, 12 and 16 bits and as DICOM give the same classifier and the same audit."""

import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from pipeline.data.images import decoding, squares
from pipeline.data.images.pixel_rule import PixelRule
from pipeline.data.images.proposal import propose
from pipeline.duplicates.audit import audit_path
from tests.helpers.dicom import dicom

REAL = Path(os.environ.get("ASSAY_DATA", Path(__file__).resolve().parents[2] / "shared" / "data")) / "chest_ct"
N_COPIES = 12


def to_png(values: np.ndarray) -> bytes:
    """Return grey values as a PNG of 8 or 16 bits."""
    out = io.BytesIO()
    Image.fromarray(values).save(out, "PNG")
    return out.getvalue()


def to_tiff(values: np.ndarray) -> bytes:
    """Return grey values as a TIFF."""
    out = io.BytesIO()
    Image.fromarray(values).save(out, "TIFF")
    return out.getvalue()


# From grey values of 12 bits, float (height, width) in 0..4095, to the bytes of a file.
FORMATS = {
    "8 bits": lambda v: to_png((v / 4095 * 255).round().astype(np.uint8)),
    "12 bits in 16": lambda v: to_png(v.round().astype(np.uint16)),
    "16 bits": lambda v: to_png((v * (65535 / 4095)).round().astype(np.uint16)),
    "float": lambda v: to_tiff((v / 4095).astype(np.float32)),
    "Hounsfield units": lambda v: to_tiff((v - 1024).round().astype(np.int32)),
    "DICOM": lambda v: dicom(v.round().astype(np.uint16), BitsStored=12, WindowCenter=2048, WindowWidth=4096),
    "DICOM, lowest is white": lambda v: dicom(
        (4095 - v.round()).astype(np.uint16), BitsStored=12, PhotometricInterpretation="MONOCHROME1"
    ),
}


def drawn() -> list[tuple[np.ndarray, int]]:
    """Return X-rays with ribs, of which half have a faint nodule, as 12 bits and 0 or 1."""
    made = []
    for number in range(90):
        rng = np.random.default_rng(number)
        y, x = np.mgrid[0:112, 0:128]
        ribs = np.sin(y / rng.uniform(5, 8) + 3 * np.sin(x / 40 + rng.uniform(0, 6)))
        lungs = gaussian_filter(rng.normal(size=(112, 128)), 6) * 9
        cx, cy = rng.uniform(30, 98), rng.uniform(30, 82)
        nodule = (number % 2) * 1.1 * np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / 260)
        values = 1500 + 500 * (ribs * 0.5 + lungs + nodule + rng.normal(0, 0.1, ribs.shape))
        made.append((values.clip(0, 4095), number % 2))
    return made


def real() -> list[tuple[np.ndarray, int]]:
    """Return chest CT slices as 12 bits with made low bits, and whether they are normal."""
    rng, made = np.random.default_rng(0), []
    for k, label in enumerate(("normal", "adenocarcinoma")):
        for path in sorted((REAL / label).glob("*.png"))[:45]:
            values = np.asarray(Image.open(path).convert("L").resize((160, 128)), float)
            made.append(((values * 16 + rng.integers(0, 16, values.shape)).clip(0, 4095), k))
    return made


def judged(folder: Path, scenes: list[tuple[np.ndarray, int]], to_bytes) -> tuple[float, set[frozenset[str]]]:
    """Return the ROC AUC of a logistic regression on classical features, and the pairs that the audit finds."""
    folder.mkdir()
    for number, (values, _) in enumerate(scenes):
        (folder / f"{number:03}.dcm").write_bytes(to_bytes(values))
    for number in range(N_COPIES):
        (folder / f"copy{number:03}.dcm").write_bytes(to_bytes(scenes[number][0][:, ::-1]))
    paths = sorted(folder.glob("[0-9]*"))
    rule = PixelRule(propose(paths, 1).intensity)
    X = np.stack([squares.classical(decoding.square(path.read_bytes(), rule)) for path in paths])
    y = np.array([label for _, label in scenes])
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01))
    proba = cross_val_predict(model, X, y, cv=5, method="predict_proba")[:, 1]
    result = audit_path(folder, copies=False, workers=1)[0]
    return float(roc_auc_score(y, proba)), {frozenset((pair.a, pair.b)) for pair in result.pairs}


@pytest.mark.parametrize(
    "scenes", [drawn, pytest.param(real, marks=pytest.mark.skipif(not REAL.is_dir(), reason=f"no {REAL}"))]
)
def test_depth_changes_neither_classifier_nor_audit(scenes, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = scenes()
    results = {name: judged(tmp_path / name, made, to_bytes) for name, to_bytes in FORMATS.items()}
    auc, pairs = results["8 bits"]
    copies = {frozenset((f"{number:03}.dcm", f"copy{number:03}.dcm")) for number in range(N_COPIES)}
    print({name: round(other, 4) for name, (other, _) in results.items()}, len(pairs), len(copies & pairs))
    for name, (other, result) in results.items():
        assert abs(other - auc) <= 0.005, name
        assert copies - result == copies - pairs, name
    assert len(copies & pairs) >= N_COPIES - 1
