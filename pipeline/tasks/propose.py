"""Propose a task and models for an inspected data set: blocks of params.yaml, with the reasons in words."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

import pandas as pd

from pipeline.core.artifacts import JSON
from pipeline.core.errors import DataError, SplitError
from pipeline.data.columns.label_spelling import are_similar
from pipeline.data.columns.negative_class import negative_of
from pipeline.data.grouping.splitting import unit_hash
from pipeline.data.wording import some
from pipeline.estimators._protocol import get_estimator
from pipeline.tasks.inspect_data import InspectedData
from pipeline.tasks.unit import about_unit

# Of groups in the test set: the first with every class on both sides is taken. Few groups need the finer steps.
FRACTIONS = (0.2, 0.3, 0.4, 0.5, 0.25, 0.35, 0.45, 0.15, 0.55, 0.1, 0.6)
DRAWS = 50  # of the hash: with two classes of three groups each the chance that all of them fail is below 1e-6
FOLDS, MIN_TEST, NEIGHBOURS = 5, 10, 15  # with enough samples
SPLIT_FROM = 40  # rows in a training fold: with fewer, no boosted tree has two leaves of 20 rows
TUNED_FROM = 500  # images in a training fold: with fewer, the frozen network is better (benchmarks/network.md)
STRENGTHS = [0.01, 0.1, 1.0, 10.0]  # of logistic regression on a table; one is chosen inside each training fold
# Of equally good models the first is selected, so simple and cheap ones come first.
MODELS = {
    "image": ("logreg", "mobilenetv2", "random_forest", "knn", "dummy"),
    "table": ("logreg", "hist_gradient_boosting", "random_forest", "knn", "mean_of_two", "dummy"),
}

AUGMENT = {
    "xray": "xray: images of one channel, in which up and down, and quarter turns, mean something; preprocess.augment changes it",
    "standard": "standard: no up or down, other light; preprocess.augment: xray where orientation means something",
}


@dataclass(frozen=True)
class Proposal:
    """Blocks of params.yaml for a task and its models, by name, and the reasons for their values, as (title, text)."""

    task: JSON
    models: dict[str, JSON]
    reasons: list[tuple[str, str]]


@dataclass(frozen=True)
class Division:
    """A block `split`, the number of development samples, the reason in words, and a warning, "" where there is none."""

    block: JSON
    n_dev: int
    why: str
    warning: str = ""


def make_task(
    data: InspectedData,
    name: str,
    positive: str | None,
    seed: int,
    split: str | None = None,
    can_tune: bool = True,
) -> Proposal:
    """Return the proposal for a task of this name.

    `split`: hash draws a new test set although one is shipped. `can_tune`: whether the project's network can be fine-tuned.

    Raises DataError if no sample of a class can be read or `positive` is not one of two classes, SplitError if a class has too
    few groups to be divided.
    """
    good = data.samples[data.samples["error"] == ""]
    check_classes(data, good)
    division = divide(good, seed, split)
    block, n_dev = division.block, division.n_dev
    positive, line = choose_positive(good["label"], positive)
    n_fitted = int(n_dev * (1 - 1 / block["folds"]))
    models = make_models(name, data.kind, n_fitted if can_tune else min(n_fitted, TUNED_FROM - 1))
    tune = models[f"{name}-mobilenetv2"]["fine_tune"] if data.kind == "image" else None
    preprocess: JSON = {"positive": positive} if positive else {}
    if data.kind == "image":
        preprocess["pixels"] = tune is not None
        if tune:
            preprocess["augment"] = "xray" if data.is_grey else "standard"
    task = {
        "kind": data.kind,
        "raw": data.raw,
        "read": data.read,
        "audit": {"leaks": "drop", "conflicts": "keep" if data.kind == "table" else "drop"},
        "split": block,
        "preprocess": preprocess,
        "select": {"metric": "roc_auc", "draws": 1000},
        "models": list(models),
    }
    reasons = [
        ("positive", line),
        ("split", division.why),
        ("warning", division.warning),
        *about_unit(good),
        ("models", f"{', '.join(models)}; of equally good models the first is selected"),
    ]
    if tune:
        without = f"to skip it, delete it from models and from tasks.{name}.models"
        cost = f"which takes longest: train says how many minutes when it has timed some batches; {without}"
        reasons.append(("time", f"{name}-mobilenetv2 is fine-tuned, {cost}"))
        reasons.append(("augment", AUGMENT[preprocess["augment"]]))
    return Proposal(task, models, reasons)


def check_classes(data: InspectedData, good: pd.DataFrame) -> None:
    """Raise DataError if no sample of a class can be read: the models would never predict it."""
    for label, of_label in data.samples[data.samples["label"] != ""].groupby("label"):
        if label not in set(good["label"]):
            first = of_label.iloc[0]
            hint = "; paths are relative to the folder of the CSV" if "csv" in data.read else ""
            raise DataError(
                f"class {label!r}: none of its {len(of_label)} samples can be read, the first, {first['path']}: "
                f"{first['error']}{hint}. Repair them, or remove the class from the data"
            )


def choose_positive(labels: pd.Series, wanted: str | None) -> tuple[str | None, str]:
    """Return the positive class of two and the reason; None for more classes.

    By default it is the one whose name is not that of an absence (normal, benign, 0), else the rarer.
    """
    counts = labels.value_counts().sort_index()
    if wanted and (wanted not in counts or len(counts) != 2):
        raise DataError(
            f"--positive {wanted}: expected one of two classes; there are {len(counts)}: {', '.join(counts.index)}"
        )
    if len(counts) != 2:
        return None, ""
    rarer = counts.index[0] if counts.iloc[0] < counts.iloc[1] else counts.index[1]
    negative = negative_of(*counts.index)
    present = next((label for label in counts.index if label != negative), None) if negative else None
    positive = wanted or present or rarer
    if wanted:
        return positive, positive
    other = next(label for label in counts.index if label != positive)
    if present:
        return positive, f"{positive} ({other} is the absence of it; --positive {other} chooses the other)"
    reason = "the rarer class" if counts[positive] < counts[other] else "both classes are equally frequent"
    return positive, f"{positive} ({reason}; --positive {other} chooses the other)"


def divide(samples: pd.DataFrame, seed: int, split: str | None = None) -> Division:
    """Return a block `split` that works for these samples.

    It asks for half of the possible folds and test samples, because the audit may later exclude or group samples. Raises
    SplitError if a class has too few groups for both sides.
    """
    group = samples["group"].where(samples["group"] != "", samples["id"])
    shipped, divided = samples["shipped"] == "test", pd.Series(False, index=samples.index)
    as_shipped: list[tuple[str, float, int, pd.Series]] = []
    if {"test"} < set(samples["shipped"]) and split != "hash":
        check_shipped(samples)
        divided = ~shipped & group.isin(set(group[shipped]))
        as_shipped = [("shipped", FRACTIONS[0], 0, shipped)]
    for by, fraction, draw, in_test in chain(as_shipped, hashed(group, seed)):
        in_dev = ~in_test & ~divided if by == "shipped" else ~in_test
        n_test, n_groups = smallest_counts(samples["label"], group, in_test, in_dev)
        if n_test >= 1 and n_groups >= 2:
            folds, least = max(2, min(FOLDS, n_groups // 2)), max(1, min(MIN_TEST, n_test // 2))
            block: JSON = {"by": by, "test_fraction": fraction, "folds": folds, "min_test_per_class": least}
            block |= {"draw": draw} if draw else {}
            how = "as shipped" if by == "shipped" else f"{fraction:.0%} of the groups for the test set, by hash"
            few = fraction != FRACTIONS[0] or folds < FOLDS or least < MIN_TEST
            why = f"{how}; {folds} folds; at least {least} test samples of each class"
            why += " (fewer than usual: a class is small)" * few
            return Division(block, int(in_dev.sum()), why, about_shipped(by, group, divided))
    n_groups = group.groupby(samples["label"]).nunique()
    least, of_least = n_groups.idxmin(), samples.loc[samples["label"] == n_groups.idxmin(), "path"]
    meant = [name for name in n_groups.index if name != least and are_similar(least, name)]
    to_do = f"If {meant[0]!r} is meant, correct it; else collect" if meant else "Collect"
    raise SplitError(
        f"class {least[:80]!r} ({some(of_least.tolist(), 3)}) has {n_groups.min()} groups (patients, lesions or single samples), "
        f"too few for a test set and two folds. {to_do} more of it, or remove it"
    )


def hashed(group: pd.Series, seed: int) -> Iterator[tuple[str, float, int, pd.Series]]:
    """Yield divisions by hash as (by, fraction, draw, whether each sample is in the test set).

    Few groups may all fall on one side whatever the fraction, so other draws of the hash are tried: the division still depends
    on nothing but the names, and looks at nothing but the classes.
    """
    for draw in range(DRAWS):
        position = group.map(lambda name, draw=draw: unit_hash(name, seed, draw))
        for fraction in FRACTIONS:
            yield "hash", fraction, draw, position < fraction


def check_shipped(samples: pd.DataFrame) -> None:
    """Raise SplitError where a class is missing from one side of the shipped split: no figure on it would be of all classes."""
    labels = set(samples["label"])
    for subset, part in (("test set", "test"), ("training part", "train")):
        chosen = samples["shipped"] == "test" if part == "test" else samples["shipped"] != "test"
        missing = sorted(labels - set(samples.loc[chosen, "label"]))
        if missing:
            others = sorted(set(samples.loc[chosen, "label"]) - set(samples.loc[~chosen, "label"]))
            renamed = f" It alone has {', '.join(others[:3])}: if the same is meant, rename them." if others else ""
            raise SplitError(
                f"class {missing[0]!r}{' and ' + str(len(missing) - 1) + ' more' if missing[1:] else ''} has no sample in the "
                f"shipped {subset}, so it cannot be {'tested' if part == 'test' else 'learnt'}.{renamed} "
                "A new test set of all samples: --split hash. The shipped split without the class: leave it out, for images "
                f"--skip '(^|/){missing[0]}/'"
            )


def about_shipped(by: str, group: pd.Series, divided: pd.Series) -> str:
    """Return what is said where a shipped split has groups on both sides; `divided`: development samples of such groups."""
    if not divided.any():
        return ""
    n_groups, n_samples = group[divided].nunique(), int(divided.sum())
    consequence = (
        f"their {n_samples} development samples are left out"
        if by == "shipped"
        else "it is not used: too little would be left for development"
    )
    return f"{n_groups} groups (patients) stand on both sides of the shipped split: {consequence}"


def smallest_counts(labels: pd.Series, group: pd.Series, in_test: pd.Series, in_dev: pd.Series) -> tuple[int, int]:
    """Return the smallest number of test samples, and of development groups, of any class."""
    classes = sorted(set(labels))
    n_test = min(int(((labels == label) & in_test).sum()) for label in classes)
    return n_test, min(group[(labels == label) & in_dev].nunique() for label in classes)


def make_models(task: str, kind: str, n_fitted: int) -> dict[str, JSON]:
    """Return the models' blocks, the preferred first; the smallest training fold has `n_fitted` samples.

    A fine-tuned network comes first: it was better out of fold, on other lesions and at other sites, and as fast to serve.
    """
    able = [name for name in MODELS[kind] if name != "hist_gradient_boosting" or n_fitted >= SPLIT_FROM]
    order = sorted(able, key=lambda name: name != "mobilenetv2" or n_fitted < TUNED_FROM)
    return {f"{task}-{estimator}": model_block(task, kind, estimator, n_fitted) for estimator in order}


def model_block(task: str, kind: str, estimator: str, n_fitted: int) -> JSON:
    """Return a model's block with every value that can be tuned; the smallest training fold has `n_fitted` samples."""
    own: JSON = {}
    n_neighbors = max(1, min(NEIGHBOURS, n_fitted // 2))
    if estimator == "logreg" and kind == "image":
        own["C"] = 0.001  # 1,280 features of a few hundred samples
    if estimator == "knn":
        own["n_neighbors"] = n_neighbors
    if estimator == "mean_of_two":
        own["of"] = get_estimator(estimator).Params().model_dump()["of"] | {"knn": {"n_neighbors": n_neighbors}}
    if estimator == "random_forest" and kind == "table":
        own["min_samples_leaf"] = 3  # benchmarks/tables.md
    listed: JSON = {"C": STRENGTHS} if estimator == "logreg" and kind == "table" else {}
    features = "embedding" if kind == "image" else "columns"
    if estimator == "mobilenetv2" and n_fitted >= TUNED_FROM:
        own |= {"dropout": 0.3, "fine_tune": {}}  # the recipe of benchmarks/network.md
        features = "pixels"
    return (
        {"task": task, "estimator": estimator, "features": features}
        | get_estimator(estimator).Params(**own).model_dump()
        | listed
    )
