"""Whether 95 % intervals of figures per group cover the truth: pooled answers to 30 to 200 groups of 1 to 50 samples.

The bar is 93 to 97 %. A group's samples share its class and half of their luck; the way to pool them is chosen inside folds, as
the stage `evaluate` does it, and the truth is that of the chosen way on 40,000 new groups. With fewer than ten groups of a class
there is no interval but counts. Of 1,000 repetitions a coverage has a standard error of .7: the bar is met where it lies within
two of them.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np

from benchmarks import figures
from benchmarks.figures import Figure
from pipeline.core.parallel import run_parallel
from pipeline.core.params_models import SelectParams
from pipeline.data.dataset import Dataset
from pipeline.evaluation import by_group
from pipeline.evaluation.by_group_report import without_rough_intervals
from pipeline.evaluation.scoring import assess
from pipeline.prediction.decision_rule import DecisionRule, softmax
from pipeline.stats.metrics import scores

REPETITIONS, PIECE, DRAWS, FOLDS, NEW = 1000, 25, 500, 5, 40_000
BARRED = ("roc_auc", "recall", "specificity", "accuracy", "balanced_accuracy", "brier_score_loss")
SELECT = SelectParams(unit="group")


@dataclass(frozen=True)
class Design:
    """How data come about: `groups` of 1 to `largest` samples, a share of them positive and `apart` standard deviations off."""

    name: str
    groups: int
    positive: float = 0.4
    largest: int = 50
    apart: float = 1.2


DESIGNS = [
    Design("30 groups of 1 to 50, 12 positive", 30),
    Design("60 groups of 1 to 50, 10 positive", 60, positive=1 / 6),
    Design("100 groups of 1 to 50", 100),
    Design("200 groups of 1 to 50", 200),
    Design("200 groups of 1 to 50, 20 positive", 200, positive=0.1),
    Design("60 groups of 1 to 3", 60, largest=3),
]


def draw(design: Design, seed: int, groups: int | None = None) -> tuple[Dataset, np.ndarray]:
    """Return samples and their probabilities (n, 2); most groups are small, a few have up to the largest number."""
    rng = np.random.default_rng(seed)
    groups = groups or design.groups
    size = np.minimum(np.floor(design.largest ** rng.random(groups)), design.largest).astype(int)
    of_group = (rng.permutation(groups) < round(design.positive * groups)).astype(int)
    group = np.repeat(np.arange(groups), size)
    y = of_group[group]
    logit = design.apart * (2 * y - 1) + rng.normal(size=(groups, 1))[group, 0] + rng.normal(size=len(group))
    logit += np.log(design.positive / (1 - design.positive))
    fold = rng.permutation(groups)[group] % FOLDS
    names = np.arange(len(group))
    data = Dataset(names, names, group, y, fold, ["negative", "positive"], {})
    return data, softmax(np.column_stack([np.zeros(len(y)), logit]))


def pooled(data: Dataset, raw: np.ndarray, method: str) -> tuple[by_group.Units, np.ndarray]:
    units = by_group.find(data, [data.group], SELECT)
    return units, by_group.pooled(units, raw, by_group.usable(units, np.zeros(len(raw), bool)), method)


def covered(seeds: range, design: Design, truth: dict[str, dict[str, float]]) -> dict[str, np.ndarray]:
    """Return, by metric, int (2,): how often the interval lay above the truth, and below it; `truth` by way to pool."""
    missed = {name: np.zeros(2, int) for name in BARRED}
    for seed in seeds:
        data, raw = draw(design, seed)
        units = by_group.find(data, [data.group], SELECT)
        part = by_group.usable(units, np.zeros(len(raw), bool))
        chosen = by_group.choose(units, raw, part, SELECT.poolings, DecisionRule())
        proba = by_group.pooled_out_of_fold(units, raw, part, chosen.by_fold)
        ci = without_rough_intervals(assess(units.data, proba, proba.argmax(axis=1), DRAWS, seed)).ci
        for name in BARRED:
            value = truth[chosen.chosen][name]
            missed[name] += [value < ci[name][0], value > ci[name][1]]
    return missed


def coverage(design: Design) -> list[Figure]:
    """Return a figure for each metric of a design."""
    large, raw = draw(design, 10**6, groups=NEW)
    truth = {}
    for method in SELECT.poolings:
        units, proba = pooled(large, raw, method)
        truth[method] = scores(units.data.y, proba, proba.argmax(axis=1))
    pieces = [range(start, start + PIECE) for start in range(0, REPETITIONS, PIECE)]
    parts = list(run_parallel(partial(covered, design=design, truth=truth), pieces, 2))
    measured = []
    for name in BARRED:
        above, below = np.sum([part[name] for part in parts], axis=0)
        how = f"the interval lay above the truth in {above}, below it in {below} of {REPETITIONS}"
        share = 100 * (1 - (above + below) / REPETITIONS)
        measured.append(Figure(f"{design.name}: {name}", share, how, unit="%", at_least=93, at_most=97))
    return measured


def test_intervals_over_groups_cover_the_truth_in_93_to_97_percent():
    measured = [figure for design in DESIGNS for figure in coverage(design)]
    figures.save("soak_group_coverage", "How often intervals of figures per group cover", measured, command="make soak")
    error = 2 * 100 * (0.95 * 0.05 / REPETITIONS) ** 0.5
    assert [figure for figure in measured if not 93 - error <= figure.value <= 97 + error] == []
