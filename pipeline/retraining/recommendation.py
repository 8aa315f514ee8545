"""A comparison of champion and challenger in words: a recommendation, what to check first, and the figures."""

import math

from pipeline.core import params_models
from pipeline.core.params_models import RetrainParams
from pipeline.prediction.ood_images import QUANTILE
from pipeline.retraining.records import BatchProfile, Change, Comparison

DISTANT = (
    0.6  # a batch differs from the training data if the lower end of `farther` is above this; 0.5 is no difference
)
REFUSED = 2 * (1 - QUANTILE)  # the same for the share that the champion refuses
SHIFT = 0.1  # from which it is said that a class' share in the batch differs from that in development


def figure(name: str, change: Change) -> str:
    """Return a metric before and after, with the interval of the difference."""
    return f"{name} {change.champion:.3f} before, {change.challenger:.3f} with the batch (difference {gain(change)})"


def recommendation(
    overall: dict[str, Change], metric: str, failed: list[str], n: int, rule: RetrainParams, counted: str = "samples"
) -> str:
    """Return the recommendation as a sentence; `counted`: what the figures are of, samples or groups."""
    where = f"on the champion's {n} development {counted}"
    if failed:
        which = "; ".join(figure(name, overall[name]) for name in failed)
        return f"Do not promote: the challenger may be worse by more than {rule.margin:g} {where}: {which}."
    low, high = overall[metric].ci
    better = low > 0 if params_models.METRICS[metric] else high < 0
    verdict = "better" if better else f"not worse by more than {rule.margin:g}"
    return f"Promote: the challenger is {verdict} {where}: {figure(metric, overall[metric])}."


def of_unused(batch: BatchProfile) -> str:
    """Return the recommendation for a batch that the audit leaves out whole, "" where something of it takes part."""
    return "" if batch.n_used else f"Do not promote: nothing of the batch takes part. {about_left_out(batch)}"


def of_clusters(batch: BatchProfile) -> str:
    """Return the recommendation for a batch that seems to show known patients, "" where it does not."""
    if not batch.clusters:
        return ""
    return (
        f"Do not promote: with the batch, {batch.clusters}. If it shows known patients under other names, the gain is memory: "
        "submit it with their groups."
    )


def cautions(comparison: Comparison) -> list[str]:
    """Return what to check before a decision, as sentences: parts that get worse, and what is unusual about the batch.

    The gate ignores them: among many parts some get worse by chance.
    """
    return [*of_tries(comparison.tries), *worse_parts(comparison), *of_batch(comparison.batch)]


def of_tries(n: int) -> list[str]:
    """Return how many comparisons with this champion there have been; of several the best is in part luck."""
    if n < 2:
        return []
    return [
        f"This is comparison {n} with this champion, on the same samples: of several tries the best is in part luck."
    ]


def worse_parts(comparison: Comparison) -> list[str]:
    """Return a sentence for each class and subgroup that is worse by more than the margin, by the whole interval."""
    parts = [(f"of {label}", name, change) for label, name, change in of_classes(comparison)]
    parts += [
        (f"where {row.column} is {row.value}", name, change)
        for row in comparison.subgroups
        for name, change in row.metrics.items()
        if not row.few
    ]
    return [
        f"Worse {where}: {figure(name, change)}." for where, name, change in parts if change.ci[1] < -comparison.margin
    ]


def of_batch(batch: BatchProfile) -> list[str]:
    """Return a sentence for whatever is unusual about a batch."""
    sentences = []
    drift = batch.drift
    if (drift.farther is not None and drift.ci[0] > DISTANT) or batch.refused_ci[0] > REFUSED:
        sentences.append(f"The batch differs from the training data: {in_distance(batch)}.")
    label, share, before = most_shifted(batch)
    if batch.shortcuts and share - before > SHIFT:
        names = ", ".join(map(str, batch.shortcuts))
        sentences.append(
            f"{names} distinguishes the batch from the rest, and {share:.0%} of the batch is {label} ({before:.0%} of "
            "development): the model may learn where images come from instead of what they show."
        )
    elif share - before > SHIFT:
        sentences.append(
            f"The class balance differs: {share:.0%} of the batch is {label} ({before:.0%} of development)."
        )
    if batch.left_out:
        sentences.append(about_left_out(batch))
    return sentences


def about_left_out(batch: BatchProfile) -> str:
    """Return how many samples of a batch are left out, and why."""
    reasons = ", ".join(f"{n} for {reason}" for reason, n in batch.left_out.items())
    return f"The audit leaves out {batch.n - batch.n_used} of {batch.n}: {reasons}."


def most_shifted(batch: BatchProfile) -> tuple[str, float, float]:
    """Return the class whose share in the batch exceeds that in development most, and both shares."""
    before = {label: share["before"] for label, share in shares(batch.development).items()}
    own = {label: batch.labels.get(label, 0) / batch.n for label in before}
    label = max(before, key=lambda label: own[label] - before[label])
    return label, own[label], before[label]


def in_distance(batch: BatchProfile) -> str:
    """Return in words how a batch differs from the training data."""
    refused = f"the champion refuses {batch.refused:.0%} of it (of its own development samples {1 - QUANTILE:.1%})"
    if batch.drift.farther is None:
        return refused
    low, high = batch.drift.ci
    span = "" if math.isnan(low) else f" [{low:.0%}, {high:.0%}]"
    return (
        f"{refused}, and {batch.drift.farther:.0%}{span} of new samples "
        "are farther from the training data than a typical training sample (50% = no difference)"
    )


def shares(development: dict[str, dict[str, int]]) -> dict[str, dict[str, float]]:
    """Return each class' share of the development set, before and with the batch."""
    total = {when: max(1, sum(counts[when] for counts in development.values())) for when in ("before", "with_it")}
    return {label: {when: counts[when] / total[when] for when in total} for label, counts in development.items()}


def lines(comparison: Comparison) -> list[str]:
    """Return a comparison as lines of text: the recommendation first."""
    names = [*comparison.guarded, *(["brier_score_loss"] if "brier_score_loss" in comparison.metrics else [])]
    table = [(name, comparison.metrics[name]) for name in dict.fromkeys(names)]
    table += [(f"{name} of {label}", change) for label, name, change in of_classes(comparison)]
    table += [
        (f"{name} where {row.column} is {row.value} (n = {row.n})", change)
        for row in comparison.subgroups
        for name, change in row.metrics.items()
        if name in comparison.guarded or name == "accuracy"
    ]
    width = max(len(name) for name, _ in table)
    head = f"{'':{width}}  champion  with it  difference"
    rows = [
        f"{name:{width}}  {three(change.champion)}     {three(change.challenger)}    {gain(change)}"
        for name, change in table
    ]
    batch = comparison.batch
    labels = ", ".join(f"{n} {label}" for label, n in sorted(batch.labels.items()))
    about = f"The batch: {batch.n} samples ({labels}); {in_distance(batch)}."
    return [
        comparison.recommendation,
        head,
        *rows,
        about,
        *[f"Check first: {caution}" for caution in comparison.cautions],
    ]


def of_classes(comparison: Comparison) -> list[tuple[str, str, Change]]:
    """Return (class, metric, change) of each class; with two classes without the ROC AUC, which is that of the whole."""
    parts = comparison.per_class
    rows = [(label, name, change) for label, part in parts.items() for name, change in part.items()]
    return [row for row in rows if len(parts) > 2 or row[1] != "roc_auc"]


def three(value: float) -> str:
    """Return a figure with three decimals, in five places."""
    return "  -  " if math.isnan(value) else f"{value:.3f}"


def gain(change: Change) -> str:
    """Return a difference with its interval."""
    low, high = change.ci
    return "-" if math.isnan(low) else f"{change.difference:+.3f} [{low:+.3f}, {high:+.3f}]"
