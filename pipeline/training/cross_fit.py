"""Cross-fitting: each sample's probabilities by a model that did not see it, and the model fitted on all.

With several combinations of parameters, each fold uses the one that the other folds choose (see `training.tuning`). With
`split.repeats` the folds are drawn several times and each sample is predicted as often, so that results depend less on one draw.
All predictions are scored together, those of one sample in the same group. Probabilities are not averaged over repeats: that
would score an ensemble, which is not the model that is kept.
"""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

from pipeline.core.errors import DataError
from pipeline.core.mapped_rows import blocks
from pipeline.core.parallel import on_cluster, run_parallel
from pipeline.core.threads import run_here
from pipeline.data.dataset import Dataset
from pipeline.estimators._protocol import Model
from pipeline.training import importance, tuning


@dataclass(frozen=True)
class CrossFit:
    """model: fitted on all samples; oof: float64 (n_repeats * n, n_classes); history: fold, epoch, loss, val_loss.

    by_fold int (n_repeats, n_folds) and on_all: the number of the combination that each fold and the model use. log_loss:
    float64 (n_combinations,), the mean over all out-of-fold predictions. In `history` the folds of later repeats are numbered on.
    importance: a column for each column of X, a row per fold (see `training.importance`); None where X is not a table.
    """

    model: Model
    oof: np.ndarray
    history: pd.DataFrame
    by_fold: np.ndarray
    on_all: int
    log_loss: np.ndarray
    importance: pd.DataFrame | None


@dataclass(frozen=True)
class Piece:
    """One fit: the number of the combination, and the repeat and folds that are left out."""

    number: int
    repeat: int
    folds: tuple[int, ...]


@dataclass(frozen=True)
class Part:
    """Predictions for the folds left out: rows int (m,), proba float64 (m, n_classes), history and importance of columns."""

    rows: np.ndarray
    proba: np.ndarray
    history: pd.DataFrame | None
    importance: dict[str, float] | None


def cross_fit(
    builds: Sequence[Callable[[], Model]], X: Any, dev: Dataset, workers: int, label: str, seed: int
) -> CrossFit:
    """Return the model fitted on all samples, out-of-fold probabilities and every fold's history.

    Each of `builds` returns an unfitted model of one combination. Where a model has no `history_`, its history is one line a
    fold: the log loss on the samples that it was fitted on, and on those left out.
    """
    folds = dev.folds
    dev = replace(dev, arrays={})  # the features are in X, and a fold's work may be sent to another machine
    pieces = plan(len(builds), len(folds), int(folds.max()) + 1)
    columns = importance.leading(X, dev.y) if is_table(X) else []
    # In parallel the fit on all samples, the longest, comes first: at the end all other cores would wait for it.
    # Not on a cluster: an unpickled model is saved as other bytes, though it is the same model.
    with_folds = len(builds) == 1 and workers > 1 and not on_cluster()

    def fit_on_all(number: int) -> Model:
        return fit(builds[number](), X, dev, np.arange(len(dev.y)), f"{label} on all")

    # Takes a number, because a cluster's scheduler, which lacks this module, unpickles the items
    def work(index: int) -> Any:
        if index == len(pieces):
            return fit_on_all(0)
        piece = pieces[index]
        of_repeat = replace(dev, fold=folds[piece.repeat])
        return fit_without(piece, builds[piece.number], X, of_repeat, label, seed, columns)

    done = run_parallel(work, [*[len(pieces)] * with_folds, *range(len(pieces))], workers)
    results = iter(tqdm(done, label, total=len(pieces) + with_folds, unit=" fits", delay=3))
    on_all = next(results) if with_folds else None
    parts = dict(zip(pieces, results, strict=True))
    losses = sum_losses(parts, folds, dev.y)
    by_fold, number = tuning.choose_combinations(losses)
    chosen = [parts[Piece(int(by_fold[index]), index[0], index[1:])] for index in np.ndindex(by_fold.shape)]
    histories = [part.history.assign(fold=fold) for fold, part in enumerate(chosen)]
    oof = np.full((*folds.shape, len(dev.classes)), np.nan)
    for (repeat, _), part in zip(np.ndindex(by_fold.shape), chosen, strict=True):
        oof[repeat, part.rows] = part.proba
    return CrossFit(
        on_all or next(run_here(fit_on_all, [number], 1)),
        oof.reshape(-1, len(dev.classes)),
        pd.concat(histories)[["fold", "epoch", "loss", "val_loss"]],
        by_fold,
        number,
        tuning.on_diagonal(losses) / folds.size,
        pd.DataFrame([part.importance for part in chosen]) if is_table(X) else None,
    )


def sum_losses(parts: dict[Piece, Part], folds: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the log losses by which `tuning.choose_combinations` goes, float64 (n_combinations, n_repeats, n_folds, n_folds)."""
    n_folds, n_combinations = int(folds.max()) + 1, max(piece.number for piece in parts) + 1
    losses = np.zeros((n_combinations, len(folds), n_folds, n_folds))
    for piece, part in parts.items():
        of_rows, fold_of = log_losses(part.proba, y[part.rows]), folds[piece.repeat, part.rows]
        for fold, other in {(piece.folds[0], piece.folds[-1]), (piece.folds[-1], piece.folds[0])}:
            losses[piece.number, piece.repeat, other, fold] = of_rows[fold_of == fold].sum()
    return losses


def plan(n_combinations: int, n_repeats: int, n_folds: int) -> list[Piece]:
    """Return the fits without each fold and, for several combinations, without each pair of folds."""
    sizes = (1,) if n_combinations == 1 else (1, 2)
    left_out = [folds for size in sizes for folds in itertools.combinations(range(n_folds), size)]
    return list(itertools.starmap(Piece, itertools.product(range(n_combinations), range(n_repeats), left_out)))


def fit_without(
    piece: Piece, build: Callable[[], Model], X: Any, dev: Dataset, label: str, seed: int, columns: list[str]
) -> Part:
    """Return the predictions of a model fitted without one or two folds of `dev`; history and importance for one alone.

    `columns`: those whose importance is measured.
    """
    out = np.isin(dev.fold, piece.folds)
    rows, left_out = np.flatnonzero(~out), np.flatnonzero(out)
    check_classes(dev, rows)
    numbers = " and ".join(str(fold + 1) for fold in piece.folds)
    held_out = (rows_of(X, left_out), dev.y[left_out]) if len(piece.folds) == 1 else None
    model = fit(build(), X, dev, rows, f"{label} fold {numbers}", held_out)
    proba = probabilities(model, rows_of(X, left_out))
    history = model.history_
    if history is None and held_out:
        fitted = probabilities(model, rows_of(X, rows))
        both = log_losses(fitted, dev.y[rows]).mean(), log_losses(proba, dev.y[left_out]).mean()
        history = pd.DataFrame([[1, *both]], columns=["epoch", "loss", "val_loss"])
    measured = None
    if is_table(X) and held_out:
        losses = partial(losses_of, model)
        measured = importance.permuted(losses, *held_out, columns, [seed, piece.repeat, *piece.folds])
    return Part(left_out, proba, history, measured)


def losses_of(model: Model, X: Any, y: np.ndarray) -> np.ndarray:
    """Return the log loss of each sample, (n,)."""
    return log_losses(probabilities(model, X), y)


def is_table(X: Any) -> bool:
    """Return whether the features are columns."""
    return isinstance(X, pd.DataFrame)


def rows_of(X: Any, rows: np.ndarray) -> Any:
    """Return the samples at `rows` of an array, a DataFrame or anything indexed like an array."""
    return X.iloc[rows] if is_table(X) else X[rows]


def fit(model: Model, X: Any, dev: Dataset, rows: np.ndarray, label: str, held_out: tuple | None = None) -> Model:
    """Return the model fitted on some rows, with their groups; `held_out` (X, y) is for its learning curve alone."""
    return model.fit(rows_of(X, rows), dev.y[rows], dev.group[rows], label, held_out)


def check_classes(dev: Dataset, rows: np.ndarray) -> None:
    """Raise DataError, naming it, where a class has no sample among `rows`."""
    absent = [name for k, name in enumerate(dev.classes) if not (dev.y[rows] == k).any()]
    if absent:
        raise DataError(f"a training fold lacks the class {', '.join(absent)}; collect more of it or lower split.folds")


def probabilities(model: Model, X: Any) -> np.ndarray:
    """Return predict_proba as float64 (n, n_classes)."""
    predicted = [np.asarray(model.predict_proba(block), dtype=np.float64) for block in blocks(X)]
    return np.concatenate(predicted).clip(0, 1)  # a sum of votes may end a hair above 1


def log_losses(proba: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the negative logarithm of the probability of each sample's class, clipped at 1e-15, (n,)."""
    return -np.log(np.clip(proba[np.arange(len(y)), y], 1e-15, 1))
