"""A PACS export goes from init_task to /predict, and nothing that names a patient is written on the way."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.e2e.test_api import served
from tests.helpers.dicom import Slice, write_export
from tests.helpers.projects import Project

CHEST = Path(os.environ.get("ASSAY_DATA", Path(__file__).resolve().parents[3] / "shared" / "data")) / "chest_ct"
SECRETS = (b"MRN-0", b"Doe^", b"Jane", b"19700102", b"20200304", b"1.2.826.0.1")
EACH = 12  # patients a class
MADE = ("data", "models", "reports", "logs", ".cache")  # of these alone MLflow gets anything


def slices() -> list[Slice]:
    """Return two slices of each patient: of real chest CT, drawn ones where it is absent."""
    chosen = []
    for k, label in enumerate(("squamous.cell.carcinoma", "adenocarcinoma")):
        files = sorted((CHEST / label).glob("*.png")) if CHEST.is_dir() else []
        for number in range(2 * EACH):
            rng = np.random.default_rng(1000 * k + number)
            if files:
                image = Image.open(files[number % len(files)]).convert("L").resize((96, 80))
                values = np.asarray(image).astype(int)
            else:
                y, x = np.mgrid[0:80, 0:96]
                discs = np.random.default_rng(7 + EACH * k + number // 2)  # other places and brightness in each patient
                values = np.full(x.shape, 60.0)
                for left, top, level in discs.uniform((10, 10, 20), (86, 70, 60), (5, 3)):
                    values += level * np.exp(-((x - left) ** 2 + (y - top) ** 2) / (60 + 100 * k))
            noisy = (values + rng.integers(-6, 7, values.shape)).clip(0, 255)
            chosen.append(Slice(noisy.astype(np.uint8), label, EACH * k + number // 2))
    return chosen


@pytest.fixture
def finished(clone: Project) -> Project:
    """A clone with a task made of an export, of which the graph has run."""
    write_export(clone.folder / "raw/ct", slices())
    (clone.folder / "data/.salt").write_text("5" * 64)  # by which groups fall on both sides of the split
    printed = clone.run("python", "-m", "pipeline.init_task", "ct", "raw/ct").stdout
    assert "the PatientID of DICOM files" in printed
    assert "salted hash" in printed
    content = clone.params()
    assert content["tasks"]["ct"]["read"]["intensity"] == [-1000.5, 529.5]
    content["tasks"]["ct"]["models"] = ["ct-logreg"]
    content["tasks"]["ct"]["split"] |= {"folds": 2, "min_test_per_class": 1}
    content["tasks"]["ct"]["select"]["draws"] = 100
    for name in [name for name in content["models"] if name.startswith("ct-") and name != "ct-logreg"]:
        del content["models"][name]
    (clone.folder / "params.yaml").write_text(json.dumps(content))  # YAML, too
    clone.forget("lesions", "breast")
    clone.repro("report@ct")
    return clone


def test_an_export_goes_from_init_task_to_predict(finished):
    read = (finished.folder / "data/ct/scan/pixel_rule.json").read_text()
    assert json.loads(read) == {"intensity": [-1000.5, 529.5]}
    bundle = json.loads(finished.read("models/ct/best/bundle.json"))
    assert bundle["input"]["intensity"] == [-1000.5, 529.5]
    files = sorted(
        path.relative_to(finished.folder).as_posix() for path in (finished.folder / "raw/ct").glob("PA*/*/*/*")
    )[:12]
    printed = finished.run("python", "-m", "pipeline.predict", "models/ct/best", *files, "--format", "json").stdout
    items = json.loads(printed)
    assert all(item["class"] for item in items)
    with served(finished.folder) as (client, _, _):
        for file, item in zip(files, items, strict=True):
            status, answer, _ = client.send("/predict/", (file, finished.read(file)), field="file")
            assert status == 200
            assert answer["predictions"][0]["probabilities"] == item["probabilities"]
        status, answer, _ = client.send("/v1/tasks/ct/predict", ("half.dcm", finished.read(files[0])[:900]))
        assert status == 422
        assert "it is cut off" in answer["detail"]
    for top in MADE:
        for path in (finished.folder / top).rglob("*"):
            if path.is_file() and not path.is_symlink():
                data = path.read_bytes()
                assert not any(secret in data for secret in SECRETS), path
