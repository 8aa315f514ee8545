"""Score the champion on samples of another source that are new to it, and compare with the internal test."""

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from pipeline.core import params
from pipeline.core.errors import DataError
from pipeline.core.parallel import run_parallel
from pipeline.core.params_models import SelectParams
from pipeline.data.dataset import Dataset
from pipeline.data.images import image_file
from pipeline.evaluation import by_group, by_group_report, operating_point
from pipeline.evaluation.new_data.external_data import ORDER, ExternalSamples
from pipeline.evaluation.report import Difference, ExternalReport, Report
from pipeline.evaluation.scoring import assess, with_refusals
from pipeline.evaluation.usefulness import decision_curve
from pipeline.prediction.decision_rule import DecisionRule, calibrate, decide
from pipeline.prediction.predictor import Predictor
from pipeline.stats.intervals import of_difference

BATCH = 32  # samples per piece of work
COMPARED = ("roc_auc", "average_precision", "accuracy", "recall", "specificity", "brier_score_loss", "log_loss", "ece")


@dataclass(frozen=True)
class Scored:
    """Samples that are new to the model, with probabilities (n, n_classes), `raw` not calibrated, and who is refused, bool (n,).

    `unit` str (n,), see `ExternalSamples`; `n_failed`: how many others could not be predicted.
    """

    data: Dataset
    unit: np.ndarray
    raw: np.ndarray
    proba: np.ndarray
    refused: np.ndarray
    n_failed: int


def score_new(name: str, samples: ExternalSamples, predictor: Predictor, raw: str) -> Scored:
    """Return predictions of the samples that are readable, labelled and not in the task's own data.

    Raises DataError where there are none; `raw` is their path.
    """
    kept = np.flatnonzero(samples.is_readable & samples.is_labelled & ~samples.is_overlap)
    answers = predict([samples.data[i] for i in kept], predictor, name)
    scored = np.array([not isinstance(answer, str) for answer in answers], bool)
    kept, good = kept[scored], [answer for answer in answers if not isinstance(answer, str)]
    if not len(kept):
        n_overlap = np.sum(samples.is_readable & samples.is_overlap)
        n_other = np.sum(samples.is_readable & ~samples.is_labelled)
        raise DataError(
            f"{raw}: no sample is left to score: of {len(samples.path)}, {n_overlap} are in the task's own data, and {n_other} "
            f"have a label that is none of {', '.join(predictor.classes)}; --label-map gives labels other names"
        )
    data = Dataset(
        id=np.array([str(i) for i in kept]),
        path=np.array([samples.path[i] for i in kept]),
        group=np.array([f"{samples.group[i]:08}" for i in kept]),
        y=np.array([predictor.classes.index(samples.label[i]) for i in kept]),
        fold=np.full(len(kept), -1),
        classes=predictor.classes,
        arrays={},
    )
    unscaled, proba = (np.stack([answer[k] for answer in good]) for k in (0, 1))
    unit = np.array([samples.unit[i] for i in kept])
    return Scored(data, unit, unscaled, proba, np.array([answer[2] for answer in good]), int(np.sum(~scored)))


# The probabilities of a sample before calibration and after it, and whether it is refused; or why it cannot be used
Answered = tuple[np.ndarray, np.ndarray, bool] | str


def predict_some(items: list[Any], predictor: Predictor) -> list[Answered]:
    """Return the answer to each sample, predicted alone as in a server."""
    answers: list[Answered] = []
    for item in items:
        try:
            score = predictor.score(predictor.load(opened(item)))
            answers.append((score.raw, score.proba, score.ood.is_refused))
        except DataError as error:
            answers.append(str(error))
    return answers


def opened(item: Any) -> Any:
    """Return a sample as the Predictor takes it: a path, alone or with columns, becomes the bytes of the file."""
    if isinstance(item, tuple):
        return image_file.read(item[0]), item[1]
    return image_file.read(item) if isinstance(item, Path) else item


def predict(items: list[Any], predictor: Predictor, name: str) -> list[Answered]:
    """Return `predict_some` of all samples."""
    parts = [items[start : start + BATCH] for start in range(0, len(items), BATCH)]
    done = run_parallel(partial(predict_some, predictor=predictor), parts, params.workers())
    shown = tqdm(done, f"external {name}", total=len(parts), unit=" batches", delay=3)
    return [answer for part in shown for answer in part]


def report_on(
    samples: ExternalSamples, scored: Scored, rule: DecisionRule, select: SelectParams, model: str, internal: Report
) -> ExternalReport:
    """Return the report on the scored samples, compared with the `internal` test of the champion, `model`."""
    data, proba = scored.data, scored.proba
    decided = decide(proba, rule)
    report = assess(data, proba, decided, select.draws, params.seed())
    report = decision_curve.with_net_benefit(report, data, decided, rule.threshold)
    report = ExternalReport(**vars(with_refusals(report, data, decided, scored.refused)))
    in_large = observed_and_predicted(data.y, proba)
    if rule.pooling:
        is_column = by_group.name_of(select) != by_group.GROUP
        keys = [data.group, *([by_group.named_values(scored.unit, data.id)] if is_column else [])]
        units = by_group.find(data, keys, select)
        grouped = by_group_report.of_samples(units, scored.raw, scored.refused, rule, select, {})
        report = replace(report, by_group=grouped)
        if rule.unit != by_group.SAMPLE:
            part = by_group.usable(units, scored.refused)
            pooled = calibrate(by_group.pooled(units, scored.raw, part, rule.pooling), rule)
            in_large = observed_and_predicted(units.data.y, pooled)
    readable, overlap = samples.is_readable, samples.is_overlap
    if data.positive:
        report = replace(
            report,
            operating_point=operating_point.describe(report, rule, select.operating_point.prevalence),
            calibration_in_the_large=in_large,
        )
    return replace(
        report,
        model=model,
        overlap={"n": int(np.sum(readable & overlap)), "of": int(np.sum(readable))}
        | {subset: int(np.sum(readable & (samples.subset == subset))) for subset in ORDER},
        left_out={
            "label": int(np.sum(readable & ~samples.is_labelled & ~overlap)),
            "unreadable": int(np.sum(~readable)) + scored.n_failed,
        },
        change=changes(internal.of_unit(rule.unit), report.of_unit(rule.unit)),
    )


def observed_and_predicted(y: np.ndarray, proba: np.ndarray) -> dict[str, float]:
    """Return the calibration in the large of two classes: mean predicted probability and observed share of the positive one."""
    return {"predicted": float(proba[:, 1].mean()), "observed": float(np.mean(y == 1))}


def changes(internal: Report, external: Report) -> dict[str, Difference]:
    """Return the difference of each figure of the external report to that of the internal test."""
    differences = {}
    for key in (key for key in COMPARED if key in internal.figures and key in external.figures):
        inside, outside = internal[key], external[key]
        ci = of_difference(outside, external.ci.get(key), inside, internal.ci.get(key))
        differences[key] = Difference(outside - inside, ci)
    return differences
