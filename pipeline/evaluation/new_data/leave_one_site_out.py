"""Score each model at sites that it was not trained on, by leaving out one site after the other.

For each value of `select.site` a model is fitted on the development samples of the other sites, without groups that are also at
this site, and scored on the samples of this site. The report also has the out-of-fold ROC AUC of the same samples and the paired
difference, the loss at a new site. The test set is not used.
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from tqdm import tqdm

from pipeline.core import params
from pipeline.core.parallel import run_parallel
from pipeline.data.dataset import Dataset
from pipeline.estimators._protocol import get_estimator
from pipeline.evaluation import by_group
from pipeline.evaluation.report import AucDifference, Interval, PartScores, Scores, SiteScores
from pipeline.evaluation.scoring import score_part
from pipeline.prediction.decision_rule import DecisionRule, calibrate, decide
from pipeline.stats.bootstrap import bootstrap, difference_interval
from pipeline.stats.intervals import of_metric, of_training
from pipeline.training.cross_fit import fit, probabilities, rows_of
from pipeline.training.export import read_oof
from pipeline.training.job import load_features, remove_scratch
from pipeline.training.refit import builder

ALL = "all sites"


def training_rows(values: np.ndarray, groups: np.ndarray, site: str) -> np.ndarray:
    """Return the rows, int (m,), of samples at other sites of which no sample of their group is at `site`; arrays (n,)."""
    return np.flatnonzero((values != site) & ~np.isin(groups, groups[values == site]))


def lacking(dev: Dataset, rows: np.ndarray) -> str:
    """Return the names of the classes without a sample in `rows`, "" where there is none."""
    return ", ".join(name for k, name in enumerate(dev.classes) if not (dev.y[rows] == k).any())


def leave_out(
    task: str, model: str, dev: Dataset, values: np.ndarray, names: list[str]
) -> tuple[np.ndarray, dict[str, str]]:
    """Return probabilities, float64 (n, n_classes), of each sample by the model fitted without its site, not calibrated.

    They are NaN where there is none; the second gives the reason by site.
    """
    features = params.model(model).features
    X, build = load_features(dev, task, features, model), builder(task, model)
    rows_without = {site: training_rows(values, dev.group, site) for site in names}
    reasons = {
        site: f"without it there is no {absent}"
        for site, rows in rows_without.items()
        if (absent := lacking(dev, rows))
    }
    fitted, proba = [site for site in names if site not in reasons], np.full((len(dev.y), len(dev.classes)), np.nan)

    def fit_without(site: str) -> np.ndarray:
        estimator = fit(build(), X, dev, rows_without[site], f"{model} without {site}")
        return probabilities(estimator, rows_of(X, np.flatnonzero(values == site)))

    workers = get_estimator(params.model(model).estimator).use_workers(params.workers())
    results = tqdm(run_parallel(fit_without, fitted, workers), f"sites {model}", len(fitted), unit=" fits", delay=3)
    for site, predicted in zip(fitted, results, strict=True):
        proba[values == site] = predicted
    remove_scratch(X)
    return proba, reasons


@dataclass(frozen=True)
class Predictions:
    """Calibrated probabilities, (n, n_classes), and decisions, int (n,), for the development samples."""

    proba: np.ndarray
    decided: np.ndarray

    @classmethod
    def of(cls, raw: np.ndarray, rule: DecisionRule) -> Self:
        """Return what a decision rule makes of probabilities that are not calibrated."""
        proba = calibrate(raw, rule)
        return cls(proba, decide(proba, rule))


@dataclass(frozen=True)
class Auc:
    """A ROC AUC and the draws of its bootstrap over groups, float64 (draws,)."""

    estimate: float
    draws: np.ndarray


@dataclass(frozen=True)
class SiteAucs:
    """ROC AUC on the samples of a site, at `rows`, int (m,), with paired draws: by models fitted without it, and out of fold."""

    rows: np.ndarray
    left_out: Auc
    out_of_fold: Auc


def score_rows(
    dev: Dataset, rows: np.ndarray, predictions: Predictions, draws: int, n_folds: int | None = None
) -> PartScores:
    """Return the figures of the samples in `rows`, int (m,); `n_folds` as for `scoring.assess`."""
    metrics = ("roc_auc", *(("recall", "specificity") if dev.positive else ("accuracy",)))
    return score_part(dev, rows, predictions.proba, predictions.decided, metrics, draws, n_folds=n_folds)


def with_difference(scores: PartScores, site: str, aucs: SiteAucs, before_ci: Interval) -> SiteScores:
    """Return the figures of a site with the ROC AUC out of fold, whose interval is `before_ci`, and the paired difference."""
    left_out, before = aucs.left_out, aucs.out_of_fold
    difference = left_out.estimate - before.estimate
    ci = [np.nan, np.nan] if np.isnan(difference) else difference_interval(left_out.draws, before.draws)
    return SiteScores(
        **vars(scores),
        site=site,
        out_of_fold=Scores({"roc_auc": before.estimate}, {"roc_auc": before_ci}),
        difference=AucDifference(difference, ci),
    )


def score_sites(task: str, model: str, dev: Dataset, values: np.ndarray, names: list[str]) -> list[SiteScores]:
    """Return the rows of one model: all sites together, then each; one that cannot be left out has a reason and no figures.

    `values`, str (n,), are the samples' sites, `names` the sites in order. Decisions are by the model's own rule, which was
    chosen out of fold over all sites.
    """
    rule = DecisionRule.read(task, model)
    raw = read_oof(task, model)[: len(dev.y)]
    raw_left_out, reasons = leave_out(task, model, dev, values, names)
    if rule.unit != by_group.SAMPLE:
        dev, values, raw, raw_left_out = by_site(task, dev, values, rule, raw, raw_left_out)
    left_out, out_of_fold = Predictions.of(raw_left_out, rule), Predictions.of(raw, rule)
    draws, n_folds = params.task(task).select.draws, int(dev.fold.max()) + 1
    scores, compared = [], []
    for number, site in enumerate(names):
        rows = np.flatnonzero(values == site)
        if site in reasons:
            scores.append(SiteScores(n=len(rows), site=site, reason=reasons[site]))
            continue
        after, before = score_rows(dev, rows, left_out, draws), score_rows(dev, rows, out_of_fold, draws, n_folds)
        # a seed of its own: sites with equal numbers of groups would otherwise get the same draws, which would not be independent
        aucs = SiteAucs(
            rows,
            draw_auc(dev, rows, left_out, after["roc_auc"], draws, params.seed() + number),
            draw_auc(dev, rows, out_of_fold, before["roc_auc"], draws, params.seed() + number),
        )
        scores.append(with_difference(after, site, aucs, before.ci["roc_auc"]))
        compared.append(aucs)
    return [score_all(dev, compared, left_out, draws, of_training(n_folds).other), *scores] if compared else scores


def by_site(
    task: str, dev: Dataset, values: np.ndarray, rule: DecisionRule, *raw: np.ndarray
) -> tuple[Dataset, np.ndarray, np.ndarray, np.ndarray]:
    """Return what is answered together at a site: units, their sites, and each of two `raw` probabilities pooled.

    A unit with samples at several sites is one at each: other models answer there.
    """
    select = params.task(task).select
    at_all = by_group.of_task(task, "dev", dev, select)
    units = by_group.find(dev, [at_all.member, values], select)
    part = by_group.usable(units, np.zeros(len(dev.y), bool))
    first = np.unique(units.member, return_index=True)[1]
    out_of_fold, left_out = (by_group.pooled(units, each, part, rule.pooling) for each in raw)
    return units.data, values[first], out_of_fold, left_out


def draw_auc(dev: Dataset, rows: np.ndarray, predictions: Predictions, estimate: float, draws: int, seed: int) -> Auc:
    """Return a ROC AUC with its draws."""
    part = dev.rows(rows)
    drawn = bootstrap(part.y, predictions.proba[rows], predictions.decided[rows], part.group, draws, seed)
    return Auc(estimate, drawn["roc_auc"])


def score_all(dev: Dataset, sites: list[SiteAucs], left_out: Predictions, draws: int, widen: float) -> SiteScores:
    """Return the row of all sites: decisions counted over all samples, and as ROC AUC how often, of two samples *of one site* and
    of different classes, the right one has the higher probability; with more than two classes, the mean by size.

    Samples of different sites are not compared: each site has a model of its own, and where the share of a class differs by
    site, separating the sites would count as separating the classes. `widen`: of the interval out of fold.
    """
    rows = np.concatenate([site.rows for site in sites])
    scores = score_rows(dev, rows, left_out, draws)
    defined = [site for site in sites if not np.isnan(site.left_out.estimate)]
    weights = np.array([weight(dev.y[site.rows], len(dev.classes)) for site in defined], dtype=np.float64)
    rarest = min(len(set(dev.group[dev.y == k])) for k in range(len(dev.classes)))

    def pool(aucs: list[Auc], widen: float) -> tuple[Auc, Interval]:
        if not aucs:
            return Auc(np.nan, np.full(draws, np.nan)), [np.nan, np.nan]
        share = weights / weights.sum()
        pooled = Auc(float(share @ [auc.estimate for auc in aucs]), share @ np.stack([auc.draws for auc in aucs]))
        return pooled, of_metric("roc_auc", pooled.estimate, pooled.draws, len(set(dev.group[rows])), rarest, widen)

    after, ci = pool([site.left_out for site in defined], 1.0)
    before, before_ci = pool([site.out_of_fold for site in defined], widen)
    scores = replace(scores, figures=scores.figures | {"roc_auc": after.estimate}, ci=scores.ci | {"roc_auc": ci})
    return with_difference(scores, ALL, SiteAucs(rows, after, before), before_ci)


def weight(y: np.ndarray, n_classes: int) -> int:
    """Return the number of pairs of different classes among y; with more than two classes, the number of samples."""
    return int((y == 0).sum() * (y == 1).sum()) if n_classes == 2 else len(y)
