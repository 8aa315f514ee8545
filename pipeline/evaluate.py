"""Stage `evaluate@task`: evaluate each model from its out-of-fold predictions, one after the other.

Writes `reports/<task>/cv/<model>.json`, the decision rule `models/<task>/decisions/<model>.json`, and roc, confusion and history:
as CSV, for `dvc plots`, to `reports/<task>/plots/<kind>/<model>.csv`, as PNG to `reports/<task>/figures/<model>/`. The latter
also has reliability and coverage as CSV and PNG, importance for tables, and for two classes thresholds and
calibration_curve as CSV. `models/<task>/suspects/<model>.csv` lists samples whose label is suspect. Candidates of models that
params.yaml does not name any more go, as DVC's record of the folder would differ from that of a clone; DVC's cache keeps them.
"""

import shutil
import sys

from pipeline.core import artifacts, params
from pipeline.core.paths import TaskPaths
from pipeline.core.stage import run
from pipeline.evaluation import out_of_fold, out_of_fold_charts


def main(task: str) -> None:
    models = params.task(task).models
    remove_others(task, models)
    for model in models:
        evaluate(task, model)


def remove_others(task: str, models: list[str]) -> None:
    """Delete the candidates of models that the task has no longer, and say so on stderr."""
    for file in sorted(TaskPaths(task).candidate(models[0]).parent.glob("*/candidate.json")):
        if file.parent.name not in models:
            shutil.rmtree(file.parent)
            print(f"evaluate {task}: {file.parent.as_posix()} removed: params.yaml has no such model", file=sys.stderr)


def evaluate(task: str, model: str) -> None:
    """Write the files of one model."""
    oof = out_of_fold.read(model)
    chosen = out_of_fold.choose_rule(oof)
    report = out_of_fold.score(oof, chosen, params.task(task).select)
    paths = TaskPaths(task)
    out_of_fold_charts.write_charts(oof, chosen, report["roc_auc"], paths)
    artifacts.write_csv(paths.suspects(model), out_of_fold_charts.suspects(oof, chosen))
    artifacts.write_json(paths.decision_rule(model), chosen.rule)
    artifacts.write_json(paths.cv(model), report)


if __name__ == "__main__":
    run(main)
