"""Stage `select_best@task`: choose the champion by out-of-fold results, say why, and export it to `models/<task>/best/`.

Reads cv reports, decisions and out-of-fold predictions of the task's models; never the test set.
Writes `reports/<task>/selection.json` too.
"""

import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from pipeline import artifacts, bundle, params
from pipeline.bootstrap import bootstrap, difference_interval
from pipeline.calibrate import SCALED, out_of_fold
from pipeline.dataset import Dataset
from pipeline.decision import calibrate, decide
from pipeline.predictor import Predictor
from pipeline.reference import reference
from pipeline.stage import DataError, require, run

RULE = (
    "Candidates are compared on the same out-of-fold predictions by a paired bootstrap over groups. Those whose 95 % "
    "interval of the difference to the best contains 0 are tied with it; of these the first in the task's list wins."
)


def select(scores: dict[str, float], draws: dict[str, np.ndarray], higher_is_better: bool) -> dict[str, Any]:
    """Return winner, runner_up, tied, difference and difference_ci (runner-up minus winner).

    `scores` holds each model's figure, `draws` its paired bootstrap draws (n_draws,), both in the order of the task's list. A
    model without a figure (NaN) can neither win nor tie; raises DataError where none has one.
    """
    sign = 1 if higher_is_better else -1
    ranked = sorted((m for m in scores if not np.isnan(scores[m])), key=lambda m: -sign * scores[m])
    if not ranked:
        raise DataError(f"the metric is defined for none of {', '.join(scores)}; choose another select.metric")
    best = ranked[0]
    tied = [model for model in scores if model in ranked and (model == best or not differ(draws[model], draws[best]))]
    winner = tied[0]
    others = [model for model in ranked if model != winner]
    if not others:
        return {"winner": winner, "runner_up": None, "tied": [], "difference": None, "difference_ci": None}
    runner_up = others[0]
    return {
        "winner": winner,
        "runner_up": runner_up,
        "tied": [model for model in tied if model != winner],
        "difference": scores[runner_up] - scores[winner],
        "difference_ci": difference_interval(draws[runner_up], draws[winner]),
    }


def differ(a: np.ndarray, b: np.ndarray) -> bool:
    """Return whether two models' paired draws differ at the 5 % level; undefined draws show no difference."""
    low, high = difference_interval(a, b)
    return low > 0 or high < 0


def explain(chosen: dict[str, Any], metric: str, scores: dict[str, float], ci: dict[str, list[float]]) -> str:
    """Return the verdict as a sentence."""
    winner, runner_up = chosen["winner"], chosen["runner_up"]
    low, high = ci[winner]
    sentence = f"{winner} wins: {metric} {scores[winner]:.3f} [{low:.3f}, {high:.3f}]"
    if runner_up is None:
        return sentence + "; it is the only model"
    low, high = chosen["difference_ci"]
    difference = f"difference {chosen['difference']:+.3f} [{low:+.3f}, {high:+.3f}]"
    if runner_up in chosen["tied"]:
        also = len(chosen["tied"]) - 1
        more = f", nor are {also} more" if also > 1 else ", nor is one more" if also else ""
        return f"{sentence}; {runner_up} {scores[runner_up]:.3f} is not distinguishable ({difference}){more}"
    sentence = f"{sentence}; next is {runner_up} {scores[runner_up]:.3f} ({difference})"
    return sentence + (f"; not distinguishable: {', '.join(chosen['tied'])}" if chosen["tied"] else "")


def number(figure: float | None) -> float:
    """Return a report's figure, NaN where JSON has null."""
    return np.nan if figure is None else figure


def main(name: str) -> None:
    task = params.task(name)
    metric = task.select.metric
    dev = Dataset.load(require(f"data/{name}/dev.npz", f"preprocess@{name}"))
    reports, decisions, draws = {}, {}, {}
    for model in task.models:
        reports[model] = artifacts.read_json(require(f"reports/{name}/cv/{model}.json", f"evaluate@{model}"))
        decisions[model] = artifacts.read_json(require(f"models/{name}/decisions/{model}.json", f"evaluate@{model}"))
        oof = np.load(require(f"models/{name}/candidates/{model}/oof.npz", f"train@{model}"))["proba"]
        judged = dev.tiled(len(oof) // len(dev.y))
        proba = calibrate(oof, decisions[model])
        decided = decide(proba, decisions[model])
        if metric in SCALED:
            proba = out_of_fold(judged, oof, decisions[model])
        draws[model] = bootstrap(judged.y, proba, decided, judged.group, task.select.draws, params.seed())
    key = params.metric_key(metric, len(dev.classes))
    scores = {model: number(report[key]) for model, report in reports.items()}
    ci = {model: [number(end) for end in report["ci"][key]] for model, report in reports.items()}
    chosen = select(scores, {model: found[key] for model, found in draws.items()}, params.METRICS[metric])
    winner = chosen["winner"]
    reason = explain(chosen, metric, scores, ci)
    exported = export(name, winner, decisions[winner], reports[winner])
    artifacts.write_json(
        Path(f"reports/{name}/selection.json"),
        {"task": name, "metric": metric, "rule": RULE, "reason": reason, "scores": scores, "bundle": exported} | chosen,
    )
    print(f"select_best {name}: {reason}", file=sys.stderr)


def export(task: str, winner: str, decision: dict[str, Any], report: dict[str, Any]) -> str:
    """Write the winner's bundle to `models/<task>/best/`, with the answers that it gives when loaded from disk.

    To the figures of `report` it adds what a server is to expect (see `pipeline.reference`). Returns the SHA-256 of the
    bundle's bundle.json, by which selection.json, and so git, vouches for it.
    """
    candidate = Path(f"models/{task}/candidates/{winner}")
    dev = Dataset.load(require(f"data/{task}/dev.npz", f"preprocess@{task}"))
    report = report | {"reference": reference(dev, candidate, decision)}
    with tempfile.TemporaryDirectory() as scratch:
        bundle.write(Path(scratch), candidate, decision, report)
        answers = Predictor(scratch).golden()
    best = Path(f"models/{task}/best")
    bundle.write(best, candidate, decision, report, answers)
    return bundle.read_content(best)[1]


if __name__ == "__main__":
    run(main)
