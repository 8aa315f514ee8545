"""Which of several models to take, and what the choice itself adds to the figure of the one that is taken."""

import numpy as np

WINDOW = 0.01  # of a figure: within it candidates are compared by log loss
SIMPLER = 0.5  # standard errors of a difference of log losses that a candidate listed earlier may be behind


def choose(figures: np.ndarray, losses: np.ndarray, reach: np.ndarray) -> np.ndarray:
    """Return the index, int (...,), of the chosen candidate.

    Among the candidates whose figure is within `WINDOW` of the best, the first whose log loss is at most `reach` above the lowest
    of theirs. So the figure decides where it differs, the probabilities where it does not, and the list where neither does.

    Parameters
    ----------
    figures, losses : float (..., m), of candidates in the order of their list; a figure is the better the higher it is, NaN is
        none, and at least one is needed; for a loss 0 is the best
    reach : float (m, m), symmetric: `SIMPLER` standard errors of the difference of two log losses
    """
    best = np.nanmax(figures, axis=-1, keepdims=True)
    # figures have six digits, and .90 - .89 is a hair above .01
    inside = figures >= best - WINDOW - 1e-9
    candidates = np.where(inside, losses, np.inf)
    lowest = candidates.argmin(axis=-1)
    limit = candidates.min(axis=-1)[..., None] + reach[lowest]
    return np.argmax(candidates <= limit, axis=-1)


def cost_of_choice(chosen: np.ndarray, left_out: np.ndarray, winner: int) -> float:
    """Return by how much the winner's figure is expected to fall on new samples because it was chosen for it.

    Bootstrap bias-corrected cross-validation (Tsamardinos, Greasidou and Borboudakis 2018, "Bootstrapping the out-of-sample
    predictions for efficient and accurate cross-validation", Machine Learning 107:1895): in each resample the choice is made
    anew, and what it takes is scored on the samples that the resample left out. The winner's own figures there are subtracted
    draw by draw, which takes out the noise of resampling: where the same model is always chosen, nothing is left.

    Parameters
    ----------
    chosen : int (draws,), the candidate that is chosen on the samples drawn
    left_out : float (draws, m), the candidates' figures on the others; NaN where a class is missing
    winner : the candidate that is chosen on all samples
    """
    fall = left_out[:, winner] - left_out[np.arange(len(chosen)), chosen]
    defined = fall[~np.isnan(fall)]
    return float(defined.mean()) if len(defined) else 0.0
