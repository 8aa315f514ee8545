"""Coverage against risk: how often a model is wrong about the samples it is let answer, the fewer the safer it may be.

(El-Yaniv and Wiener 2010, "On the foundations of noise-free selective classification".)
"""

import numpy as np
import pandas as pd

POINTS = 100


def coverage(wrong: np.ndarray, confidence: np.ndarray, distance: np.ndarray) -> pd.DataFrame:
    """Return by, coverage and risk: the error of the share that is answered, the surest first, or the most familiar.

    `wrong` bool (n,), `confidence` the probability of the decided class (n,), `distance` how unlike the training data (n,).
    """
    parts = []
    for by, order in (("confidence", -confidence), ("familiarity", distance)):
        n = np.arange(1, len(wrong) + 1)
        risk = np.cumsum(wrong[np.argsort(order, kind="stable")]) / n
        kept = np.unique(np.linspace(0, len(n) - 1, POINTS).round().astype(int))
        parts.append(pd.DataFrame({"by": by, "coverage": n[kept] / len(n), "risk": risk[kept]}))
    return pd.concat(parts)
