"""Anyone's data: a drawn folder with all that lies among images becomes a task, runs to a leaderboard, and goes again."""

import csv
import io
import json
import re

import numpy as np
from PIL import Image

from tests.samples import encoded, noise, png_header, put

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
    good = {f"{label}/{n} 良.png": drawn(label, n) for label in ("benign", "malignant (T2)") for n in range(30)}
    put(root, good | {path: data for path, (data, _) in BAD.items()} | dict.fromkeys(STRAY, b"x"))
    before, files = clone.read("params.yaml"), sorted(root.rglob("*"))
    lock, results = clone.read("dvc.lock"), sorted((clone.folder / "reports").rglob("*"))

    output = clone.run("python", "-m", "pipeline.init_task", "mine", "data/raw/my images").stdout
    assert re.search(r"classes +benign 30, malignant \(T2\) 30\n", output)
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
    assert clone.repro("holdout@lesions", "holdout@breast") == []  # DVC has seen this params.yaml before
    assert clone.read("dvc.lock") == lock
    assert clone.run("git", "status", "--porcelain").stdout == ""


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
