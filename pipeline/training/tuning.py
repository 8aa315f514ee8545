"""Tuning inside the folds: which of several values of a model's parameters is taken, chosen where the score cannot see it.

A list in a model's block (`C: [0.001, 0.01, 0.1]`) is tried value by value, several lists in all combinations. Whoever takes the
combination that scores best out of fold and reports that score reports the luck of the choice, too (Cawley and Talbot 2010;
Varma and Simon 2006). So each fold's choice is made by cross-validation over the other folds, whose samples alone it is
trained on, and the fold is scored by what was chosen without it. The model that is kept is chosen over all folds.

By log loss, summed over samples: it is defined for any number of classes, needs no threshold, and few samples suffice to
tell two values apart. Of equal ones the first wins.
"""

import itertools
from typing import Any

import numpy as np

from pipeline.training.candidate import Tuned


def combinations(own: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the blocks that a model's `own` keys stand for, one for each combination of listed values, the last key fastest."""
    values = [value if isinstance(value, list) else [value] for value in own.values()]
    return [dict(zip(own, chosen, strict=True)) for chosen in itertools.product(*values)]


def choose(losses: np.ndarray) -> tuple[np.ndarray, int]:
    """Return the numbers of the combinations that the folds take, int (n_repeats, n_folds), and that the model on all takes.

    `losses` (n_combinations, n_repeats, n_folds, n_folds): at [c, r, i, j] the log loss summed over fold j of combination c
    fitted without the folds i and j; where i is j, without that one.
    """
    without_own = losses * (1 - np.eye(losses.shape[-1]))
    return np.argmin(without_own.sum(axis=-1), axis=0), int(np.argmin(on_diagonal(losses)))


def on_diagonal(losses: np.ndarray) -> np.ndarray:
    """Return the log loss of each combination summed over the samples of all repeats, each fitted without its fold alone."""
    return np.trace(losses, axis1=-2, axis2=-1).sum(axis=1)


def describe(own: dict[str, Any], by_fold: np.ndarray, on_all: int, log_loss: np.ndarray) -> Tuned:
    """Return what was chosen of the listed keys; `log_loss` (n_combinations,) is the mean over all samples, out of fold."""
    listed = [name for name, value in own.items() if isinstance(value, list)]
    tried = [{name: block[name] for name in listed} for block in combinations(own)]
    return Tuned(
        chosen=tried[on_all],
        by_fold=[tried[number] for number in by_fold.ravel()],
        tried=[block | {"log_loss": float(loss)} for block, loss in zip(tried, log_loss, strict=True)],
    )
