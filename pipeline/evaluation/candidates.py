"""A task's models as they are compared: their reports, and their figures over resamples that are the same for all of them."""

from dataclasses import dataclass

import numpy as np

from pipeline.core.params_models import OperatingPointParams
from pipeline.data.dataset import Dataset
from pipeline.evaluation.calibration import out_of_fold
from pipeline.evaluation.operating_point import decide_out_of_fold
from pipeline.evaluation.report import Report
from pipeline.prediction.decision_rule import DecisionRule, calibrate
from pipeline.stats import metrics
from pipeline.stats.bootstrap import resamples
from pipeline.stats.metrics import Scorer
from pipeline.stats.reliability import ratio


@dataclass(frozen=True)
class Draws:
    """A model's figures over resamples of groups, by metric, float64 (draws,): of the samples drawn, and of those left out."""

    drawn: dict[str, np.ndarray]
    left_out: dict[str, np.ndarray]


@dataclass(frozen=True)
class ComparedModel:
    """A model as it is compared. `is_baseline`: it predicts class frequencies, whatever the sample."""

    report: Report
    draws: Draws
    is_baseline: bool = False

    def figure(self, key: str) -> float:
        """Return a figure out of fold, NaN where it is undefined."""
        return self.report[key]


def resample(
    dev: Dataset,
    raw: np.ndarray,
    rule: DecisionRule,
    point: OperatingPointParams,
    draws: int,
    seed: int,
    scaled: np.ndarray | None = None,
) -> Draws:
    """Return a model's figures over resamples.

    `raw` (n, n_classes) are its out-of-fold probabilities, one repeat of `dev` after the other. As in the report, scores that
    depend on the size of probabilities are those of calibrators that did not see the sample, and decisions those of thresholds.
    `scaled` (n, n_classes): the probabilities for those scores, where something else was chosen as well.
    """
    samples = dev.tiled(len(raw) // len(dev.y))
    proba = calibrate(raw, rule)
    decided = decide_out_of_fold(samples, proba, rule, point)
    scaled = out_of_fold(samples, raw, rule) if scaled is None else scaled
    scorer, losses = Scorer(samples.y, proba, decided), metrics.losses(samples.y, scaled)

    def figures(weights: np.ndarray) -> dict[str, np.ndarray]:
        total = weights.sum(axis=1)
        return scorer(weights) | {
            name: ratio(np.einsum("dn,n->d", weights, each), total) for name, each in losses.items()
        }

    blocks = [
        (figures(block), figures((block == 0).astype(np.float64))) for block in resamples(samples.group, draws, seed)
    ]
    drawn, left_out = (
        {name: np.concatenate([block[name] for block in part]) for name in part[0]}
        for part in zip(*blocks, strict=True)
    )
    return Draws(drawn, left_out)
