"""What a server is to expect of samples like the training data: the counts of a candidate's out-of-fold predictions.

select_best puts it into the champion's bundle.json, under `metrics`, for `monitoring.drift`; git's reports do without.
"""

from pathlib import Path
from typing import Any

import numpy as np

from pipeline.data.dataset import Dataset
from pipeline.data.tabular.field import Field
from pipeline.monitoring import histograms
from pipeline.prediction import ood_tables
from pipeline.prediction.decision_rule import DecisionRule, calibrate, decide
from pipeline.training.candidate import Candidate


def reference(dev: Dataset, candidate: Path, rule: DecisionRule) -> dict[str, Any]:
    """Return `Tally.to_json` of the candidate in a folder on the development set, with n_groups and the names of the places."""
    saved, about = np.load(candidate / "oof.npz"), Candidate.read(candidate)
    proba, repeats = calibrate(saved["proba"], rule), len(saved["proba"]) // len(dev.y)
    distance = np.tile(saved["distance"] / rule.refusal, repeats)
    refused = distance > 1
    if "beyond" in saved:
        refused |= np.tile(saved["beyond"], repeats) > ood_tables.FAR
    seen = distance, np.tile(saved["places"], (repeats, 1))
    tally = histograms.expected(dev.classes, decide(proba, rule), proba, seen, refused)
    schema = about.schema if about.kind == "table" else None
    return tally.to_json() | {"n_groups": len(set(dev.group)), "names": names(schema, saved["places"].shape[1])}


def names(schema: list[Field] | None, k: int) -> list[str]:
    """Return what the k places are: columns of the table, or directions, of which 1 is the one that varies most."""
    if schema:
        return [field.name for field in ood_tables.varied(schema)]
    return [f"direction {number}" for number in range(k, 0, -1)]
