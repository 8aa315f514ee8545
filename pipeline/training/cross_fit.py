"""Cross-fitting: each sample's probabilities by a model that did not see it, and the model fitted on all.

Of several combinations of parameters each fold takes the one that the other folds choose (see `training.tuning`). With
`split.repeats` the folds are drawn several times, and each sample is predicted as often: figures depend less on how the folds
fell. All predictions are judged together, as samples of one group more; probabilities are never averaged over repeats, which
would judge an ensemble that nobody gets.
"""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

from pipeline.core.errors import DataError
from pipeline.core.parallel import on_cluster, run_here, run_parallel
from pipeline.data.dataset import Dataset
from pipeline.estimators._protocol import Model
from pipeline.training import tuning


@dataclass(frozen=True)
class CrossFit:
    """model: fitted on all samples; oof: float64 (n_repeats * n, n_classes); history: fold, epoch, loss, val_loss.

    by_fold int (n_repeats, n_folds), on_all: the number of the combination that each fold took, and the model; log_loss:
    float64 (n_combinations,), the mean over all predictions out of fold. In `history` the folds of a second repeat count on.
    importance: a column of X each, a row for each fold as `permuted` gives it; None where X is no table.
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
    """One fit: which combination, without which folds of which repeat."""

    number: int
    repeat: int
    folds: tuple[int, ...]


@dataclass(frozen=True)
class Part:
    """What a model fitted without some folds says of them: rows int (m,), proba float64 (m, n_classes), its history, and the
    importance of a table's columns.
    """

    rows: np.ndarray
    proba: np.ndarray
    history: pd.DataFrame | None
    importance: dict[str, float] | None


def cross_fit(
    builds: Sequence[Callable[[], Model]], X: Any, dev: Dataset, workers: int, label: str, seed: int
) -> CrossFit:
    """Return the model fitted on all samples, out-of-fold probabilities and every fold's history.

    Each of `builds` makes an unfitted model of one combination. One that records its own epochs has `history_`; of
    others the history is one line a fold: the log loss on what it was fitted on, and on what it was not.
    """
    folds = dev.folds
    dev = replace(dev, arrays={})  # the features are in X, and a fold's work may travel to another machine
    pieces = plan(len(builds), len(folds), int(folds.max()) + 1)
    # Side by side the fit on all, the largest piece of work, goes first: after the folds one core would wait for it.
    # Not on a cluster: what has come through pickle is written as other bytes, though it is the same model.
    together = len(builds) == 1 and workers > 1 and not on_cluster()

    def fit_on_all(number: int) -> Model:
        return fit(builds[number](), X, dev, np.arange(len(dev.y)), f"{label} on all")

    # Given a number, because a cluster's scheduler, which lacks this module, reads what is handed out
    def work(index: int) -> Any:
        if index == len(pieces):
            return fit_on_all(0)
        piece = pieces[index]
        return fit_without(piece, builds[piece.number], X, replace(dev, fold=folds[piece.repeat]), label, seed)

    done = run_parallel(work, [*[len(pieces)] * together, *range(len(pieces))], workers)
    shown = iter(tqdm(done, label, total=len(pieces) + together, unit=" fits", delay=3))
    on_all = next(shown) if together else None
    parts = dict(zip(pieces, shown, strict=True))
    losses = sum_losses(parts, folds, dev.y)
    by_fold, number = tuning.choose(losses)
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
    """Return the log losses by which `tuning.choose` goes, float64 (n_combinations, n_repeats, n_folds, n_folds)."""
    n_folds, n_combinations = int(folds.max()) + 1, max(piece.number for piece in parts) + 1
    losses = np.zeros((n_combinations, len(folds), n_folds, n_folds))
    for piece, part in parts.items():
        of_rows, fold_of = log_losses(part.proba, y[part.rows]), folds[piece.repeat, part.rows]
        for fold, other in {(piece.folds[0], piece.folds[-1]), (piece.folds[-1], piece.folds[0])}:
            losses[piece.number, piece.repeat, other, fold] = of_rows[fold_of == fold].sum()
    return losses


def plan(n_combinations: int, n_repeats: int, n_folds: int) -> list[Piece]:
    """Return the fits besides that on all: without each fold, and to choose of several combinations without each pair."""
    sizes = (1,) if n_combinations == 1 else (1, 2)
    left_out = [folds for size in sizes for folds in itertools.combinations(range(n_folds), size)]
    return list(itertools.starmap(Piece, itertools.product(range(n_combinations), range(n_repeats), left_out)))


def fit_without(piece: Piece, build: Callable[[], Model], X: Any, dev: Dataset, label: str, seed: int) -> Part:
    """Return what an estimator fitted without one fold of `dev`, or two, says of them; history and importance of one alone."""
    out = np.isin(dev.fold, piece.folds)
    rows, left_out = np.flatnonzero(~out), np.flatnonzero(out)
    check_classes(dev, rows)
    numbers = " and ".join(str(fold + 1) for fold in piece.folds)
    looked_at = (rows_of(X, left_out), dev.y[left_out]) if len(piece.folds) == 1 else None
    estimator = fit(build(), X, dev, rows, f"{label} fold {numbers}", looked_at)
    proba = probabilities(estimator, rows_of(X, left_out))
    history = estimator.history_
    if history is None and looked_at:
        known = probabilities(estimator, rows_of(X, rows))
        both = log_losses(known, dev.y[rows]).mean(), log_losses(proba, dev.y[left_out]).mean()
        history = pd.DataFrame([[1, *both]], columns=["epoch", "loss", "val_loss"])
    importance = (
        permuted(estimator, *looked_at, [seed, piece.repeat, *piece.folds]) if is_table(X) and looked_at else None
    )
    return Part(left_out, proba, history, importance)


def is_table(X: Any) -> bool:
    """Return whether the features are columns."""
    return isinstance(X, pd.DataFrame)


def permuted(estimator: Model, X: pd.DataFrame, y: np.ndarray, seed: list[int]) -> dict[str, float]:
    """Return by column how much worse the mean log loss on held-out samples gets when its values change places.

    Permutation importance (Breiman 2001, section 10) of samples that the estimator did not see. Of two columns that say the
    same neither may seem to matter.
    """
    rng, before = np.random.default_rng(seed), log_losses(probabilities(estimator, X), y).mean()
    found = {}
    for column in X:
        mixed = X.assign(**{column: X[column].to_numpy()[rng.permutation(len(X))]})
        found[column] = float(log_losses(probabilities(estimator, mixed), y).mean() - before)
    return found


def rows_of(X: Any, rows: np.ndarray) -> Any:
    """Return the samples at `rows` of an array, a DataFrame or anything indexed like an array."""
    return X.iloc[rows] if is_table(X) else X[rows]


def fit(model: Model, X: Any, dev: Dataset, rows: np.ndarray, label: str, looked_at: tuple | None = None) -> Model:
    """Return the model fitted on some rows, with their groups; `looked_at` (X, y) is for its learning curve alone."""
    return model.fit(rows_of(X, rows), dev.y[rows], dev.group[rows], label, looked_at)


def check_classes(dev: Dataset, rows: np.ndarray) -> None:
    """Raise DataError, naming it, where a class has no sample among `rows`."""
    absent = [name for k, name in enumerate(dev.classes) if not (dev.y[rows] == k).any()]
    if absent:
        raise DataError(f"a training fold lacks the class {', '.join(absent)}; collect more of it or lower split.folds")


def probabilities(estimator: Model, X: Any) -> np.ndarray:
    """Return predict_proba as float64 (n, n_classes)."""
    return np.asarray(estimator.predict_proba(X), dtype=np.float64).clip(0, 1)  # a sum of votes may end a hair above 1


def log_losses(proba: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the negative logarithm of the probability of each sample's class, clipped at 1e-15, (n,)."""
    return -np.log(np.clip(proba[np.arange(len(y)), y], 1e-15, 1))
