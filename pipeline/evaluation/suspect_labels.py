"""Development samples whose label contradicts their out-of-fold probability, as a table: to look at, not to correct unseen."""

import numpy as np
import pandas as pd

from pipeline.data.dataset import Dataset
from pipeline.stats.confident_learning import suspects

COLUMNS = ["path", "label", "instead", "probability"]


def table(dev: Dataset, proba: np.ndarray) -> pd.DataFrame:
    """Return path, label, instead (the class it may be), the probability of the label, the most suspect first.

    `proba` (n, n_classes): out of fold.
    """
    ranked = suspects(dev.y, proba)
    names = np.array(dev.classes)
    columns = {
        "path": dev.path[ranked.rows],
        "label": names[dev.y[ranked.rows]],
        "instead": names[ranked.instead],
        "probability": proba[ranked.rows, dev.y[ranked.rows]],
    }
    return pd.DataFrame(columns, columns=COLUMNS)


def in_words(rows: pd.DataFrame, n: int, what: str) -> str:
    """Return how many labels are suspect, as a sentence."""
    if not len(rows):
        return f"No label of the {n} development {what}s contradicts its probability out of fold."
    verb = "has a label that contradicts its" if len(rows) == 1 else "have a label that contradicts their"
    return f"{len(rows)} of {n} development {what}s {verb} probability out of fold (confident learning, Northcutt et al. 2021)."
