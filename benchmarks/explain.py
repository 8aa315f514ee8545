"""What an explanation costs in addition to a prediction, and whether it finds an object that was planted, with the real backbone.

Discs lie at random places of every second image of blurred noise; models are fitted on the embeddings of 120 images. A map
is right where its peak lies within 48 px of the disc's centre, 1.5 places of 32 px.
"""

import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.figures import Figure, ratio, save
from pipeline.core import params, paths
from pipeline.core.stage import require
from pipeline.data import litert
from pipeline.data.images.squares import SIZE
from pipeline.data.synthetic import example
from pipeline.estimators import knn, logreg, random_forest
from pipeline.prediction import bundle, explanation
from pipeline.prediction.decision_rule import DecisionRule
from pipeline.prediction.predictor import Predictor

EXACT = ("lesions-mobilenetv2", "lesions-logreg")
ASKED_AGAIN = ("lesions-random_forest", "lesions-knn", "lesions-colours")
TURNS, ROUNDS = 40, 5
N_FITTED, N_SHOWN = 120, 40
RADIUS, NEAR = 24, 48  # px


def planted(rng: np.random.Generator, with_disc: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return a drawn image, uint8 (224, 224, 3), and where the disc's centre (x, y) is or would be."""
    side = SIZE
    blurred = Image.fromarray(rng.uniform(80, 180, (7, 7, 3)).astype(np.uint8)).resize(
        (side, side), Image.Resampling.BICUBIC
    )
    pixels = np.asarray(blurred) + rng.normal(0, 8, (side, side, 3))
    centre = rng.uniform(40, side - 40, 2)
    if with_disc:
        y, x = np.mgrid[:side, :side]
        pixels[(x - centre[0]) ** 2 + (y - centre[1]) ** 2 < RADIUS**2] = 200, 30, 40
    return pixels.clip(0, 255).astype(np.uint8), centre


def hits(model: Any, shown: list[tuple[np.ndarray, np.ndarray]]) -> int:
    """Return for how many of (feature map, centre) the map's peak lies within NEAR of the centre."""
    head = explanation.linear_head(model)
    n = 0
    for feature_map, centre in shown:
        if head:
            heat = explanation.class_activation(feature_map, *head, 1)
        else:
            heat = explanation.positions_left_out(feature_map, model.predict_proba, 1)
        row, column = np.unravel_index(heat.argmax(), heat.shape)
        position = (np.array([column, row]) + 0.5) * SIZE / heat.shape[0]
        n += bool(np.hypot(*(position - centre)) < NEAR)
    return n


def measure() -> list[Figure]:
    """Return how often each kind of model's map finds the disc."""
    embed = litert.Embedder(require(paths.EMBEDDER, "backbone").read_bytes())
    rng = np.random.default_rng(0)
    X = np.stack([embed(planted(rng, bool(n % 2))[0]) for n in range(N_FITTED)])
    y, shown = np.arange(N_FITTED) % 2, []
    for _ in range(N_SHOWN):
        image, centre = planted(rng, with_disc=True)
        shown.append((embed.run(image, feature_map=True).feature_map, centre))
    models = {"logreg": logreg.Params(C=0.001), "random_forest": random_forest.Params(), "knn": knn.Params()}
    modules = {"logreg": logreg, "random_forest": random_forest, "knn": knn}
    how = f"of {N_SHOWN} images; peak within {NEAR} px of the centre of a disc of {2 * RADIUS} px"
    return [
        Figure(
            f"planted disc found, {name}",
            hits(modules[name].build(own, 7).fit(X, y), shown),
            how,
            at_least=0.9 * N_SHOWN,
        )
        for name, own in models.items()
    ]


def seconds(loaded: Predictor, files: list[bytes]) -> tuple[float, float]:
    """Return what a prediction and an explained one take, the best of ROUNDS, by turns."""
    rounds = []
    for _ in range(ROUNDS):
        turn = []
        for ask in (loaded.predict, loaded.explain):
            start = time.process_time()
            for data in files:
                ask(data, "a.jpg")
            turn.append((time.process_time() - start) / len(files))
        rounds.append(turn)
    plain, explained = np.min(rounds, axis=0)
    return float(plain), float(explained)


def main() -> None:
    files = [example.example(number) for number in range(1, TURNS + 1)]
    figures = measure()
    for name in EXACT + ASKED_AGAIN:
        candidate = require(f"models/lesions/candidates/{name}/candidate.json", f"train@{name}").parent
        rule = replace(DecisionRule.read("lesions", name), refusal=np.inf)
        with tempfile.TemporaryDirectory() as folder:
            bundle.write(Path(folder), candidate, rule, {})
            plain, explained = seconds(Predictor(folder), files)
        bar = {"at_most": 3.0} if name in EXACT else {}
        kind = "exact map" if name in EXACT else "asked again"
        what = f"explained against plain prediction, {params.model(name).estimator} on {params.model(name).features}, {kind}"
        figures.append(ratio(what, 1000 * explained, 1000 * plain, "ms of processor time", **bar))
    save("explain", "Explanations", figures)


if __name__ == "__main__":
    main()
