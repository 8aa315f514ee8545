"""Choose the champion from paired out-of-fold results, and say why in one sentence."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.core import artifacts
from pipeline.core.errors import DataError
from pipeline.core.paths import TaskPaths
from pipeline.core.stage import require
from pipeline.evaluation.by_group import per
from pipeline.evaluation.candidates import ComparedModel
from pipeline.evaluation.metric_names import NAMES, in_brackets
from pipeline.evaluation.report import Interval
from pipeline.evaluation.scoring import CHANCE
from pipeline.stats.choice import SIMPLER, WINDOW, choose, cost_of_choice
from pipeline.stats.intervals import moved, nadeau_bengio, of_paired, of_training

RULE = (
    "Candidates are compared on the same out-of-fold predictions. Among those whose figure is within "
    f"{WINDOW:g} of the best, the one with the lowest log loss is selected, or an earlier one in the task's list whose log loss "
    "is within half a standard error of that. A baseline (dummy) is never selected over another model. Tied with the champion "
    "are those whose 95 % interval of the difference contains 0; the interval includes the variance that is due to "
    "training (Nadeau and Bengio 2003)."
)
DIFFERENCES = ["model", "other", "figure", "difference", "low", "high"]
Models = Mapping[str, ComparedModel]  # in the order of the task's list


@dataclass(frozen=True)
class Expected:
    """The champion's figure on new patients: out of fold, less what the choice added to it; and its 95 % interval."""

    figure: float
    ci: Interval


@dataclass(frozen=True)
class Choice:
    """The winner, and the best of the others. `difference`: the runner-up's figure minus the winner's, None without one.

    `best`: the model with the best figure; `compared`: those within `WINDOW` of it, and `lowest` of these the one with the
    lowest log loss. `warning`: why the winner is not better than guessing, "" if it is.
    """

    winner: str
    runner_up: str | None = None
    tied: list[str] = field(default_factory=list)
    difference: float | None = None
    difference_ci: Interval | None = None
    best: str = ""
    compared: list[str] = field(default_factory=list)
    lowest: str = ""
    expected: Expected | None = None
    warning: str = ""


@dataclass(frozen=True)
class Selection(Choice):
    """The content of selection.json. `bundle`: SHA-256 of the champion's bundle.json; `scores`: figures by model; `promise`:
    the expected figure in words.
    """

    task: str = ""
    metric: str = ""
    reason: str = ""
    scores: Mapping[str, float | None] = field(default_factory=dict)
    bundle: str = ""
    rule: str = RULE
    promise: str = ""


def read(task: str, root: Path = Path()) -> Selection:
    """Return the selection of a task of the project in `root`; raise StageError where there is none yet."""
    path = require(TaskPaths(task, root).selection, f"select_best@{task}")
    content = artifacts.read_json(path)
    known = {part.name: content[part.name] for part in fields(Selection) if part.name in content}
    return artifacts.from_json(Selection, known)


def select(models: Models, key: str, higher_is_better: bool, n_folds: int, n_groups: int) -> Choice:
    """Return which model is selected by `key`, a figure's name in reports.

    A model without a figure (NaN) can neither be selected nor tie; raises DataError where none has one.
    """
    sign = 1 if higher_is_better else -1
    scores = {model: sign * candidate.figure(key) for model, candidate in models.items()}
    ranked = sorted((m for m in models if not np.isnan(scores[m])), key=lambda m: -scores[m])
    if not ranked:
        raise DataError(
            f"the metric is defined for none of {', '.join(models)}; choose another select.metric, or a select.unit and "
            "select.group_label under which each class occurs"
        )
    able = [m for m in models if m in ranked and not models[m].is_baseline] or [m for m in models if m in ranked]
    losses = [models[m].figure("log_loss") for m in able]
    reach = half_errors([models[m] for m in able])
    winner = able[int(choose(np.array([scores[m] for m in able]), np.array(losses), reach))]
    compared = [m for m in able if scores[m] >= max(scores[m] for m in able) - WINDOW - 1e-9]
    differences = {m: difference(models, m, winner, key, n_folds, n_groups) for m in ranked if m != winner}
    choice = Choice(
        winner,
        tied=[m for m in models if m in differences and not excludes_0(differences[m])],
        best=max(able, key=lambda m: scores[m]),
        compared=compared,
        lowest=min(compared, key=lambda m: models[m].figure("log_loss")),
        expected=expected(models, able, winner, key, sign, reach),
    )
    for runner_up, ends in list(differences.items())[:1]:
        change = models[runner_up].figure(key) - models[winner].figure(key)
        choice = replace(choice, runner_up=runner_up, difference=change, difference_ci=ends)
    ranking = expected(models, able, winner, "roc_auc", sign, reach, key)
    return replace(choice, warning=no_better_than_guessing(choice, models, ranking))


def half_errors(candidates: list[ComparedModel]) -> np.ndarray:
    """Return float (m, m): for each two candidates `SIMPLER` standard errors of the difference of their log losses."""
    losses = np.stack([candidate.draws.drawn["log_loss"] for candidate in candidates])
    return SIMPLER * (losses[:, None] - losses[None]).std(axis=2)


def difference(models: Models, model: str, winner: str, key: str, n_folds: int, n_groups: int) -> Interval:
    """Return the interval of a model's figure minus the winner's. A baseline does not depend on its training set."""
    a, b = models[model], models[winner]
    widen = of_training(n_folds).other if a.is_baseline or b.is_baseline else nadeau_bengio(n_folds)
    return of_paired(a.figure(key) - b.figure(key), a.draws.drawn[key] - b.draws.drawn[key], n_groups, widen)


def all_differences(models: Models, n_folds: int, n_groups: int) -> pd.DataFrame:
    """Return a row for each figure and each two models: the earlier one's figure minus the other's, and its interval."""
    rows = []
    for model, other in combinations(models, 2):
        for key in models[model].draws.drawn:
            if (
                key not in models[model].report.ci
            ):  # such as the expected calibration error, which has no interval that covers
                continue
            change = models[model].figure(key) - models[other].figure(key)
            low, high = difference(models, model, other, key, n_folds, n_groups)
            rows.append((model, other, key, change, low, high))
    return pd.DataFrame(rows, columns=DIFFERENCES)


def excludes_0(ends: Interval) -> bool:
    """Return whether an interval shows a difference; an undefined one shows none."""
    return ends[0] > 0 or ends[1] < 0


def expected(
    models: Models, able: list[str], winner: str, key: str, sign: int, reach: np.ndarray, chosen_by: str = ""
) -> Expected:
    """Return the winner's figure `key` and its interval, less what the choice by `chosen_by` (default: `key`) added to it."""
    draws = [models[model].draws for model in able]
    figures = sign * np.stack([each.drawn[chosen_by or key] for each in draws], axis=1)
    losses = np.stack([each.drawn["log_loss"] for each in draws], axis=1)
    kept = ~np.isnan(figures).all(axis=1)
    left_out = np.stack([each.left_out[key] for each in draws], axis=1)
    cost = cost_of_choice(choose(figures[kept], losses[kept], reach), left_out[kept], able.index(winner))
    figure, ends = models[winner].figure(key), models[winner].report.ci[key]
    return Expected(figure - cost, moved(key, ends, figure, figure - cost) if cost else ends)


def no_better_than_guessing(choice: Choice, models: Models, ranking: Expected) -> str:
    """Return why the winner is not better than guessing, in words; "" if it is. `ranking` is its expected ROC AUC."""
    verdict = "not better than guessing: "
    if models[choice.winner].is_baseline:
        return f"{verdict}a baseline that predicts the class frequencies"
    baselines = [model for model in choice.tied if models[model].is_baseline]
    if baselines:
        return f"{verdict}cannot be told from {baselines[0]}, which predicts the class frequencies"
    low, high = ranking.ci
    if not low > CHANCE:
        return f"{verdict}the interval of its ROC AUC, {low:.3f} to {high:.3f}, contains {CHANCE:g}"
    return ""


def explain(choice: Choice, key: str, models: Models, unit: str = "sample") -> str:
    """Return the verdict as a sentence without its full stop; `key` is the figure's name in reports, `unit` what it counts."""
    name = NAMES[key].split(" (")[0] + per(unit)
    figure = {model: candidate.figure(key) for model, candidate in models.items()}
    loss = {model: candidate.figure("log_loss") for model, candidate in models.items()}
    sentence = f"{choice.winner} selected ({name} {figure[choice.winner]:.3f}): {grounds(choice, name, figure, loss)}"
    if choice.runner_up is not None:
        low, high = choice.difference_ci or (np.nan, np.nan)
        ends = f"difference {choice.difference:.3f} [{low:.3f}, {high:.3f}]"
        runner_up = f"{choice.runner_up} ({figure[choice.runner_up]:.3f}, {ends})"
        others = [model for model in choice.tied if model != choice.runner_up]
        if choice.runner_up in choice.tied:
            sentence += f"; tied with {', '.join([runner_up, *others])}"
        else:
            verb = "better than" if choice.winner == choice.best else "below"
            sentence += f"; {verb} {runner_up}" + (f"; tied with {', '.join(others)}" if others else "")
    return sentence + (f"; {choice.warning}" if choice.warning else "")


def promise(choice: Choice, key: str, models: Models, unit: str = "sample") -> str:
    """Return what is expected of the champion on new patients, as a sentence without its full stop."""
    if choice.expected is None:
        return ""
    name = NAMES[key].split(" (")[0] + per(unit)
    sentence = f"expected on new patients: {name} {choice.expected.figure:.3f}{in_brackets(choice.expected.ci)}"
    n = sum(not candidate.is_baseline for candidate in models.values())
    return sentence + (f", corrected for choosing the best of {n} models" if n > 1 else "")


def grounds(choice: Choice, name: str, figure: Mapping[str, float], loss: Mapping[str, float]) -> str:
    """Return on what grounds the winner was selected: `figure` and log `loss` by model."""
    winner, best, lowest = choice.winner, choice.best, choice.lowest
    if len(figure) == 1:
        return "the only model"
    own = f"best {name}" if winner == best else f"{name} within {WINDOW:g} of the best ({best}, {figure[best]:.3f})"
    if len(choice.compared) == 1:
        return own
    if winner == lowest:
        near = f"within {WINDOW:g} of it" if winner == best else "that are"
        return f"{own}, and the lowest log loss ({loss[winner]:.3f}) of the {len(choice.compared)} models {near}"
    return (
        f"{own}; its log loss, {loss[winner]:.3f}, is within half a standard error of the lowest of these models "
        f"({lowest}, {loss[lowest]:.3f}), and it is listed first"
    )
