"""A champion of dermoscopy from some of HAM10000's sites is served another site's images: is it noticed, and how soon?

And images of its own sites as another scanner would give them: with other contrast, colour balance and sharpness.
soak/test_elsewhere.py measures how other sites change the answers.
"""

import csv
import io
import shutil
import statistics
import time
from collections.abc import Sequence

import numpy as np
import pytest
from PIL import Image, ImageFilter

from app.recorder import Recorder
from benchmarks.figures import Figure, ratio, save
from pipeline.core import artifacts
from pipeline.monitoring import drift
from pipeline.monitoring.histograms import Reference, Tally
from pipeline.prediction.predictor import Predictor
from soak.real_data import DATA, read_labels
from tests.e2e.test_api import served
from tests.helpers.projects import Project

AWAY = "rosendahl"  # the site that is kept out of development
AT_ONCE = 30  # images in a request
ORDERS = 40  # in which the images of a site may arrive
STEP = 10  # images between two looks
WEEK, WEEKS, WITHOUT = 150, 40, 200  # images in a week, weeks of each kind, and without a change


def show(project: Project, images: list[bytes]) -> dict:
    """Serve images over the API, which is ended and started again half-way; return what it says then."""
    shutil.rmtree(project.folder / "data/monitor", ignore_errors=True)
    half = len(images) // 2
    for part in (images[:half], images[half:]):
        with served(project.folder) as (client, _, _):
            for start in range(0, len(part), AT_ONCE):
                client.send("/v1/tasks/skin/predict", *[("image", data) for data in part[start : start + AT_ONCE]])
    with served(project.folder) as (client, _, _):
        result = client.get("/v1/tasks/skin/monitor")[1]
    assert result["counts"]["n"] == len(images)
    return result


def rescanned(data: bytes) -> bytes:
    """Return an image with four fifths of its contrast, warmer and softer."""
    with Image.open(io.BytesIO(data)) as image:
        soft = image.convert("RGB").filter(ImageFilter.GaussianBlur(0.7))
    pixels = (128 + 0.8 * (np.asarray(soft, np.float64) - 128)) * [1.05, 1.0, 0.92]
    out = io.BytesIO()
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(out, "PNG")
    return out.getvalue()


def weeks_noticed(seen: list[tuple], weeks: int, reference: Reference) -> int:
    """Return how many of some weeks, drawn with replacement, are called shifted or unlike."""
    rng = np.random.default_rng(11)
    verdicts = [verdict(seen, rng.integers(0, len(seen), WEEK), reference) for _ in range(weeks)]
    return sum(word in ("shifted", "unlike") for word in verdicts)


def verdict(seen: list[tuple], order: Sequence[int], reference: Reference) -> str:
    """Return what is said of some samples, given by (item, seen) and their numbers."""
    counts = Tally()
    for k in order:
        counts.add(*seen[k], 0.01)
    return drift.compare([counts], reference, "image").verdict


def noticed_after(seen: list[tuple], reference: Reference, seed: int) -> int:
    """Return after how many of the samples, in an order by lot, they are called unlike; one more than all where never."""
    order = np.random.default_rng(seed).permutation(len(seen))
    ends = range(drift.FEW, len(seen) + 1, STEP)
    return next((end for end in ends if verdict(seen, order[:end], reference) == "unlike"), len(seen) + 1)


def answers(predictor: Predictor, images: list[bytes]) -> tuple[list[tuple], float]:
    """Return (item, ood) of each image, and the seconds that one took."""
    start = time.perf_counter()
    result = [predictor.predict_with_ood(data, "image") for data in images]
    seconds = (time.perf_counter() - start) / len(images)
    return [(prediction.item, prediction.ood) for prediction in result], seconds


def cost(seen: list[tuple]) -> float:
    """Return the seconds that it takes to count one sample, the best of five turns."""
    counts, turns = Recorder(), []
    for _ in range(5):
        start = time.perf_counter()
        for item, where in seen:
            counts.record("skin", "bundle", item, where, 0.01)
        turns.append((time.perf_counter() - start) / len(seen))
    return min(turns)


def strongest(result: dict, of: str) -> tuple[float, str]:
    """Return the share of pairs that is farthest from a half, on the side above it, and its interval in words."""
    figure = max((f for f in result["drift"]["figures"] if f["of"] == of), key=lambda f: abs(f["beyond"] - 0.5))
    low, high = figure["ci"]
    share, low, high = (
        (figure["beyond"], low, high) if figure["beyond"] >= 0.5 else (1 - figure["beyond"], 1 - high, 1 - low)
    )
    return share, f"{figure['name']} {low:.3f} to {high:.3f}".strip()


@pytest.mark.skipif(not DATA.is_dir(), reason="the real data are not here")
def test_only_another_sites_images_are_noticed(skin_project, monkeypatch):
    rows = read_labels(DATA)
    project = skin_project([row for row in rows if row["site"] != AWAY])
    content = project.params()
    content["tasks"]["skin"]["models"] = ["skin-logreg", "skin-dummy"]
    kept = {name: block for name, block in content["models"].items() if block["task"] != "skin"}
    kept |= {name: content["models"][name] for name in ("skin-logreg", "skin-dummy")}
    project.change(models=kept, tasks__skin__models=["skin-logreg", "skin-dummy"])
    project.run("dvc", "repro", "select_best@skin", timeout=3000)
    with (project.folder / "data/skin/split.csv").open(encoding="utf-8", newline="") as file:
        test = [row["path"] for row in csv.DictReader(file) if row["subset"] == "test"]
    at_home = [(DATA / path).read_bytes() for path in test]
    elsewhere = [(DATA / row["path"]).read_bytes() for row in rows if row["site"] == AWAY]
    same, other = show(project, at_home), show(project, elsewhere)

    monkeypatch.chdir(project.folder)
    predictor = Predictor("models/skin/best")
    reference = Reference.from_json(artifacts.read_json("models/skin/best/bundle.json")["metrics"]["reference"])
    (seen_there, seconds), (seen_home, _) = answers(predictor, elsewhere), answers(predictor, at_home)
    after = [noticed_after(seen_there, reference, seed) for seed in range(ORDERS)]
    seen_rescanned, _ = answers(predictor, [rescanned(image) for image in at_home])
    counted = cost(seen_there)

    figures = []
    for name, result in ((f"test images of the sites trained on: {same['drift']['verdict']}", same),
                        (f"{AWAY}: {other['drift']['verdict']}", other)):  # fmt: skip
        n = result["counts"]["n"]
        refused = result["drift"]["figures"][0]
        trained = (
            f"of {n}; training {refused['training']:.3f}, difference {refused['ci'][0]:+.3f} to {refused['ci'][1]:+.3f}"
        )
        figures.append(Figure(f"{name}; refused", refused["served"], trained))
        for of, what in (("distance", "farther off"), ("place", "strongest direction")):
            share, ends = strongest(result, of)
            figures.append(Figure(f"{name}; pairs, {what}", share, f"{ends}; 0.5 is alike"))
        (item,) = (figure for figure in result["drift"]["figures"] if figure["of"] == "answer")
        trained = f"training {item['training']:.3f}, difference {item['ci'][0]:+.3f} to {item['ci'][1]:+.3f}"
        figures.append(Figure(f"{name}; answered {item['name']}", item["served"], trained))
    of_weeks = f"of {WEEKS} weeks of {WEEK} images"
    figures += [
        Figure(
            f"{AWAY}: images until it is noticed", statistics.median(after), f"median of {ORDERS} orders", at_most=200
        ),
        *(
            Figure(f"{what}: noticed", weeks_noticed(seen, WEEKS, reference), of_weeks, at_least=36)
            for what, seen in ((f"weeks of {AWAY}", seen_there), ("weeks of another scanner", seen_rescanned))
        ),
        Figure(
            "weeks without a change: noticed",
            100 * weeks_noticed(seen_home, WITHOUT, reference) / WITHOUT,
            f"of {WITHOUT}, of {WEEK} images, drawn from {len(seen_home)}",
            at_most=6,
            unit="%",
        ),
        Figure("counting an image", counted * 1e6, "best of 5 turns", unit="us"),
        ratio("counting an image against answering it", counted * 1e3, seconds * 1e3, "ms", at_most=0.01),
    ]
    save("soak_notice", "Images of another site are noticed", figures, command="make soak")
    print(other["drift"]["sentence"], same["drift"]["sentence"], sep="\n")
    assert other["drift"]["verdict"] == "unlike"
    assert same["drift"]["verdict"] != "unlike"
    assert not [item for item in figures if not item.passed]
