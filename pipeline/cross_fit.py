"""Cross-fitting: each sample's probabilities by a model that did not see it, and the model fitted on all.

Of several combinations of parameters each fold takes the one that the other folds choose (see `pipeline.tuning`).
"""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

from pipeline import tuning
from pipeline.dataset import Dataset
from pipeline.parallel import on_cluster, run_here, run_parallel
from pipeline.stage import DataError


@dataclass(frozen=True)
class CrossFit:
    """estimator: fitted on all samples; oof: float64 (n, n_classes); history: fold, epoch, loss, val_loss.

    by_fold, on_all: the number of the combination that each fold took, and the estimator; log_loss: float64 (n_combinations,),
    the mean over all samples out of fold.
    """

    estimator: Any
    oof: np.ndarray
    history: pd.DataFrame
    by_fold: list[int]
    on_all: int
    log_loss: np.ndarray


@dataclass(frozen=True)
class Part:
    """What a model fitted without some folds says of them: rows int (m,), proba float64 (m, n_classes), and its history."""

    rows: np.ndarray
    proba: np.ndarray
    history: pd.DataFrame | None


def cross_fit(builds: Sequence[Callable[[], Any]], X: Any, dev: Dataset, workers: int, label: str) -> CrossFit:
    """Return the estimator fitted on all samples, out-of-fold probabilities and every fold's history.

    Each of `builds` makes an unfitted estimator of one combination. One that records its own epochs has `history_`; of
    others the history is one line a fold: the log loss on what it was fitted on, and on what it was not.
    """
    dev = replace(dev, arrays={})  # the features are in X, and a fold's work may travel to another machine
    n_folds = int(dev.fold.max()) + 1
    n_left_out = (1,) if len(builds) == 1 else (1, 2)
    left_out = [folds for size in n_left_out for folds in itertools.combinations(range(n_folds), size)]
    pieces: list[tuple[int, tuple[int, ...]]] = [(number, folds) for number in range(len(builds)) for folds in left_out]
    # Side by side the fit on all, the largest piece of work, goes first: after the folds one core would wait for it.
    # Not on a cluster: what has come through pickle is written as other bytes, though it is the same model.
    together = len(builds) == 1 and workers > 1 and not on_cluster()
    pieces = [(0, ()), *pieces] if together else pieces

    def work(piece: tuple[int, tuple[int, ...]]) -> Any:
        number, folds = piece
        return fit_without(folds, builds[number], X, dev, label) if folds else fit_on_all(number)

    def fit_on_all(number: int) -> Any:
        return fit(builds[number](), X, dev, np.arange(len(dev.y)), f"{label} on all")

    losses = np.zeros((len(builds), n_folds, n_folds))
    probas = np.full((len(builds), len(dev.y), len(dev.classes)), np.nan)
    histories, fitted = {}, []
    shown = tqdm(run_parallel(work, pieces, workers), label, total=len(pieces), unit=" fits", delay=3)
    for (number, folds), done in zip(pieces, shown, strict=True):
        if not folds:
            fitted.append(done)
            continue
        losses[number] += losses_by_fold(done, folds, dev, n_folds)
        if len(folds) == 1:
            probas[number, done.rows], histories[number, folds[0]] = done.proba, done.history
    by_fold, on_all = tuning.choose(losses)
    estimator = fitted[0] if fitted else next(run_here(fit_on_all, [on_all], 1))
    chosen = [histories[number, fold].assign(fold=fold) for fold, number in enumerate(by_fold)]
    return CrossFit(
        estimator,
        probas[np.array(by_fold)[dev.fold], np.arange(len(dev.y))],
        pd.concat(chosen)[["fold", "epoch", "loss", "val_loss"]],
        by_fold,
        on_all,
        np.trace(losses, axis1=1, axis2=2) / len(dev.y),
    )


def fit_without(folds: tuple[int, ...], build: Callable[[], Any], X: Any, dev: Dataset, label: str) -> Part:
    """Return what an estimator fitted without one fold, or two, says of them; a history of one alone."""
    out = np.isin(dev.fold, folds)
    rows, left_out = np.flatnonzero(~out), np.flatnonzero(out)
    check_classes(dev, rows)
    numbers = " and ".join(str(fold + 1) for fold in folds)
    looked_at = (rows_of(X, left_out), dev.y[left_out]) if len(folds) == 1 else None
    estimator = fit(build(), X, dev, rows, f"{label} fold {numbers}", looked_at)
    proba = probabilities(estimator, rows_of(X, left_out))
    history = getattr(estimator, "history_", None)
    if history is None and len(folds) == 1:
        known = probabilities(estimator, rows_of(X, rows))
        both = log_losses(known, dev.y[rows]).mean(), log_losses(proba, dev.y[left_out]).mean()
        history = pd.DataFrame([[1, *both]], columns=["epoch", "loss", "val_loss"])
    return Part(left_out, proba, history)


def losses_by_fold(part: Part, folds: tuple[int, ...], dev: Dataset, n_folds: int) -> np.ndarray:
    """Return (n_folds, n_folds) as `tuning.choose` takes them, 0 where the part says nothing."""
    found = np.zeros((n_folds, n_folds))
    of_rows = log_losses(part.proba, dev.y[part.rows])
    for fold in folds:
        found[sum(folds) - fold if len(folds) == 2 else fold, fold] = of_rows[dev.fold[part.rows] == fold].sum()
    return found


def rows_of(X: Any, rows: np.ndarray) -> Any:
    """Return the samples at `rows` of an array, a DataFrame or anything indexed like an array."""
    return X.iloc[rows] if isinstance(X, pd.DataFrame) else X[rows]


def fit(estimator: Any, X: Any, dev: Dataset, rows: np.ndarray, label: str, looked_at: tuple | None = None) -> Any:
    """Return the estimator fitted on some rows.

    A network is also given their groups, to stop early on whole ones, and `looked_at` (X, y) for its learning curve.
    """
    if hasattr(estimator, "fit_grouped"):
        return estimator.fit_grouped(rows_of(X, rows), dev.y[rows], dev.group[rows], label, looked_at)
    return estimator.fit(rows_of(X, rows), dev.y[rows])


def check_classes(dev: Dataset, rows: np.ndarray) -> None:
    """Raise DataError, naming it, where a class has no sample among `rows`."""
    absent = [name for k, name in enumerate(dev.classes) if not (dev.y[rows] == k).any()]
    if absent:
        raise DataError(f"a training fold lacks the class {', '.join(absent)}; collect more of it or lower split.folds")


def probabilities(estimator: Any, X: Any) -> np.ndarray:
    """Return predict_proba as float64 (n, n_classes)."""
    return np.asarray(estimator.predict_proba(X), dtype=np.float64).clip(0, 1)  # a sum of votes may end a hair above 1


def log_losses(proba: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the negative logarithm of the probability of each sample's class, clipped at 1e-15, (n,)."""
    return -np.log(np.clip(proba[np.arange(len(y)), y], 1e-15, 1))
