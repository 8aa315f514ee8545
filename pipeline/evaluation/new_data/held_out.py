"""Score candidates on the test set, through the Predictor that serves, and rank them.

`as_published` gives the result that a leaking shipped split would have had: development samples that are also in the shipped test
set, or share a group with it, are left out of development; there they are included for one fit, which is not kept.
"""

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from pipeline.core import params, params_models
from pipeline.core.parallel import run_parallel
from pipeline.core.params_models import TaskParams
from pipeline.core.paths import TaskPaths
from pipeline.core.threads import scratch_folder
from pipeline.data import feature_arrays
from pipeline.data.audit_result import AuditResult
from pipeline.data.dataset import Dataset
from pipeline.data.folders.archives import folder_of
from pipeline.data.images import image_file
from pipeline.data.written_samples import read_samples, read_split
from pipeline.evaluation import by_group, by_group_report, operating_point, subgroups
from pipeline.evaluation.new_data import test_set_evaluations
from pipeline.evaluation.report import AsPublished, Report, read_cv
from pipeline.evaluation.scoring import assess, with_refusals
from pipeline.evaluation.usefulness import decision_curve
from pipeline.prediction import batch, bundle, ood_images
from pipeline.prediction.batch import BatchScores
from pipeline.prediction.decision_rule import DecisionRule, decide
from pipeline.prediction.predictor import Predictor
from pipeline.training.candidate import Candidate
from pipeline.training.cross_fit import fit, probabilities
from pipeline.training.refit import builder

OF_LEAK = ("roc_auc", "accuracy", "balanced_accuracy", "recall", "specificity")
LEAK = "leak:"


def predict_images(rows: np.ndarray, predictor: Predictor, paths: list[Path]) -> BatchScores:
    """Return the scores of the images in these rows of `paths` by a network that runs on pixels."""
    return batch.score_alone(predictor, [predictor.load(image_file.read(paths[row])) for row in rows])


def predict_test(folder: Path, test: Dataset, raw: Path, workers: int, label: str) -> BatchScores:
    """Return the predictions of the test set by the bundle in `folder`.

    Embeddings and columns come from test.npz, where they are bit for bit what `Predictor.features` gives.
    """
    predictor = Predictor(folder)
    features = predictor.info.features
    if features != "pixels":
        kind = ood_images.compared_features(features)
        compared = test.arrays[kind] if kind in test.arrays else np.empty((0, 0))
        return batch.score_rows(predictor, test.X(features), compared)
    work = partial(predict_images, predictor=predictor, paths=[raw / path for path in test.path])
    parts = np.array_split(np.arange(len(test.y)), max(1, len(test.y) // 32))
    return batch.joined(list(tqdm(run_parallel(work, parts, workers), label, len(parts), unit=" batches", delay=3)))


def rank(
    reports: dict[str, Report], tests: dict[str, Report], winner: str, metric: str, key: str, unit: str = "sample"
) -> pd.DataFrame:
    """Return the leaderboard, the best out-of-fold figure of a `unit` first; `reports` and `tests` by model.

    Where samples are answered together, figures of these are further columns, which begin with by_group.
    """
    rows = []
    for model, report in reports.items():
        low, high = report.ci[key]
        block = params.model(model)
        rows.append(
            {
                "model": model,
                "estimator": block.estimator,
                "features": block.features,
                metric: report[key],
                f"{metric}_low": low,
                f"{metric}_high": high,
                "brier": report["brier_score_loss"],
                f"test_{metric}": tests[model][key],
                "champion": "yes" if model == winner else "",
            }
            | of_groups(report, tests[model], metric, key)
        )
    better = params_models.METRICS[metric]
    table = pd.DataFrame(rows)
    by = f"by_group_{metric}" if unit != "sample" and f"by_group_{metric}" in table else metric
    table = table.sort_values(by, ascending=not better, kind="stable", na_position="last")
    table.insert(0, "rank", range(1, len(table) + 1))
    return table


def of_groups(report: Report, test: Report, metric: str, key: str) -> dict[str, float]:
    """Return the leaderboard's columns on samples that are answered together; none where there are none."""
    if report.by_group is None or test.by_group is None:
        return {}
    low, high = report.by_group.ci[key]
    name = f"by_group_{metric}"
    return {name: report.by_group[key], f"{name}_low": low, f"{name}_high": high, f"test_{name}": test.by_group[key]}


def score_model(name: str, model: str, task: TaskParams, test: Dataset) -> Report:
    """Return a model's report on the test set."""
    rule = DecisionRule.read(name, model)
    with scratch_folder() as folder:
        bundle.write(folder, TaskPaths(name).candidate(model), rule, {})
        label = f"holdout {name}: {model}"
        predicted = predict_test(folder, test, folder_of(task.raw), params.workers(), label)
    proba, refused = predicted.proba, predicted.refused
    decided, draws, seed = decide(proba, rule), task.select.draws, params.seed()
    report = with_refusals(assess(test, proba, decided, draws, seed), test, decided, refused)
    report = decision_curve.with_net_benefit(report, test, decided, rule.threshold)
    parts, grouped = subgroups.read(name, "test", test), None
    if rule.pooling:
        units = by_group.of_task(name, "test", test, task.select)
        grouped = by_group_report.of_samples(units, predicted.raw, refused, rule, task.select, parts)
    return replace(
        report,
        subgroups=subgroups.score(parts, test, proba, decided, draws),
        operating_point=operating_point.describe(report, rule, task.select.operating_point.prevalence)
        if test.positive
        else None,
        data_fingerprint=test.fingerprint,
        by_group=grouped,
    )


def candidate(name: str, model: str) -> test_set_evaluations.CandidateId:
    """Return the id of a candidate of the task `name` in test_looks.csv."""
    fitted = Candidate.read(TaskPaths(name).candidate(model))
    return test_set_evaluations.identify(fitted, DecisionRule.read(name, model), read_cv(name, model))


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
    estimator = fit(builder(task, model)(), whole.X(features), whole, np.arange(len(whole.y)), f"as published {model}")
    proba = probabilities(estimator, test.X(features))
    report = assess(test, proba, proba.argmax(axis=1), params.task(task).select.draws, params.seed())
    figures = {name: report[name] for name in OF_LEAK if name in report.figures}
    return AsPublished(
        figures,
        {name: report.ci[name] for name in figures},
        n_added=int(added.sum()),
        n_leaked=leaked(AuditResult.read(task), set(test.path)),
    )


def leaked(audit: AuditResult, test: set[str]) -> int:
    """Return how many of the test samples are also outside of the test set."""
    return len(test & {path for paths in audit.leaks for path in paths})
