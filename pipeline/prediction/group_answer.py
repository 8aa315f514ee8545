"""The answer to several samples of one patient, or of one lesion: one class and one set of probabilities.

It rests on the samples that can be used, says how many could not, and refuses if these are more than half. It is what
`evaluation.by_group` measures: the same pooling, then the same calibration and threshold as for a sample alone.
"""

from collections.abc import Sequence
from typing import TypedDict

import numpy as np

from pipeline.prediction.answer import Item, Prediction, refused
from pipeline.prediction.bundle import BundleInfo
from pipeline.prediction.decision_rule import calibrate, decide, in_words
from pipeline.prediction.pooling import is_enough, pool


class Member(Item):
    """A sample of a group. `contribution`: by how much the group's answer would be less probable without it, None where there is
    no answer or no other sample; `differs`: its own answer is another than the group's.
    """

    contribution: float | None
    differs: bool


class GroupItem(Item):
    """The answer to a group, whose name is under `file`. `n`: its samples; `n_used`: those that the answer rests on."""

    n: int
    n_used: int
    pooling: str
    samples: list[Member]


class Summary(TypedDict):
    """What a group's answer says of its number of samples."""

    n: int
    n_used: int
    pooling: str


def answer(info: BundleInfo, name: str, predictions: Sequence[Prediction]) -> GroupItem:
    """Return the answer to the samples of a group, at least one, of which `predictions` are those by the bundle `info`."""
    usable = [prediction for prediction in predictions if prediction.raw is not None and prediction.item["class"]]
    summary: Summary = {"n": len(predictions), "n_used": len(usable), "pooling": info.rule.pooling}
    reason = why_not(info, predictions, len(usable))
    if reason:
        samples = [member(prediction, None, "") for prediction in predictions]
        return {**refused(name, reason), **summary, "n_used": 0, "samples": samples}
    raw = np.stack([prediction.raw for prediction in usable if prediction.raw is not None])
    proba = pooled(info, raw)
    k = int(decide(proba[None], info.rule)[0])
    shares = iter(contributions(info, raw, proba, k))
    used = {id(prediction) for prediction in usable}
    item = item_of(info, name, proba, k, len(predictions), len(usable), about_unusable(predictions, len(usable)))
    samples = [member(p, next(shares) if id(p) in used else None, item["class"]) for p in predictions]
    return {**item, **summary, "samples": samples}


def item_of(info: BundleInfo, name: str, proba: np.ndarray, k: int, n: int, n_used: int, note: str) -> Item:
    """Return the item of a group that is class `k`, with probabilities (n_classes,)."""
    chosen = info.classes[k]
    by = f" by {info.rule.pooling}" if info.rule.pooling else ""  # one usable sample needs none
    rests_on = f"from {n_used} of {n} samples{by}" if n > 1 else "from its only sample"
    item: Item = {
        "file": name,
        "class": chosen,
        "probabilities": {name: round(float(p), 6) for name, p in zip(info.classes, proba, strict=True)},
        "decision": f"{in_words(chosen, info.positive, info.rule)}, {rests_on}",
        "refused": False,
        "reason": note,
    }
    if info.warning:
        item["warning"] = info.warning
    return item


def why_not(info: BundleInfo, predictions: Sequence[Prediction], n_usable: int) -> str:
    """Return why a group gets no answer, "" if it gets one."""
    n = len(predictions)
    if n == 1 and not n_usable and predictions[0].item["reason"]:
        return predictions[0].item["reason"]
    if not is_enough(n_usable, n):
        return f"{about_unusable(predictions, n_usable)}; an answer to the group takes at least half of its samples"
    if n_usable > 1 and not info.rule.pooling:
        return (
            "this model was developed with one sample per group, so nothing is known of an answer to several together: "
            "predict them one by one, or run 'dvc repro' on data that name groups"
        )
    return ""


def about_unusable(predictions: Sequence[Prediction], n_usable: int) -> str:
    """Return how many samples could not be used, and the reason of the first, "" where all can."""
    bad = [prediction.item for prediction in predictions if not prediction.item["class"]]
    if not bad:
        return ""
    return f"{len(predictions) - n_usable} of {len(predictions)} samples could not be used: {bad[0]['file']}: {bad[0]['reason']}"


def pooled(info: BundleInfo, raw: np.ndarray) -> np.ndarray:
    """Return the calibrated probabilities, float64 (n_classes,), of samples with `raw` ones, (n, n_classes)."""
    together = np.zeros(len(raw), int)
    return calibrate(pool(raw, together, 1, info.rule.pooling or "mean"), info.rule)[0]


def contributions(info: BundleInfo, raw: np.ndarray, proba: np.ndarray, k: int) -> list[float | None]:
    """Return by how much class `k`, whose probability is in `proba`, would be less probable without each sample."""
    if len(raw) == 1:
        return [None]
    return [round(float(proba[k] - pooled(info, np.delete(raw, row, axis=0))[k]), 6) for row in range(len(raw))]


def member(prediction: Prediction, contribution: float | None, group_class: str) -> Member:
    """Return a sample's own item with its part in the answer to the group, which is `group_class` or ""."""
    own = prediction.item["class"]
    differs = bool(own and group_class and own != group_class)
    return {**prediction.item, "contribution": contribution, "differs": differs}
