"""Recipes of fine-tuning against the one that the project has, at sites left out and on degraded copies.

Each of two sites of HAM10000 is left out in turn. Networks are trained on 600 photos of the balanced subset from the other sites
(4 views, 6 epochs, another draw of photos and another seed in each fit), and scored on photos of the site left out and on photos
of other lesions from the sites trained on, as they are and degraded. A gain is the mean difference in ROC AUC to the project's
recipe; its 95 % interval is over draws of lesions and of fits, paired.

It needs `dvc repro backbone`, writes the last section of `benchmarks/network.md`, and takes some 12 minutes of processor time.
Resumable: predictions are kept in `.cache/recipes`.
"""

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image
from tqdm import tqdm

from benchmarks.altered import blurred, compressed, to_image
from benchmarks.figures import DATA, HERE, Figure, save
from pipeline.core import artifacts, paths
from pipeline.core.augment_params import AugmentParams
from pipeline.core.stage import require
from pipeline.data import litert
from pipeline.data.images.squares import resize
from pipeline.estimators import _network, mobilenetv2
from pipeline.estimators._fine_tuning import FineTune
from pipeline.estimators._frozen_maps import MappedImages, block_input, frozen_maps, map_images
from pipeline.estimators._head import fit_head
from pipeline.stats.bootstrap import bootstrap, difference_interval

CACHE, PAGE = paths.CACHE / "recipes", HERE / "network.md"
SECTION = "## Recipes at sites left out and on degraded copies\n"
SITES = ("rosendahl", "vidir_modern")  # the two with malignant lesions enough
TUNE, SEEDS, DRAWS = FineTune(views=4, epochs=6), (1, 2), 1000
PHOTOS, EACH = 600, 300  # that a network learns from; that are scored of each class, there and here
AVERAGED = 0.95  # what stays of the averaged weights in a step: an epoch has 19
DEGRADED: dict[str, Callable[[Image.Image], Image.Image]] = {
    "a quarter of the resolution": lambda image: image.resize((image.width // 4, image.height // 4)),
    "JPEG of quality 30": lambda image: compressed(30)(image, np.random.default_rng(0)),
    "blur of 2 px": lambda image: blurred(2)(image, np.random.default_rng(0)),
    "warmer": lambda image: to_image(np.asarray(image) * np.array([1.2, 1, 0.8])),
}
OURS = "the recipe"
FITS = {  # a fit: the preset of `augment:`, how much labels are smoothed, the rate of a block in that of the next one
    OURS: ("standard", 0.0, 1.0),
    "labels smoothed by 0.1": ("standard", 0.1, 1.0),
    "rates by layer: .7 of the next block's": ("standard", 0.0, 0.7),
    "augment: dermoscopy": ("dermoscopy", 0.0, 1.0),
}
OF_THE_RECIPE = ("weights averaged over steps", "averaged over two flips")  # from the same fit as the recipe itself
POOLED = ("as they are", "degraded, mean of four", "sites left out, mean of two")
RECIPES = [*list(FITS)[1:], *OF_THE_RECIPE]


def photos(site: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the photos to learn from, and those that are scored: EACH of a class at `site` (`there`) and at the others."""
    balanced = pd.read_csv(DATA / "skin_binary/labels.csv").assign(folder="skin_binary")
    whole = pd.read_csv(DATA / "ham10000/labels.csv").assign(folder="ham10000")
    whole = whole[~whole["group"].isin(set(balanced["group"]))].assign(label=lambda table: table["binary"])
    learnt = balanced[balanced["site"] != site].reset_index(drop=True)
    scored = pd.concat([balanced[balanced["site"] == site], whole]).assign(there=lambda table: table["site"] == site)
    drawn = scored.sample(frac=1, random_state=7).groupby(["there", "label"]).head(EACH)
    return learnt, drawn.sort_values("path").reset_index(drop=True)


def opened(row: Any) -> Image.Image:
    """Return the photo of a row."""
    return Image.open(DATA / row.folder / row.path).convert("RGB")


def learning(site: str, learnt: pd.DataFrame, preset: str) -> MappedImages:
    """Return the images to learn from, whose pixels and maps lie in the cache."""
    folder, embed = CACHE / site, litert.Embedder(require(paths.EMBEDDER, "backbone").read_bytes())
    file = folder / "pixels.npy"
    if not file.exists():
        with artifacts.writing_npy(file, np.uint8, (len(learnt), 224, 224, 3)) as write_row:
            for row in learnt.itertuples():
                write_row(resize(np.asarray(opened(row))))
        pixels = np.load(file, mmap_mode="r")
        np.save(folder / "embedding.npy", np.stack([embed(np.asarray(square)) for square in pixels]))
    embedding = np.load(folder / "embedding.npy")
    return map_images(embedding, np.load(file, mmap_mode="r"), folder, AugmentParams.model_validate(preset))


def scored_maps(site: str, scored: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray]:
    """Return which photo is in which row and how it is shown, and the maps (n, 2 flips, height, width, n_channels)."""
    shown = [scored.assign(shown="as they are")]
    shown += [scored[~scored["there"]].assign(shown=name) for name in DEGRADED]
    rows, file = pd.concat(shown, ignore_index=True), CACHE / site / "scored.npy"
    if not file.exists():
        model = _network.load_pretrained()
        maps = block_input(model, TUNE.from_block)
        embed = litert.Embedder(_network.convert(_network.import_keras().Model(model.input, maps)))
        with artifacts.writing_npy(file, np.float16, (len(rows), 2, *maps.shape[1:])) as write_row:
            for row in tqdm(rows.itertuples(), f"{site}: maps", len(rows)):
                degrade = DEGRADED.get(row.shown, lambda image: image)
                square = resize(np.asarray(degrade(opened(row))))
                write_row(np.stack([embed(square), embed(np.ascontiguousarray(square[:, ::-1]))]))
    return rows, np.load(file, mmap_mode="r")


def fit(X: MappedImages, y: np.ndarray, seed: int, smoothing: float, decay: float) -> tuple[Any, list[np.ndarray]]:
    """Return the trained layers as a model, and their weights averaged over steps."""
    keras = _network.import_keras()
    from pipeline.estimators._keras_classes import Batches

    made = mobilenetv2.build(mobilenetv2.Params(dropout=0.3, fine_tune=TUNE), seed)
    made.head_, _ = fit_head(X.row_embedding, y, made.params, seed, None)
    tail = made._make_tail(len(y))
    blocks = list(dict.fromkeys(block_of(variable.path) for variable in tail.trainable_variables))
    factors = [decay ** (len(blocks) - 1 - blocks.index(block_of(v.path))) for v in tail.trainable_variables]

    class ByLayer(keras.optimizers.Adam):
        def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
            factor = factors[self._get_variable_index(variable)]
            super().update_step(gradient, variable, learning_rate * factor)

    def smoothed(labels: Any, proba: Any) -> Any:
        logs = keras.ops.log(keras.ops.clip(proba, 1e-7, 1))
        one_hot = keras.ops.one_hot(keras.ops.reshape(labels, (-1,)), 2)
        return -keras.ops.sum((one_hot * (1 - smoothing) + smoothing / 2) * logs, axis=-1)

    averaged = [np.asarray(variable).copy() for variable in tail.trainable_variables]

    def average(batch: int, logs: Any) -> None:
        for mean, variable in zip(averaged, tail.trainable_variables, strict=True):
            mean += (1 - AVERAGED) * (np.asarray(variable) - mean)

    tail.compile(ByLayer(tail.optimizer._learning_rate), smoothed)
    batches = Batches(
        frozen_maps(X, TUNE.from_block, TUNE.views, 7, "maps"), X.rows, y, np.ones(len(y)), TUNE.batch_size, seed
    )
    averaging = keras.callbacks.LambdaCallback(on_train_batch_end=average)
    tail.fit(batches, epochs=TUNE.epochs, shuffle=False, verbose=0, callbacks=[averaging])
    return tail, averaged


def block_of(path: str) -> str:
    """Return the block that a variable such as block_13_expand/kernel belongs to."""
    return "_".join(path.split("/")[-2].split("_")[:2])


def answers(model: Any, maps: np.ndarray) -> np.ndarray:
    """Return the probability of the second class, float (n,)."""
    parts = [model.predict_on_batch(maps[k : k + 64].astype(np.float32))[:, 1] for k in range(0, len(maps), 64)]
    return np.concatenate(parts)


def trained(site: str, seed: int) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
    """Return the scored rows and the probabilities of each recipe."""
    learnt, scored = photos(site)
    rows, maps = scored_maps(site, scored)
    probas = answered(site, seed)
    chosen = np.sort(np.random.default_rng(seed).permutation(len(learnt))[:PHOTOS])
    y = (learnt["label"] == "malignant").to_numpy().astype(int)[chosen]
    for name, (preset, smoothing, decay) in FITS.items():
        if name in probas:
            continue
        model, averaged = fit(learning(site, learnt, preset)[chosen], y, seed, smoothing, decay)
        probas[name] = answers(model, maps[:, 0])
        if name == OURS:
            probas[OF_THE_RECIPE[1]] = (probas[OURS] + answers(model, maps[:, 1])) / 2
            for variable, mean in zip(model.trainable_variables, averaged, strict=True):
                variable.assign(mean)
            probas[OF_THE_RECIPE[0]] = answers(model, maps[:, 0])
        artifacts.write_npz(CACHE / site / f"answers-{seed}.npz", probas)
        print(f"{site}, seed {seed}: {name}", file=sys.stderr, flush=True)
    return rows, probas


def answered(site: str, seed: int) -> dict[str, np.ndarray]:
    """Return the probabilities of the recipes that were trained."""
    file = CACHE / site / f"answers-{seed}.npz"
    return dict(np.load(file)) if file.exists() else {}


def drawn_areas(rows: pd.DataFrame, proba: np.ndarray) -> np.ndarray:
    """Return the ROC AUC of all rows, and of DRAWS draws of lesions, float (1 + DRAWS,); the same draws for each model."""
    y, both = (rows["label"] == "malignant").to_numpy().astype(int), np.stack([1 - proba, proba], axis=1)
    group, decided = rows["group"].to_numpy(), (proba > 0.5).astype(int)
    drawn = bootstrap(y, both, decided, group, DRAWS, 7)["roc_auc"]
    return np.concatenate([[area(y, proba)], drawn])


def area(y: np.ndarray, proba: np.ndarray) -> float:
    """Return the ROC AUC by ranks."""
    ranks = pd.Series(proba).rank().to_numpy()
    n = int(y.sum())
    return float((ranks[y == 1].sum() - n * (n + 1) / 2) / (n * (len(y) - n)))


def measured() -> tuple[dict[tuple[str, str], np.ndarray], int]:
    """Return the areas of each set and recipe, float (1 + DRAWS,), and the number of seeds that are complete.

    The first is of all rows, averaged over fits; each draw has lesions and fits drawn with replacement.
    """
    areas: dict[tuple[str, str], list[np.ndarray]] = {}
    seeds = [seed for seed in SEEDS if all(answered(site, seed).keys() >= {*RECIPES, OURS} for site in SITES)]
    for site in SITES:
        for seed in seeds:
            rows, probas = trained(site, seed)
            sets = {f"site left out: {site}": rows["there"]}
            sets |= {name: ~rows["there"] & (rows["shown"] == name) for name in ("as they are", *DEGRADED)}
            for name, chosen in sets.items():
                for recipe, proba in probas.items():
                    areas.setdefault((name, recipe), []).append(drawn_areas(rows[chosen], proba[chosen.to_numpy()]))
    result, rng = {}, np.random.default_rng(7)
    order = {n: rng.integers(n, size=(DRAWS, n)) for n in (len(seeds), 2 * len(seeds))}
    for key, parts in areas.items():
        stacked = np.stack(parts)
        draws = stacked[order[len(parts)].T, np.arange(1, DRAWS + 1)].mean(axis=0)
        result[key] = np.concatenate([[stacked[:, 0].mean()], draws])
    members_of = (tuple(DEGRADED), tuple(f"site left out: {site}" for site in SITES))
    for name, members in zip(POOLED[1:], members_of, strict=True):
        for recipe in [OURS, *RECIPES]:
            result[name, recipe] = np.mean([result[member, recipe] for member in members], axis=0)
    return result, len(seeds)


def gain(areas: dict[tuple[str, str], np.ndarray], shown: str, recipe: str) -> tuple[float, float, float]:
    """Return how much a recipe gains over the project's, and the ends of its interval."""
    after, before = areas[shown, recipe], areas[shown, OURS]
    low, high = difference_interval(after[1:], before[1:])
    return after[0] - before[0], low, high


def section(areas: dict[tuple[str, str], np.ndarray], n_seeds: int) -> str:
    """Return the last section of the page."""
    sets = list(dict.fromkeys(shown for shown, _ in areas))
    lines = [f"| scored on | {OURS} | {' | '.join(RECIPES)} |", "|---" * (len(RECIPES) + 2) + "|"]
    for shown in sets:
        cells = ["{:+.3f} [{:+.3f}, {:+.3f}]".format(*gain(areas, shown, recipe)) for recipe in RECIPES]
        lines.append(f"| {shown} | {areas[shown, OURS][0]:.3f} | {' | '.join(cells)} |")
    text = (__doc__ or "").split("\n\n")[1]
    better = {recipe for recipe in RECIPES for shown in POOLED if gain(areas, shown, recipe)[1] > 0}
    verdict = f"Beyond chance on one of the pooled lines: {', '.join(sorted(better)) or 'none of them'}."
    return (
        "\n".join([SECTION, f"{text}\n\n`python -m benchmarks.recipes`, {n_seeds} fits a site. {verdict}\n", *lines])
        + "\n"
    )


def main() -> None:
    """Train what is missing and write the figures; `--show` writes those of the seeds that are complete."""
    if not (DATA / "ham10000").is_dir():
        sys.exit(f"{DATA / 'ham10000'} is missing: the photos are no part of the project")
    _network.use_threads(litert.cores())
    for seed in () if "--show" in sys.argv else SEEDS:
        for site in SITES:
            trained(site, seed)
    areas, n_seeds = measured()
    page = PAGE.read_text(encoding="utf-8").split(SECTION)[0]
    PAGE.write_text(page.rstrip() + "\n\n" + section(areas, n_seeds), encoding="utf-8")
    figures = []
    for recipe in RECIPES:
        for shown in POOLED:
            value, low, high = gain(areas, shown, recipe)
            how = f"roc_auc of the recipe {areas[shown, OURS][0]:.3f}, paired, {low:+.3f} to {high:+.3f}"
            figures.append(Figure(f"{recipe}: gain, {shown}", value, how))
    save("recipes", "Recipes of fine-tuning", figures)


if __name__ == "__main__":
    main()
