"""The result that a leaking shipped split would have given: the champion trained on the data as shipped, on the same test set.

Development samples that are also in the shipped test set, or share a group with it, are left out of development. Here they are
included for one fit, which is not kept. The champion's test report shows both results.
"""

import numpy as np

from pipeline.core import params
from pipeline.core.paths import TaskPaths
from pipeline.data import feature_arrays
from pipeline.data.audit_result import AuditResult
from pipeline.data.dataset import Dataset
from pipeline.data.samples import read_samples, read_split
from pipeline.evaluation.report import AsPublished
from pipeline.evaluation.scoring import assess
from pipeline.training.cross_fit import fit, probabilities
from pipeline.training.refit import unfitted

SHOWN = ("roc_auc", "accuracy", "balanced_accuracy", "recall", "specificity")
LEAK = "leak:"


def as_published(task: str, model: str, test: Dataset) -> AsPublished | None:
    """Return the figures of `model` fitted on development and leaked samples.

    None where the shipped split does not leak, and for a network that is fine-tuned, which would take minutes. It decides by
    the most probable class: the threshold was chosen for the model without the leak.
    """
    if params.task(task).split.by != "shipped":
        return None
    folder = TaskPaths(task).data
    split = read_split(task)
    added = split["reason"].str.startswith(LEAK)
    features = params.model(model).features
    if not added.any() or features == "pixels":
        return None
    row_of = {path: row for row, path in enumerate(read_samples(task)["path"])}
    arrays = feature_arrays.load_features(folder / "scan", params.task(task))
    shipped = split.assign(subset=split["subset"].mask(added, "dev"), fold="0")
    whole = feature_arrays.take(shipped, "dev", test.classes, arrays, row_of)
    estimator = fit(unfitted(task, model), whole.X(features), whole, np.arange(len(whole.y)), f"as published {model}")
    proba = probabilities(estimator, test.X(features))
    report = assess(test, proba, proba.argmax(axis=1), params.task(task).select.draws, params.seed())
    figures = {name: report[name] for name in SHOWN if name in report.figures}
    return AsPublished(
        figures,
        {name: report.ci[name] for name in figures},
        n_added=int(added.sum()),
        n_leaked=leaked(AuditResult.read(task), set(test.path)),
    )


def leaked(audit: AuditResult, test: set[str]) -> int:
    """Return how many of the test samples are also outside of the test set."""
    return len(test & {path for paths in audit.leaks for path in paths})
