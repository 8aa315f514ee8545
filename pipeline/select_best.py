"""Stage `select_best@task`: select the champion by out-of-fold results and export it to `models/<task>/best/`.

Reads cv reports, decision rules and out-of-fold predictions of the task's models; never the test set.
Writes `reports/<task>/selection.json` too, and differences.csv, each two models in each figure.
"""

import sys
import tempfile
from pathlib import Path

from pipeline.core import artifacts, params, params_models
from pipeline.core.paths import TaskPaths
from pipeline.core.stage import run
from pipeline.data.dataset import Dataset
from pipeline.evaluation import by_group, out_of_fold
from pipeline.evaluation.candidates import ComparedModel, resample
from pipeline.evaluation.report import Report, read_cv
from pipeline.evaluation.selection import Selection, all_differences, explain, promise, select
from pipeline.monitoring.baseline import count_out_of_fold
from pipeline.prediction import bundle, portable_files, self_test
from pipeline.prediction.decision_rule import DecisionRule
from pipeline.prediction.predictor import Predictor
from pipeline.training.export import read_oof


def main(name: str) -> None:
    task = params.task(name)
    metric = task.select.metric
    dev = Dataset.read(name, "dev")
    rules = {model: DecisionRule.read(name, model) for model in task.models}
    models = {model: candidate(name, model, dev, rules[model]) for model in task.models}
    key = params_models.metric_key(metric, len(dev.classes))
    unit = next((rule.unit for rule in rules.values()), by_group.SAMPLE)
    n_folds, n_groups = int(dev.fold.max()) + 1, len(set(dev.group))
    choice = select(models, key, params_models.METRICS[metric], n_folds, n_groups)
    winner, reason = choice.winner, explain(choice, key, models, unit)
    selection = Selection(
        **vars(choice),
        task=name,
        metric=metric,
        reason=reason,
        promise=promise(choice, key, models, unit),
        scores={model: candidate.figure(key) for model, candidate in models.items()},
        bundle=export(name, winner, rules[winner], read_cv(name, winner), choice.warning),
    )
    artifacts.write_json(TaskPaths(name).selection, selection)
    artifacts.write_csv(TaskPaths(name).differences, all_differences(models, n_folds, n_groups))
    print(f"select_best {name}: {reason}", file=sys.stderr)


def candidate(task: str, model: str, dev: Dataset, rule: DecisionRule) -> ComparedModel:
    """Return one of the task's models, to be compared."""
    report = read_cv(task, model)
    select_by = params.task(task).select
    counted, scaled = out_of_fold.Predictions(dev, read_oof(task, model)), None
    if rule.unit != by_group.SAMPLE and report.by_group:
        counted, scaled = out_of_fold.read_units(model, rule, report.by_group)
    point, n_draws = select_by.operating_point, select_by.draws
    drawn = resample(counted.data, counted.raw, rule, point, n_draws, params.seed(), scaled)
    return ComparedModel(report.of_unit(rule.unit), drawn, params.model(model).estimator == "dummy")


def export(task: str, winner: str, rule: DecisionRule, report: Report, warning: str) -> str:
    """Write the winner's bundle to `models/<task>/best/`, with the predictions that it makes when loaded from disk.

    To the figures of `report` it adds what a server is to expect (see `monitoring.baseline`). `warning` goes with every
    answer. Returns the SHA-256 of bundle.json, which selection.json records, so that git can confirm the bundle.
    """
    candidate = TaskPaths(task).candidate(winner)
    dev = Dataset.read(task, "dev")
    figures = report.to_json() | {"reference": count_out_of_fold(dev, candidate, rule)}
    with tempfile.TemporaryDirectory() as scratch:
        bundle.write(Path(scratch), candidate, rule, figures, remake=portable_files.make)
        answers = self_test.golden_predictions(Predictor(scratch))
    best = TaskPaths(task).best
    bundle.write(best, candidate, rule, figures, answers, warning, remake=portable_files.make)
    return bundle.read(best).sha256


if __name__ == "__main__":
    run(main)
