"""Anyone's data: a drawn folder with all that lies among images becomes a task, runs to a leaderboard, and goes again."""

import csv
import io
import json
import re
import shutil
import zipfile
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
from PIL import Image

from pipeline import audit, init_task, preprocess, scan, split
from pipeline.core import artifacts, params
from pipeline.data.dataset import Dataset
from tests.helpers.projects import ROOT
from tests.helpers.samples import encoded, noise, png_header, put

BAD = {
    "benign/empty.jpg": (b"", "not a readable image (0 bytes)"),
    "benign/text.jpg": (b"no image", "not a readable image; expected one of JPEG, PNG, BMP, TIFF, WEBP, DICOM"),
    "malignant (T2)/half.png": (encoded(noise(1))[:999], "not a readable image ("),
    "malignant (T2)/bomb.png": (png_header(60_000, 60_000), "is 60000x60000 px, over 50 megapixels"),
    "malignant (T2)/slice.dcm": (bytes(128) + b"DICM" + bytes(400), "is a DICOM file without pixels"),
}
STRAY = ["chart.png", "benign/.hidden.png", "benign/Thumbs.db", "notes.txt"]


def drawn(label: str, number: int) -> bytes:
    """Return a noisy image, brighter where the label is malignant, in one of many modes."""
    bright = 90 if label.startswith("malignant") else 60
    grey = np.random.default_rng([number, bright]).normal(bright, 25, (40, 50, 3)).clip(0, 255).astype(np.uint8)
    return encoded(Image.fromarray(grey).convert(("RGB", "L", "P", "LA", "RGBA")[number % 5]))


def test_a_task_is_made_run_and_removed_without_trace(clone):
    root = clone.folder / "data/raw/my images"
    good = {f"{label}/{n} 良.png": drawn(label, n) for label in ("benign", "malignant (T2)") for n in range(20)}
    put(root, good | {path: data for path, (data, _) in BAD.items()} | dict.fromkeys(STRAY, b"x"))
    before, files = clone.read("params.yaml"), sorted(root.rglob("*"))
    lock, results = clone.read("dvc.lock"), sorted((clone.folder / "reports").rglob("*"))

    output = clone.run("python", "-m", "pipeline.init_task", "mine", "data/raw/my images").stdout
    assert re.search(r"classes +benign 20, malignant \(T2\) 20\n", output)
    assert re.search(rf"unreadable +{len(BAD)}\n", output)
    keep = ["mine-logreg", "mine-dummy"]
    content = clone.params()
    kept = {name: block for name, block in content["models"].items() if block["task"] != "mine" or name in keep}
    clone.change(models=kept, tasks__mine__models=keep, tasks__mine__select__draws=100, tasks__mine__split__folds=2)

    ran = clone.repro("holdout@mine")
    assert ran[0] == "check"
    assert {name.split("@")[1].split("-")[0] for name in ran[1:]} == {"mine"}
    board = list(csv.DictReader(io.StringIO(clone.read("reports/mine/leaderboard.csv").decode())))
    assert {row["model"] for row in board} == set(keep)
    audit = json.loads(clone.read("data/mine/audit.json"))
    reasons = {result["path"]: result["reason"] for result in audit["unreadable"]}
    assert set(reasons) == set(BAD)
    assert all(reasons[path].startswith(reason) for path, (_, reason) in BAD.items())
    assert {result["path"] for result in audit["skipped"]} == set(STRAY)
    assert audit["n_files"] == len(good) + len(BAD)

    output = clone.run("python", "-m", "pipeline.init_task", "--remove", "mine").stdout
    assert "left alone  data/raw/my images: the raw data" in output
    assert clone.read("params.yaml") == before
    assert sorted(root.rglob("*")) == files
    assert not any((clone.folder / top / "mine").exists() for top in ("data", "models", "reports"))
    assert sorted((clone.folder / "reports").rglob("*")) == results
    # DVC has seen this params.yaml before; check is kept out of its run cache, so that a copy always links raw data
    assert clone.repro("holdout@lesions", "holdout@breast") == ["check"]
    assert clone.read("dvc.lock") == lock
    assert clone.run("git", "status", "--porcelain").stdout == ""


def packed(root: Path) -> Path:
    """Return a zip archive made on Windows: images, and a CSV whose one-hot columns are the label."""
    raw = put(root, {"readme.txt": "x"}) / "skin.zip"
    rows = [f"ISIC_{n:03},{float(n % 2)},{float(n % 2 == 0)},0.0\n" for n in range(40)]
    with zipfile.ZipFile(raw, "w") as archive:
        archive.writestr("skin/truth.csv", "image,MEL,NV,BCC\n" + "".join(rows))
        for n in range(40):
            archive.writestr(f"skin\\input\\ISIC_{n:03}.png", drawn("malignant" if n % 2 else "benign", n))
    return raw


def listed(root: Path) -> Path:
    """Return a workbook that names images by their paths on another computer, and their labels in German."""
    book = openpyxl.Workbook()
    book.active.append(["Datei", "Patient", "Diagnose", "Standort"])
    for n in range(40):
        path = f"C:\\Daten\\Studie\\bilder\\{n:03}.png"
        book.active.append([path, f"P{n // 2}", "bösartig" if n // 2 % 2 else "gutartig", "AB"[n % 3 > 0]])
    put(root, {f"bilder/{n:03}.png": drawn("malignant" if n // 2 % 2 else "benign", n) for n in range(40)})
    book.save(root / "befunde.xlsx")
    return root / "befunde.xlsx"


@pytest.mark.parametrize(("make", "positive"), [(packed, "MEL"), (listed, "bösartig")])
def test_archives_and_lists_of_images_reach_the_test_set(scan_project, make, positive):
    shutil.copy(ROOT / "params.yaml", "params.yaml")
    init_task.main("mine", make(Path("data/raw/own")).as_posix())
    assert params.task("mine").preprocess.positive == positive
    for stage in (scan, audit, split, preprocess):
        stage.main("mine")
    assert artifacts.read_json("data/mine/audit.json")["n_files"] == 40
    divided = pd.read_csv("data/mine/split.csv")
    assert {*divided.subset} == {"dev", "test"}
    for subset in ("dev", "test"):
        samples = Dataset.load(Path(f"data/mine/{subset}.npz"))
        assert {*samples.path} == {*divided.path[divided.subset == subset]}
        assert np.ptp(samples.X("embedding"), axis=0).any(), "each image is read, none like the other"


def test_missing_raw_data_stop_the_graph_first(clone):
    clone.change(tasks__breast__raw="data/raw/typo.csv")
    done = clone.run("dvc", "repro", ok=False)
    assert done.returncode != 0
    assert (
        "ParamsError: params.yaml: tasks.breast.raw: 'data/raw/typo.csv' does not exist; put the data there"
        in done.stderr
    )
    assert "Traceback" not in done.stderr
    assert "Running stage 'scan" not in done.stdout
