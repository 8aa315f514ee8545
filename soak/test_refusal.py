"""A model of dermoscopy refuses what is no dermoscopy, and no dermoscopy for its resolution, sharpness, compression or light."""

import io
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from benchmarks.figures import DATA, Figure, save
from pipeline.core.paths import TaskPaths
from pipeline.data.images.limits import SUFFIXES
from pipeline.data.written_samples import read_split
from pipeline.prediction import bundle
from pipeline.prediction.decision_rule import DecisionRule
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


def jpeg(image: Image.Image, quality: int) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality)
    return out.getvalue()


def scaled(image: Image.Image, factor: float) -> bytes:
    size = (round(image.width * factor), round(image.height * factor))
    return png(image.resize(size, Image.Resampling.LANCZOS))


def lit(image: Image.Image, *gains: float) -> bytes:
    return png(Image.fromarray((np.asarray(image) * np.array(gains)).clip(0, 255).astype(np.uint8)))


def framed(image: Image.Image) -> bytes:
    margin = image.height // 10
    page = Image.new("RGB", (image.width + 2 * margin, image.height + 2 * margin))
    page.paste(image, (margin, margin))
    return png(page)


def with_ruler(image: Image.Image) -> bytes:
    drawn, unit = image.copy(), image.height / 150
    pen, bottom = ImageDraw.Draw(drawn), image.height - 1
    for number, x in enumerate(np.arange(0, image.width, 6 * unit)):
        pen.line([x, bottom, x, bottom - (14 if number % 5 == 0 else 8) * unit], fill=(20, 20, 20), width=round(unit))
    return png(drawn)


def with_hair(image: Image.Image) -> bytes:
    rng = np.random.default_rng(list(image.tobytes()[:64]))
    drawn = image.resize((image.width * 4, image.height * 4), Image.Resampling.BICUBIC)
    pen, t = ImageDraw.Draw(drawn), np.linspace(0, 1, 30)[:, None]
    for _ in range(int(rng.integers(8, 20))):
        start, middle, end = rng.uniform(0, 1, (3, 2)) * drawn.size
        curve = (1 - t) ** 2 * start + 2 * t * (1 - t) * middle + t**2 * end
        shade = tuple(rng.integers(15, 60, 3).tolist())
        pen.line([tuple(point) for point in curve], fill=shade, width=int(rng.integers(3, 7)))
    return png(drawn.resize(image.size, Image.Resampling.LANCZOS))


DEGRADED: dict[str, Callable[[Image.Image], bytes]] = {
    **{f"{factor} times the resolution": partial(scaled, factor=factor) for factor in (0.25, 0.5, 2, 4)},
    **{f"JPEG of quality {quality}": partial(jpeg, quality=quality) for quality in (30, 60, 100)},
    **{
        f"blur of {radius} px": lambda image, radius=radius: png(image.filter(ImageFilter.GaussianBlur(radius)))
        for radius in (1, 2)
    },
    "darker by 20 %": lambda image: lit(image, 0.8, 0.8, 0.8),
    "brighter by 20 %": lambda image: lit(image, 1.2, 1.2, 1.2),
    "warmer": lambda image: lit(image, 1.2, 1, 0.8),
    "cooler": lambda image: lit(image, 0.8, 1, 1.2),
    "border": framed,
    "ruler": with_ruler,
    "hair": with_hair,
}
OTHER = ("chest_ct", "lung_histology", "seed_skin")
MODELS = ("mobilenetv2", "logreg")  # of which init_task fine-tunes the former


def share_refused(predictor: Predictor, files: Iterable[bytes]) -> float:
    return float(np.mean([predictor.predict(data, "image")["refused"] for data in files]))


def image_files(name: str) -> list[Path]:
    return sorted(path for path in (DATA / name).rglob("*") if path.suffix.lower() in SUFFIXES)


def measure(model: str, predictor: Predictor, held_out: list[Path]) -> Iterator[Figure]:
    """Yield what a model refuses of held-out images, of degraded copies of them, and of other things."""
    files = [path.read_bytes() for path in held_out]
    note = f"{len(files)} images, {model}: share refused"
    yield Figure(f"held-out dermoscopy, {model}", share_refused(predictor, files), note, at_most=0.04)
    opened = [Image.open(io.BytesIO(data)).convert("RGB") for data in files]
    for name, degrade in DEGRADED.items():
        share = share_refused(predictor, map(degrade, opened))
        yield Figure(f"{name}, {model}", share, note, at_most=0.1)
    for name in OTHER:
        files = [path.read_bytes() for path in image_files(name)]
        share, bar = share_refused(predictor, files), 0.7 if name == "seed_skin" else 0.99
        yield Figure(f"{name}, {model}", share, f"{len(files)} images: share refused", at_least=bar)
    for draw in (noise, blank, text, screenshot):
        rng = np.random.default_rng(7)
        share = share_refused(predictor, [png(draw(rng)) for _ in range(EACH)])
        yield Figure(f"{draw.__name__}, {model}", share, f"{EACH} drawn: share refused", at_least=0.99)


@pytest.mark.skipif(not (DATA / "skin_binary").is_dir(), reason="the real data are not here")
def test_content_is_refused_and_the_camera_is_not(tmp_path, monkeypatch):
    project = new_project(tmp_path)
    project.run("python", "-m", "pipeline.init_task", "skin", str(DATA / "skin_binary"))
    # What is refused is decided by maps of the frozen network, whatever is learnt: one epoch is enough
    project.change(
        **{"models__skin-mobilenetv2__fine_tune__epochs": 1, "models__skin-mobilenetv2__fine_tune__views": 1}
    )
    models = [f"skin-{name}" for name in MODELS]
    blocks = project.params()["models"]
    others = {name for name, block in blocks.items() if block["task"] == "skin"} - set(models)
    kept = {name: block for name, block in blocks.items() if name not in others}
    project.change(tasks__skin__models=models, models=kept)
    project.run("dvc", "repro", "evaluate@skin", timeout=6000)
    monkeypatch.chdir(tmp_path)
    split = read_split("skin")
    held_out = [DATA / "skin_binary" / path for path in split.loc[split["subset"] == "test", "path"]]
    figures = []
    for model in models:
        bundle.write(tmp_path / model, TaskPaths("skin").candidate(model), DecisionRule.read("skin", model), {})
        figures += measure(model, Predictor(tmp_path / model), held_out)
    save("soak_refusal", "What is unlike the training data is refused", figures, command="make soak")
    assert not [figure for figure in figures if not figure.passed]
