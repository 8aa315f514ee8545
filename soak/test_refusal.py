"""A model of dermoscopy is shown what is no dermoscopy: CT slices, histology, noise, blanks, text, screenshots, phone photos."""

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from benchmarks.figures import DATA, Figure, save
from pipeline.core import artifacts
from pipeline.data.images import SUFFIXES
from pipeline.prediction.predictor import Predictor
from tests.helpers.projects import new_project

EACH = 100  # of a kind that is drawn
WIDTH, HEIGHT = 640, 480  # px


def noise(rng: np.random.Generator) -> Image.Image:
    """Return noise of a drawn grain, grey half of the times."""
    grain = int(rng.integers(1, 17))
    shape = HEIGHT // grain + 1, WIDTH // grain + 1, 3
    cells = rng.integers(0, 256, shape, dtype=np.uint8)
    if rng.integers(2):
        cells[..., 1:] = cells[..., :1]
    return Image.fromarray(cells).resize((WIDTH, HEIGHT), Image.Resampling.BILINEAR)


def blank(rng: np.random.Generator) -> Image.Image:
    return Image.new("RGB", (WIDTH, HEIGHT), colour(rng))


def text(rng: np.random.Generator) -> Image.Image:
    """Return a page of drawn words, on white two times out of three."""
    page = Image.new("RGB", (WIDTH, HEIGHT), (255, 255, 255) if rng.integers(3) else colour(rng))
    write(page, rng, (20, 20), 10, 36)
    return page


def screenshot(rng: np.random.Generator) -> Image.Image:
    """Return something like a program's window: a bar, buttons, panels and words."""
    page = Image.new("RGB", (WIDTH, HEIGHT), (255, 255, 255))
    pen = ImageDraw.Draw(page)
    pen.rectangle([0, 0, WIDTH, 40], fill=colour(rng))
    for left in range(10, 370, 90):
        pen.rectangle([left, 50, left + 80, 80], fill=(220, 220, 225), outline=(150, 150, 150))
    for left, top in rng.integers(100, 350, (3, 2)).tolist():
        pen.rectangle([left, top, left + 150, top + 90], fill=colour(rng), outline=(0, 0, 0))
    write(page, rng, (10, 120), 4, 30)
    return page


def colour(rng: np.random.Generator) -> tuple[int, ...]:
    return tuple(rng.integers(0, 256, 3).tolist())


def write(page: Image.Image, rng: np.random.Generator, corner: tuple[int, int], n_words: int, step: int) -> None:
    font, pen = ImageFont.load_default(int(rng.integers(12, 32))), ImageDraw.Draw(page)
    for y in range(corner[1], HEIGHT - 20, step):
        words = ["".join(chr(97 + k) for k in rng.integers(0, 26, rng.integers(2, 9))) for _ in range(n_words)]
        pen.text((corner[0], y), " ".join(words), fill=(40, 40, 40), font=font)


def png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def share_refused(predictor: Predictor, files: list[bytes]) -> float:
    return float(np.mean([predictor.predict(data, "image")["refused"] for data in files]))


@pytest.mark.skipif(not (DATA / "skin_binary").is_dir(), reason="the real data are not here")
def test_what_is_no_dermoscopy_is_refused_and_held_out_skin_is_answered(tmp_path, monkeypatch):
    project = new_project(tmp_path)
    project.run("python", "-m", "pipeline.init_task", "skin", str(DATA / "skin_binary"))
    project.run("dvc", "repro", "holdout@skin", timeout=3000)
    winner = artifacts.read_json(tmp_path / "reports/skin/selection.json")["winner"]
    test = artifacts.read_json(tmp_path / f"reports/skin/test/{winner}.json")
    monkeypatch.chdir(tmp_path)
    predictor = Predictor("models/skin/best")
    n = test["counts"]["n"]
    figures = [Figure("held-out dermoscopy", test["refused"], f"{n} images, {winner}: share refused", at_most=0.04)]
    for name in ("chest_ct", "lung_histology", "seed_skin"):
        files = sorted(path for path in (DATA / name).rglob("*") if path.suffix.lower() in SUFFIXES)
        share = share_refused(predictor, [path.read_bytes() for path in files])
        bar = None if name == "seed_skin" else 0.99  # phone photos of skin: a distance refuses some of them only
        figures.append(Figure(name, share, f"{len(files)} images: share refused", at_least=bar))
    for draw in (noise, blank, text, screenshot):
        rng = np.random.default_rng(7)
        share = share_refused(predictor, [png(draw(rng)) for _ in range(EACH)])
        figures.append(Figure(draw.__name__, share, f"{EACH} drawn: share refused", at_least=0.99))
    save("soak_refusal", "What is unlike the training data is refused", figures, command="make soak")
    assert not [figure for figure in figures if not figure.passed]
