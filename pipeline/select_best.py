"""Stage `select_best@task`: choose the champion by out-of-fold results, say why, and export it to `models/<task>/best/`.

Reads cv reports, decisions and out-of-fold predictions of the task's models; never the test set.
Writes `reports/<task>/selection.json` too.
"""

import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.core import artifacts, params, params_models
from pipeline.core.paths import TaskPaths
from pipeline.core.stage import require, run
from pipeline.data.dataset import Dataset
from pipeline.evaluation.calibration import SCALED, out_of_fold
from pipeline.evaluation.selection import RULE, explain, number, select
from pipeline.monitoring.baseline import reference
from pipeline.prediction import bundle
from pipeline.prediction.decision_rule import DecisionRule, calibrate, decide
from pipeline.prediction.predictor import Predictor
from pipeline.stats.bootstrap import bootstrap


def main(name: str) -> None:
    task = params.task(name)
    metric = task.select.metric
    dev = Dataset.load(require(TaskPaths(name).dev_npz, f"preprocess@{name}"))
    reports, decisions, draws = {}, {}, {}
    for model in task.models:
        reports[model] = artifacts.read_json(require(TaskPaths(name).cv(model), f"evaluate@{model}"))
        decisions[model] = DecisionRule.read(name, model)
        oof = np.load(require(TaskPaths(name).oof(model), f"train@{model}"))["proba"]
        judged = dev.tiled(len(oof) // len(dev.y))
        proba = calibrate(oof, decisions[model])
        decided = decide(proba, decisions[model])
        if metric in SCALED:
            proba = out_of_fold(judged, oof, decisions[model])
        draws[model] = bootstrap(judged.y, proba, decided, judged.group, task.select.draws, params.seed())
    key = params_models.metric_key(metric, len(dev.classes))
    scores = {model: number(report[key]) for model, report in reports.items()}
    ci = {model: [number(end) for end in report["ci"][key]] for model, report in reports.items()}
    chosen = select(scores, {model: found[key] for model, found in draws.items()}, params_models.METRICS[metric])
    winner = chosen["winner"]
    reason = explain(chosen, metric, scores, ci)
    exported = export(name, winner, decisions[winner], reports[winner])
    artifacts.write_json(
        TaskPaths(name).selection,
        {"task": name, "metric": metric, "rule": RULE, "reason": reason, "scores": scores, "bundle": exported} | chosen,
    )
    print(f"select_best {name}: {reason}", file=sys.stderr)


def export(task: str, winner: str, rule: DecisionRule, report: dict[str, Any]) -> str:
    """Write the winner's bundle to `models/<task>/best/`, with the answers that it gives when loaded from disk.

    To the figures of `report` it adds what a server is to expect (see `monitoring.baseline`). Returns the SHA-256 of the
    bundle's bundle.json, by which selection.json, and so git, vouches for it.
    """
    candidate = TaskPaths(task).candidate(winner)
    dev = Dataset.load(require(TaskPaths(task).dev_npz, f"preprocess@{task}"))
    report = report | {"reference": reference(dev, candidate, rule)}
    with tempfile.TemporaryDirectory() as scratch:
        bundle.write(Path(scratch), candidate, rule, report)
        answers = Predictor(scratch).golden()
    best = TaskPaths(task).best
    bundle.write(best, candidate, rule, report, answers)
    return bundle.read_content(best)[1]


if __name__ == "__main__":
    run(main)
