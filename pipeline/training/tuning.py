"""Tuning inside the folds: choose among listed values of a model's parameters on data that the score does not use.

A list in a model's block (`C: [0.001, 0.01, 0.1]`) is tried value by value, several lists in all combinations. The out-of-fold
score of the best combination is biased by the choice (Cawley and Talbot 2010; Varma and Simon 2006). So each
fold's combination is chosen by cross-validation over the other folds, whose samples alone the models are fitted on. The model
that is kept uses the combination chosen over all folds.

The criterion is the log loss summed over samples: it is defined for any number of classes, needs no threshold, and few samples
are enough to tell two values apart. Among equal values the first is chosen.

To choose for fold i, fold j is predicted by a model fitted without both folds. The same model predicts fold i to choose for fold
j: a pair of folds costs one fit, not two.
"""

import numpy as np

from pipeline.core import params
from pipeline.training.candidate import Tuned, Values


def choose_combinations(losses: np.ndarray) -> tuple[np.ndarray, int]:
    """Return the numbers of the combinations chosen for the folds, int (n_repeats, n_folds), and for the model on all samples.

    `losses` (n_combinations, n_repeats, n_folds, n_folds): at [c, r, i, j] the log loss summed over fold j of combination c
    fitted without the folds i and j; where i is j, without that one.
    """
    without_own = losses * (1 - np.eye(losses.shape[-1]))
    return np.argmin(without_own.sum(axis=-1), axis=0), int(np.argmin(on_diagonal(losses)))


def on_diagonal(losses: np.ndarray) -> np.ndarray:
    """Return the log loss of each combination summed over the samples of all repeats, each fitted without its fold alone."""
    return np.trace(losses, axis1=-2, axis2=-1).sum(axis=1)


def describe_choice(own: Values, by_fold: np.ndarray, on_all: int, log_loss: np.ndarray) -> Tuned:
    """Return what was chosen of the listed keys; `log_loss` (n_combinations,) is the mean over all samples, out of fold."""
    listed = [name for name, value in own.items() if isinstance(value, list)]
    tried = [{name: block[name] for name in listed} for block in params.combinations(own)]
    return Tuned(
        chosen=tried[on_all],
        by_fold=[tried[number] for number in by_fold.ravel()],
        tried=[block | {"log_loss": float(loss)} for block, loss in zip(tried, log_loss, strict=True)],
    )
