"""Choose the champion from paired out-of-fold results, and say why in one sentence."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

import numpy as np

from pipeline.core import artifacts
from pipeline.core.errors import DataError
from pipeline.core.params_models import metric_key
from pipeline.core.paths import TaskPaths
from pipeline.core.stage import require
from pipeline.data.dataset import Dataset
from pipeline.evaluation.calibration import SCALED, out_of_fold
from pipeline.evaluation.metric_names import NAMES
from pipeline.evaluation.report import Interval
from pipeline.prediction.decision_rule import DecisionRule, calibrate, decide
from pipeline.stats.bootstrap import bootstrap, difference_interval

RULE = (
    "Candidates are compared on the same out-of-fold predictions by a paired bootstrap over groups. Those whose 95 % "
    "interval of the difference to the best contains 0 are tied with it; of these the first in the task's list wins."
)


@dataclass(frozen=True)
class Choice:
    """The winner, and the best of the others. `difference`: the runner-up's figure minus the winner's, None without one."""

    winner: str
    runner_up: str | None = None
    tied: list[str] = field(default_factory=list)
    difference: float | None = None
    difference_ci: Interval | None = None


@dataclass(frozen=True)
class Selection(Choice):
    """The content of selection.json. `bundle`: SHA-256 of the champion's bundle.json; `scores`: figures by model."""

    task: str = ""
    metric: str = ""
    reason: str = ""
    scores: Mapping[str, float | None] = field(default_factory=dict)
    bundle: str = ""
    rule: str = RULE


def read(task: str, root: Path = Path()) -> Selection:
    """Return the selection of a task of the project in `root`; raise StageError where there is none yet."""
    path = require(TaskPaths(task, root).selection, f"select_best@{task}")
    content = artifacts.read_json(path)
    return Selection(**{part.name: content[part.name] for part in fields(Selection) if part.name in content})


def select(scores: dict[str, float], draws: dict[str, np.ndarray], higher_is_better: bool) -> Choice:
    """Return which model wins.

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
        return Choice(winner)
    return Choice(
        winner,
        runner_up=others[0],
        tied=[model for model in tied if model != winner],
        difference=scores[others[0]] - scores[winner],
        difference_ci=difference_interval(draws[others[0]], draws[winner]),
    )


def resample(dev: Dataset, raw: np.ndarray, rule: DecisionRule, metric: str, draws: int, seed: int) -> np.ndarray:
    """Return the paired bootstrap draws (draws,) of a model's figure, NaN where undefined.

    `raw` (n, n_classes) are its out-of-fold probabilities, one repeat of `dev` after the other; `metric` as in params.yaml.
    """
    samples = dev.tiled(len(raw) // len(dev.y))
    proba = calibrate(raw, rule)
    decided = decide(proba, rule)
    if metric in SCALED:
        proba = out_of_fold(samples, raw, rule)
    drawn = bootstrap(samples.y, proba, decided, samples.group, draws, seed)
    return drawn[metric_key(metric, len(dev.classes))]


def differ(a: np.ndarray, b: np.ndarray) -> bool:
    """Return whether two models' paired draws differ at the 5 % level; undefined draws show no difference."""
    low, high = difference_interval(a, b)
    return low > 0 or high < 0


def explain(choice: Choice, key: str, scores: dict[str, float]) -> str:
    """Return the verdict as a sentence without its full stop; `key` is the figure's name in reports."""
    figure = NAMES[key].split(" (")[0]
    sentence = f"{choice.winner} selected ({figure} {scores[choice.winner]:.3f}): "
    if choice.runner_up is None:
        return sentence + "the only model"
    low, high = choice.difference_ci or [np.nan, np.nan]
    difference = f"difference {choice.difference:.3f} [{low:.3f}, {high:.3f}]"
    runner_up = f"{choice.runner_up} ({scores[choice.runner_up]:.3f}, {difference})"
    others = [model for model in choice.tied if model != choice.runner_up]
    if choice.runner_up not in choice.tied:
        return f"{sentence}better than {runner_up}" + (f"; tied with {', '.join(others)}" if others else "")
    return f"{sentence}tied with {', '.join([runner_up, *others])} and listed first"
