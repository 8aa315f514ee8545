"""Which task and which models fit a data set that was found: blocks of params.yaml, with the reasons in words."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from pipeline.core.errors import DataError, SplitError
from pipeline.data.splitting import unit_hash
from pipeline.estimators._registry import get_estimator
from pipeline.tasks.inspect_data import Found

FRACTIONS = (0.2, 0.3, 0.4, 0.5)  # of groups for the test set: the first that leaves every class on both sides
FOLDS, MIN_TEST, NEIGHBOURS = 5, 10, 15  # where there are samples enough
TUNED_FROM = 500  # photos in a training fold: with fewer, fine-tuning loses what the frozen network knows (benchmarks/network.md)
LEARNT = 55  # photos that a network learns from in a second on two cores: benchmarks/network.py
# The order is the tie rule: first what is simple to fit and cheap to serve.
MODELS = {
    "image": ("logreg", "mobilenetv2", "random_forest", "knn", "dummy"),
    "table": ("logreg", "random_forest", "knn", "dummy"),
}


@dataclass(frozen=True)
class Proposal:
    """Blocks of params.yaml for a task and its models, by name, and the reasons for their values, as (title, text)."""

    task: dict[str, Any]
    models: dict[str, dict[str, Any]]
    reasons: list[tuple[str, str]]


def make_task(found: Found, name: str, positive: str | None, seed: int) -> Proposal:
    """Return what is proposed for a task of this name.

    Raises DataError where of a class nothing can be read or `positive` is none of two classes, SplitError where a class has
    too few groups to be divided.
    """
    good = found.samples[found.samples["error"] == ""]
    check_classes(found, good)
    block, n_dev, why = divide(good, seed)
    positive, line = choose_positive(good["label"], positive)
    n_fitted = int(n_dev * (1 - 1 / block["folds"]))
    models = make_models(name, found.kind, n_fitted)
    tune = models[f"{name}-mobilenetv2"]["fine_tune"] if found.kind == "image" else None
    preprocess: dict[str, Any] = {"positive": positive} if positive else {}
    if found.kind == "image":
        preprocess["pixels"] = tune is not None
    task = {
        "kind": found.kind,
        "raw": found.raw,
        "read": found.read,
        "audit": {"leaks": "drop", "conflicts": "drop"},
        "split": block,
        "preprocess": preprocess,
        "select": {"metric": "roc_auc", "draws": 1000},
        "models": list(models),
    }
    reasons = [
        ("positive", line),
        ("split", why),
        ("models", f"{', '.join(models)}; of those that cannot be told apart the first wins"),
    ]
    if tune:
        minutes = max(1, round((n_fitted * block["folds"] + n_dev) * tune["epochs"] / LEARNT / 60))
        without = f"to go without, delete it from models and from tasks.{name}.models"
        cost = f"some {minutes} min on two cores, the others take seconds; {without}"
        reasons.append(("time", f"{name}-mobilenetv2 is fine-tuned, {cost}"))
    return Proposal(task, models, reasons)


def check_classes(found: Found, good: pd.DataFrame) -> None:
    """Raise DataError where none of the samples of a class can be read: a model would be sure of the others."""
    for label, of_label in found.samples[found.samples["label"] != ""].groupby("label"):
        if label not in set(good["label"]):
            first = of_label.iloc[0]
            hint = "; paths count from the folder of the CSV" if "csv" in found.read else ""
            raise DataError(
                f"class {label!r}: none of its {len(of_label)} samples can be read, the first, {first['path']}: "
                f"{first['error']}{hint}. Mend them, or take the class out of the data"
            )


def choose_positive(labels: pd.Series, wanted: str | None) -> tuple[str | None, str]:
    """Return the positive class of two, the rarer unless another is wanted, and a line about it; None of more classes."""
    counts = labels.value_counts().sort_index()
    if wanted and (wanted not in counts or len(counts) != 2):
        raise DataError(
            f"--positive {wanted}: expected one of two classes; there are {len(counts)}: {', '.join(counts.index)}"
        )
    if len(counts) != 2:
        return None, ""
    rarer = counts.index[0] if counts.iloc[0] < counts.iloc[1] else counts.index[1]
    positive = wanted or rarer
    if wanted:
        return positive, positive
    other = next(label for label in counts.index if label != positive)
    reason = "the rarer class" if counts[positive] < counts[other] else "classes are alike in number"
    return positive, f"{positive} ({reason}; --positive {other} takes the other)"


def divide(samples: pd.DataFrame, seed: int) -> tuple[dict[str, Any], int, str]:
    """Return the block `split` that works for these samples, how many are left for development, and the reason in words.

    Whatever the audit leaves out or unites later is allowed for by half: of folds and test samples twice as many could be had.
    Raises SplitError where a class has too few groups for both sides.
    """
    group = samples["group"].where(samples["group"] != "", samples["id"])
    ways = [("hash", fraction, group.map(lambda g, f=fraction: unit_hash(g, seed) < f)) for fraction in FRACTIONS]
    if {"test"} < set(samples["shipped"]):
        ways.insert(0, ("shipped", FRACTIONS[0], samples["shipped"] == "test"))
    for by, fraction, in_test in ways:
        n_test, n_groups = fewest(samples["label"], group, in_test)
        if n_test >= 1 and n_groups >= 2:
            folds, least = max(2, min(FOLDS, n_groups // 2)), max(1, min(MIN_TEST, n_test // 2))
            block = {"by": by, "test_fraction": fraction, "folds": folds, "min_test_per_class": least}
            how = "as shipped" if by == "shipped" else f"{fraction:.0%} of the groups for the test set, by hash"
            few = fraction > FRACTIONS[0] or folds < FOLDS or least < MIN_TEST
            why = f"{how}; {folds} folds; at least {least} test samples of each class"
            return block, int((~in_test).sum()), why + " (fewer than usual: a class is small)" * few
    n_groups = group.groupby(samples["label"]).nunique()
    chance = " (or set another seed in params.yaml: the hash divides them by chance)" if n_groups.min() > 2 else ""
    raise SplitError(
        f"class {n_groups.idxmin()!r} has {n_groups.min()} groups (patients, lesions or single samples), too few for a test set "
        f"and two folds. Collect more of it, or leave it out{chance}"
    )


def fewest(labels: pd.Series, group: pd.Series, in_test: pd.Series) -> tuple[int, int]:
    """Return the number of test samples of the class that has fewest, and the same of groups for development."""
    classes = sorted(set(labels))
    n_test = min(int(((labels == label) & in_test).sum()) for label in classes)
    return n_test, min(group[(labels == label) & ~in_test].nunique() for label in classes)


def make_models(task: str, kind: str, n_fitted: int) -> dict[str, dict[str, Any]]:
    """Return the models' blocks in the order of the tie rule; `n_fitted` samples are in the smallest training fold.

    A fine-tuned network comes first: it did better out of fold, on other lesions and at other sites, and answers as quickly.
    """
    order = sorted(MODELS[kind], key=lambda name: name != "mobilenetv2" or n_fitted < TUNED_FROM)
    return {f"{task}-{estimator}": model_block(task, kind, estimator, n_fitted) for estimator in order}


def model_block(task: str, kind: str, estimator: str, n_fitted: int) -> dict[str, Any]:
    """Return a model's block with every value that can be tuned; `n_fitted` samples are in the smallest training fold."""
    own: dict[str, Any] = {}
    if estimator == "logreg" and kind == "image":
        own["C"] = 0.001  # 1,280 features of some hundred samples
    if estimator == "knn":
        own["n_neighbors"] = max(1, min(NEIGHBOURS, n_fitted // 2))
    features = "embedding" if kind == "image" else "columns"
    if estimator == "mobilenetv2" and n_fitted >= TUNED_FROM:
        own |= {"dropout": 0.3, "fine_tune": {}}  # the recipe of benchmarks/network.md
        features = "pixels"
    return {"task": task, "estimator": estimator, "features": features} | get_estimator(estimator).Params(
        **own
    ).model_dump()
