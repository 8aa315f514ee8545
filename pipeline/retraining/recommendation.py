"""What a comparison of champion and challenger comes to, in words: a recommendation, what to look at first, and its figures."""

from typing import Any

from pipeline.core import params
from pipeline.core.params import RetrainParams
from pipeline.prediction.ood_images import QUANTILE

UNLIKE = 0.6  # from which the lower end of `farther` says that a batch is unlike the training data; 0.5 is alike
REFUSED = 2 * (1 - QUANTILE)  # the same of the share that the champion refuses
SHIFT = 0.1  # from which it is said that a class' share in the batch differs from that in development


def figure(name: str, one: dict[str, Any]) -> str:
    """Return a metric before and after, with the interval of the difference."""
    low, high = one["ci"]
    said = f"{name} {one['champion']:.3f} before, {one['challenger']:.3f} with it"
    return f"{said} (difference {one['difference']:+.3f} [{low:+.3f}, {high:+.3f}])"


def recommendation(overall: dict[str, Any], metric: str, failed: list[str], n: int, rule: RetrainParams) -> str:
    """Return the recommendation as a sentence."""
    where = f"on the champion's {n} development samples"
    if failed:
        which = "; ".join(figure(name, overall[name]) for name in failed)
        return f"Do not promote: it may be worse by more than {rule.margin:g} {where}: {which}."
    low, high = overall[metric]["ci"]
    better = low > 0 if params.METRICS[metric] else high < 0
    said = "it is better" if better else f"it is not worse by more than {rule.margin:g}"
    return f"Promote: {said} {where}: {figure(metric, overall[metric])}."


def cautions(found: dict[str, Any]) -> list[str]:
    """Return what to look at before a decision, as sentences: parts that lose, and what is odd about the batch itself.

    The gate asks for none of it: of many parts some lose by chance.
    """
    return [*worse_parts(found), *of_batch(found["batch"])]


def worse_parts(found: dict[str, Any]) -> list[str]:
    """Return a sentence for each class and subgroup that is worse by more than the margin, by the whole interval."""
    parts = [(f"of {label}", name, one) for label, name, one in of_classes(found)]
    parts += [
        (f"where {row['column']} is {row['value']}", name, one)
        for row in found["subgroups"]
        for name, one in row["metrics"].items()
        if not row["few"]
    ]
    return [f"Worse {where}: {figure(name, one)}." for where, name, one in parts if one["ci"][1] < -found["margin"]]


def of_batch(batch: dict[str, Any]) -> list[str]:
    """Return a sentence for whatever is odd about a batch, see `newcomers.describe`."""
    said = []
    drift = batch["drift"]
    if (drift["farther"] is not None and drift["ci"][0] > UNLIKE) or batch["refused_ci"][0] > REFUSED:
        said.append(f"The batch is unlike the training data: {in_distance(batch)}.")
    label, share, before = lopsided(batch)
    if batch["told_by"] and share - before > SHIFT:
        names = ", ".join(f"{one['name']} ({one['accuracy']:.0%} right)" for one in batch["told_by"])
        said.append(
            f"The batch is told from the rest by {names}, and {share:.0%} of it is {label}, of development {before:.0%}: "
            "the model may learn where pictures come from instead of what they show."
        )
    elif share - before > SHIFT:
        said.append(
            f"The batch has classes in other shares: {share:.0%} of it is {label}, of development {before:.0%}."
        )
    if batch["left_out"]:
        reasons = ", ".join(f"{n} for {reason}" for reason, n in batch["left_out"].items())
        said.append(f"The audit leaves out {sum(batch['left_out'].values())} of {batch['n']}: {reasons}.")
    return said


def lopsided(batch: dict[str, Any]) -> tuple[str, float, float]:
    """Return the class of which the batch has most more than development, and its shares in both."""
    before = {label: one["before"] for label, one in shares(batch["development"]).items()}
    own = {label: batch["labels"].get(label, 0) / batch["n"] for label in before}
    label = max(before, key=lambda label: own[label] - before[label])
    return label, own[label], before[label]


def in_distance(batch: dict[str, Any]) -> str:
    """Return how unlike the training data a batch is, in words."""
    refused = f"the champion refuses {batch['refused']:.0%} of it (of its own development samples {1 - QUANTILE:.1%})"
    drift = batch["drift"]
    if drift["farther"] is None:
        return refused
    low, high = drift["ci"]
    span = f" [{low:.0%}, {high:.0%}]" if low is not None and low == low else ""  # of JSON, or of numpy
    return f"{refused}, and of one of these and a new one the new one lies farther off in {drift['farther']:.0%}{span}"


def shares(development: dict[str, dict[str, int]]) -> dict[str, dict[str, float]]:
    """Return each class' share of the development set, before and with the batch."""
    total = {when: max(1, sum(counts[when] for counts in development.values())) for when in ("before", "with_it")}
    return {label: {when: counts[when] / total[when] for when in total} for label, counts in development.items()}


def lines(found: dict[str, Any]) -> list[str]:
    """Return a comparison as lines of text: the recommendation first."""
    names = [*found["guarded"], *(["brier_score_loss"] if "brier_score_loss" in found["metrics"] else [])]
    table = [(name, found["metrics"][name]) for name in dict.fromkeys(names)]
    table += [(f"{name} of {label}", one) for label, name, one in of_classes(found)]
    table += [
        (f"{name} where {row['column']} is {row['value']} (n = {row['n']})", one)
        for row in found["subgroups"]
        for name, one in row["metrics"].items()
        if name in found["guarded"] or name == "accuracy"
    ]
    width = max(len(name) for name, _ in table)
    head = f"{'':{width}}  champion  with it  difference"
    rows = [
        f"{name:{width}}  {three(one['champion'])}     {three(one['challenger'])}    {gain(one)}" for name, one in table
    ]
    batch = found["batch"]
    labels = ", ".join(f"{n} {label}" for label, n in sorted(batch["labels"].items()))
    about = f"The batch: {batch['n']} samples ({labels}); {in_distance(batch)}."
    return [found["recommendation"], head, *rows, about, *[f"Look at: {one}" for one in found["cautions"]]]


def of_classes(found: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """Return (class, metric, figures) of each class; of two the ROC AUC is that of all, and left out."""
    parts = found["per_class"]
    rows = [(label, name, one) for label, part in parts.items() for name, one in part.items()]
    return [row for row in rows if len(parts) > 2 or row[1] != "roc_auc"]


def three(value: float) -> str:
    """Return a figure with three digits behind the point, in five places."""
    return f"{value:.3f}" if value == value else "  -  "


def gain(one: dict[str, Any]) -> str:
    """Return a difference with its interval."""
    low, high = one["ci"]
    return f"{one['difference']:+.3f} [{low:+.3f}, {high:+.3f}]" if low == low else "-"
