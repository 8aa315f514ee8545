"""Choose the champion from paired out-of-fold results, and say why in one sentence."""

from typing import Any

import numpy as np

from pipeline.core.errors import DataError
from pipeline.stats.bootstrap import difference_interval

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
