"""Score each model at a site that it has not seen, by leaving out one site after the other.

For each value of `select.site` a model is fitted on the development samples of the other sites, less those whose group is also at
this one, and scored on the samples of this one. The report also has the figures of the same samples out of fold and
the paired difference: what a new site costs. The test set is not opened.
"""

from typing import Any

import numpy as np
from tqdm import tqdm

from pipeline.core import params
from pipeline.core.parallel import run_parallel
from pipeline.core.paths import TaskPaths
from pipeline.core.stage import require
from pipeline.data.dataset import Dataset
from pipeline.estimators._registry import get_estimator
from pipeline.evaluation import subgroups
from pipeline.evaluation.scoring import assess
from pipeline.prediction.decision_rule import DecisionRule, calibrate, decide
from pipeline.stats.bootstrap import bootstrap, difference_interval
from pipeline.stats.intervals import of_metric
from pipeline.training.cross_fit import fit, probabilities, rows_of
from pipeline.training.job import load_features, remove_scratch
from pipeline.training.refit import unfitted

ALL = "all sites"
LACKS = "without it there is no {}"


def training_rows(values: np.ndarray, groups: np.ndarray, site: str) -> np.ndarray:
    """Return the rows, int (m,), of samples at other sites of which no sample of their group is at `site`; arrays (n,)."""
    return np.flatnonzero((values != site) & ~np.isin(groups, groups[values == site]))


def lacking(dev: Dataset, rows: np.ndarray) -> str:
    """Return the classes of which none is among the `rows`, "" where all are."""
    return ", ".join(name for k, name in enumerate(dev.classes) if not (dev.y[rows] == k).any())


def leave_out(
    task: str, model: str, dev: Dataset, values: np.ndarray, names: list[str]
) -> tuple[np.ndarray, dict[str, str]]:
    """Return probabilities, float64 (n, n_classes), of each sample by the model fitted without its site, not calibrated.

    They are NaN where there is none; the second tells why, by site.
    """
    features = params.model(model).features
    X = load_features(dev, task, features, model)
    left = {name: training_rows(values, dev.group, name) for name in names}
    without = {name: LACKS.format(lacking(dev, rows)) for name, rows in left.items() if lacking(dev, rows)}
    todo, proba = [name for name in names if name not in without], np.full((len(dev.y), len(dev.classes)), np.nan)

    def work(name: str) -> np.ndarray:
        estimator = fit(unfitted(task, model), X, dev, left[name], f"{model} without {name}")
        return probabilities(estimator, rows_of(X, np.flatnonzero(values == name)))

    side_by_side = get_estimator(params.model(model).estimator).use_workers(params.workers())
    done = run_parallel(work, todo, side_by_side)
    for name, predicted in zip(todo, tqdm(done, f"sites {model}", total=len(todo), unit=" fits", delay=3), strict=True):
        proba[values == name] = predicted
    remove_scratch(X)
    return proba, without


def drawn(part: Dataset, proba: np.ndarray, decided: np.ndarray, draws: int, seed: int) -> np.ndarray:
    """Return the ROC AUC, float64 (draws,), of each draw of the bootstrap over groups."""
    return bootstrap(part.y, proba, decided, part.group, draws, seed)["roc_auc"]


def figures(dev: Dataset, rows: np.ndarray, proba: np.ndarray, decided: np.ndarray, draws: int) -> dict[str, Any]:
    """Return n, n_groups, n_positive (of two classes), few, figures and `ci` of the samples in `rows`, int (m,)."""
    part = dev.rows(rows)
    report = assess(part, proba[rows], decided[rows], draws, params.seed())
    keys = ("roc_auc", *(("recall", "specificity") if dev.positive else ("accuracy",)))
    row = {"n": len(rows), "n_groups": report.counts["n_groups"], "few": len(rows) < subgroups.FEW}
    row |= {"n_positive": int((part.y == 1).sum())} if dev.positive else {}
    return row | {key: report[key] for key in keys} | {"ci": {key: report.ci[key] for key in keys}}


def compared(aucs: tuple[float, float], draws: tuple[np.ndarray, np.ndarray], before_ci: list[float]) -> dict[str, Any]:
    """Return `out_of_fold` and the paired `difference` of two ROC AUC, left out and out of fold, with their paired draws."""
    difference = aucs[0] - aucs[1]
    ends = difference_interval(*draws) if difference == difference else [np.nan, np.nan]
    before = {"roc_auc": aucs[1], "ci": {"roc_auc": before_ci}}
    return {"out_of_fold": before, "difference": {"roc_auc": difference, "ci": ends}}


def by_site(name: str, model: str, dev: Dataset, values: np.ndarray, names: list[str]) -> list[dict[str, Any]]:
    """Return the rows of one model: all sites together, then each; one that cannot be left out has `reason` and no figures.

    A row has the figures of models fitted without the site under their own names, `out_of_fold` the ROC AUC of the same samples
    by models that had seen others of their site, and `difference` the paired one. Decisions are by the model's own rule, which
    was chosen out of fold over all sites.
    """
    rule = DecisionRule.read(name, model)
    oof = np.load(require(TaskPaths(name).oof(model), f"train@{model}"))["proba"][: len(dev.y)]
    left, without = leave_out(name, model, dev, values, names)
    draws = params.task(name).select.draws
    sides = [calibrate(raw, rule) for raw in (left, oof)]
    decided = [decide(proba, rule) for proba in sides]
    rows, parts = [], []
    for number, site in enumerate(names):
        members = np.flatnonzero(values == site)
        if site in without:
            rows.append({"site": site, "n": len(members), "reason": without[site]})
            continue
        now, before = (figures(dev, members, *side, draws) for side in zip(sides, decided, strict=True))
        # a seed of its own: sites with equal numbers of groups would otherwise get the same draws, which would not be independent
        seed, aucs = params.seed() + number, (now["roc_auc"], before["roc_auc"])
        pairs = [
            drawn(dev.rows(members), proba[members], answer[members], draws, seed)
            for proba, answer in zip(sides, decided, strict=True)
        ]
        rows.append({"site": site} | now | compared(aucs, tuple(pairs), before["ci"]["roc_auc"]))
        parts.append((members, aucs, pairs))
    return [{"site": ALL} | together(dev, parts, sides, decided, draws), *rows] if parts else rows


def together(dev: Dataset, parts: list[tuple], sides: list[np.ndarray], decided: list[np.ndarray], draws: int) -> dict:
    """Return the row of all sites: decisions counted over all samples, and as ROC AUC how often, of two samples *of one site* and
    of different classes, the right one has the higher probability; of more than two classes the mean by size.

    Across sites samples are not compared: each site has a model of its own, and where the share of a class differs by site, what
    tells sites apart would count as telling classes apart. `parts`: of each site rows, both ROC AUC and their draws.
    """
    defined = [(rows, aucs, pairs) for rows, aucs, pairs in parts if aucs[0] == aucs[0]]
    row = figures(dev, np.concatenate([rows for rows, _, _ in parts]), sides[0], decided[0], draws)
    weights = np.array([weight(dev.y[rows], len(dev.classes)) for rows, _, _ in defined], dtype=np.float64)
    if not len(weights):
        nan = np.full(draws, np.nan)
        row["ci"]["roc_auc"], row["roc_auc"] = [np.nan, np.nan], np.nan
        return row | compared((np.nan, np.nan), (nan, nan), [np.nan, np.nan])
    share = weights / weights.sum()
    aucs = [float(share @ [pair[side] for _, pair, _ in defined]) for side in (0, 1)]
    pooled = [share @ np.stack([pairs[side] for _, _, pairs in defined]) for side in (0, 1)]
    rarest = min(len(set(dev.group[dev.y == k])) for k in range(len(dev.classes)))
    ends = [
        of_metric("roc_auc", auc, drawn_auc, row["n_groups"], rarest)
        for auc, drawn_auc in zip(aucs, pooled, strict=True)
    ]
    row["roc_auc"], row["ci"]["roc_auc"] = aucs[0], ends[0]
    return row | compared(tuple(aucs), tuple(pooled), ends[1])


def weight(y: np.ndarray, n_classes: int) -> int:
    """Return the number of pairs of different classes among y, of more than two classes the number of samples."""
    return int((y == 0).sum() * (y == 1).sum()) if n_classes == 2 else len(y)
