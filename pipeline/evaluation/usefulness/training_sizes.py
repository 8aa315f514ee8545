"""Fit the champion on parts of each training fold.

Each part is made of whole groups, drawn once for each fold; the larger contain the smaller. All are scored on the same samples
out of fold, without calibration, which few samples do not allow.
"""

import numpy as np
from tqdm import tqdm

from pipeline.core import params
from pipeline.core.parallel import run_parallel
from pipeline.data.dataset import Dataset
from pipeline.estimators._protocol import get_estimator
from pipeline.evaluation.usefulness.learning_curve import LearningCurve, Step
from pipeline.stats import intervals
from pipeline.stats.bootstrap import bootstrap
from pipeline.stats.extrapolation import gain
from pipeline.stats.metrics import scores
from pipeline.training.cross_fit import fit, probabilities, rows_of
from pipeline.training.export import read_oof
from pipeline.training.job import load_features, remove_scratch
from pipeline.training.refit import builder

FRACTIONS = (0.25, 0.5, 0.75)
METRICS = ("roc_auc", "log_loss")


def parts(dev: Dataset, fold: int, seed: int) -> list[np.ndarray]:
    """Return the rows, int (m,), of each of `FRACTIONS` of a fold's training groups."""
    outside = np.flatnonzero(dev.fold != fold)
    groups = np.random.default_rng([seed, fold]).permutation(np.unique(dev.group[outside]))
    return [outside[np.isin(dev.group[outside], groups[: round(fraction * len(groups))])] for fraction in FRACTIONS]


def predict(task: str, model: str, dev: Dataset) -> tuple[list[int], list[np.ndarray]]:
    """Return the mean training sizes, and the probabilities (n, n_classes) out of fold at each, all of it last.

    A fraction of which a fold lacks a class is left out.
    """
    folds, seed = range(int(dev.fold.max()) + 1), params.seed()
    rows = {(k, fold): part for fold in folds for k, part in enumerate(parts(dev, fold, seed))}
    lacking = {k for (k, _), part in rows.items() if len(set(dev.y[part])) < len(dev.classes)}
    pieces = [piece for piece in rows if piece[0] not in lacking]
    build = builder(task, model)
    X = load_features(dev, task, params.model(model).features, model)

    def fit_part(piece: tuple[int, int]) -> np.ndarray:
        estimator = fit(build(), X, dev, rows[piece], f"{model} on {FRACTIONS[piece[0]]:.0%}")
        return probabilities(estimator, rows_of(X, np.flatnonzero(dev.fold == piece[1])))

    workers = get_estimator(params.model(model).estimator).use_workers(params.workers())
    done = tqdm(run_parallel(fit_part, pieces, workers), f"learning curve {model}", len(pieces), unit=" fits", delay=3)
    out = {k: np.full((len(dev.y), len(dev.classes)), np.nan) for k, _ in pieces}
    for (k, fold), predicted in zip(pieces, done, strict=True):
        out[k][dev.fold == fold] = predicted
    remove_scratch(X)
    sizes = [round(np.mean([len(rows[k, fold]) for fold in folds])) for k in sorted(out)]
    whole = round(np.mean([np.sum(dev.fold != fold) for fold in folds]))
    return [*sizes, whole], [*(out[k] for k in sorted(out)), read_oof(task, model)[: len(dev.y)]]


def score(dev: Dataset, model: str, sizes: list[int], probas: list[np.ndarray], draws: int) -> LearningCurve:
    """Return the learning curve of predictions at several training sizes."""
    n_folds, n_groups = int(dev.fold.max()) + 1, len(set(dev.group))
    rarest = min(len(set(dev.group[dev.y == k])) for k in range(len(dev.classes)))
    widening = intervals.of_training(n_folds)
    drawn, figures, steps = [], [], []
    for n, proba in zip(sizes, probas, strict=True):
        decided = proba.argmax(axis=1)
        drawn.append(bootstrap(dev.y, proba, decided, dev.group, draws, params.seed()))
        figures.append(scores(dev.y, proba, decided))
        ci = {
            name: intervals.of_metric(name, figures[-1][name], drawn[-1][name], n_groups, rarest, widening.of(name))
            for name in METRICS
        }
        steps.append(Step(n, figures[-1]["roc_auc"], figures[-1]["log_loss"], ci))
    doubled = {
        name: gain(
            np.array(sizes, float),
            np.array([of[name] for of in figures]),
            np.stack([of[name] for of in drawn], axis=1),
            sizes[-1],
            2 * sizes[-1],
            n_groups,
            intervals.nadeau_bengio(n_folds),
        )
        for name in METRICS
    }
    return LearningCurve(model, steps, doubled)
