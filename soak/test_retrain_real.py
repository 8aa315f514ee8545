"""A hundred good images of real data: what they are worth, and that no copy of a test image gets in with them."""

import csv
import io
import json
import shutil

import pytest
from PIL import Image

from benchmarks.figures import DATA, Figure, save
from benchmarks.scratch import Scratch
from tests.helpers.projects import Project
from tests.helpers.textures import stored

RAW = DATA / "skin_binary"
N_NEW, N_COPIED = 100, 20
MODELS = {
    "skin-logreg": {"estimator": "logreg", "features": "embedding", "C": 0.001, "class_weight": "balanced"},
    "skin-knn": {"estimator": "knn", "features": "embedding", "n_neighbors": 15, "weights": "distance"},
}
COPIES = {
    "re-encoded": lambda image: stored(image, quality=70),
    "stretched": lambda image: stored(image.resize((image.width, image.height * 4 // 5)), quality=90),
    "rotated": lambda image: stored(image.rotate(90, expand=True), quality=90),
    "mirrored": lambda image: stored(image.transpose(Image.Transpose.FLIP_LEFT_RIGHT), quality=90),
}

pytestmark = pytest.mark.skipif(not RAW.is_dir(), reason=f"{RAW} is not here (set ASSAY_DATA)")


def without_new(folder) -> list[dict[str, str]]:
    """Copy all but the last N_NEW images of groups of one to `folder`, and return these, with label and group."""
    with (RAW / "labels.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    sizes = {row["group"]: 0 for row in rows}
    for row in rows:
        sizes[row["group"]] += 1
    alone = [row for row in rows if sizes[row["group"]] == 1]
    new = alone[:: len(alone) // N_NEW][:N_NEW]  # of both classes
    paths = {row["path"] for row in new}
    kept = [row for row in rows if row["path"] not in paths]
    for row in kept:
        (folder / row["path"]).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(RAW / row["path"], folder / row["path"])
    out = io.StringIO()
    writer = csv.DictWriter(out, ["path", "label", "group"], extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(kept)
    (folder / "labels.csv").write_text(out.getvalue(), encoding="utf-8")
    return new


def test_a_hundred_good_images_do_no_harm(tmp_path):
    raw = tmp_path / "raw"
    raw.mkdir()
    new = without_new(raw)
    with Scratch() as scratch:
        scratch.take_backbone()
        scratch.image_task("skin", raw, MODELS, csv="labels.csv", label="label", group="group")
        scratch.run("dvc", "repro")
        project = Project(scratch.folder)
        before = project.read("data/skin/test.npz"), project.read("models/skin/best/bundle.json")
        refused = offer_copies(project, raw, tmp_path)
        for label in sorted({row["label"] for row in new}):
            files = [str(RAW / row["path"]) for row in new if row["label"] == label]
            command = ("python", "-m", "pipeline.collect", "skin", *files, "--label", label, "--batch", "good")
            project.run(*command, ok=False)
        content = json.loads(
            project.run("python", "-m", "pipeline.retrain", "skin", "--batch", "good", "--json").stdout
        )
        tree = scratch.folder / ".cache/challenge/tree"
        assert (tree / "data/skin/test.npz").read_bytes() == before[0]
        assert (project.read("data/skin/test.npz"), project.read("models/skin/best/bundle.json")) == before
    assert content["passed"] == (content["failed"] == [])
    assert content["recommendation"].startswith("Promote: " if content["passed"] else "Do not promote: ")
    auc = content["metrics"]["roc_auc"]
    low, high = auc["ci"]
    figures = [
        Figure(
            "ROC AUC with the batch less without it",
            auc["difference"],
            f"{content['batch']['n']} of {N_NEW} dermoscopy images taken, {content['n']} development samples; 95 % interval "
            f"{low:+.3f} to {high:+.3f}; {'passed' if content['passed'] else 'stopped by'} the gate "
            f"{', '.join(content['failed'])}".rstrip(),
            at_least=-content["margin"],
        ),
        *[
            Figure(f"copies of test images refused: {kind}", n, f"of {N_COPIED}", at_least=N_COPIED)
            for kind, n in refused.items()
        ],
    ]
    save("soak_retrain_real", "A hundred new images of dermoscopy", figures, command="make soak")
    assert [figure for figure in figures if not figure.passed] == []
    assert content["batch"]["n"] > 0.9 * N_NEW


def offer_copies(project: Project, raw, tmp_path) -> dict[str, int]:
    """Offer copies of test images, and return how many of each kind are refused."""
    rows = csv.DictReader(io.StringIO(project.read("data/skin/split.csv").decode()))
    tests = [row for row in rows if row["subset"] == "test"][:N_COPIED]
    refused = {}
    for kind, change in COPIES.items():
        files = []
        for number, row in enumerate(tests):
            path = tmp_path / f"{kind}-{number}.jpg"
            path.write_bytes(change(Image.open(raw / row["path"]).convert("RGB")))
            files.append(str(path))
        command = (
            "python",
            "-m",
            "pipeline.collect",
            "skin",
            *files,
            "--label",
            tests[0]["label"],
            "--batch",
            "copies",
        )
        printed = project.run(*command, ok=False).stdout.splitlines()
        refused[kind] = sum("in the test set" in line for line in printed)
    return refused
