"""Profile an upload batch: audit findings, class balance, distance to the training data."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.core import params
from pipeline.core.paths import TaskPaths
from pipeline.data import uploads
from pipeline.data.audit_result import AuditResult, Shortcut
from pipeline.data.dataset import Dataset
from pipeline.data.folders.archives import folder_of
from pipeline.data.images.pixel_rule import rule_of
from pipeline.data.tables import schema
from pipeline.data.uploads import Included
from pipeline.duplicates.images import fingerprint
from pipeline.duplicates.images.fingerprint import open_store
from pipeline.duplicates.shortcuts import find_shortcuts, properties_of
from pipeline.duplicates.summary import describe_clusters
from pipeline.prediction import bundle, ood_images, ood_tables
from pipeline.prediction.predictor import Predictor
from pipeline.retraining.records import BatchProfile, Drift
from pipeline.stats.bootstrap import resamples
from pipeline.stats.intervals import LEVEL, wilson

DRAWS = 1000
SEEN = ("width", "height", "aspect", "mean colour", "border")  # properties that survive being stored as a PNG


def describe(task: str, tree: Path, rows: list[Included], dev: Dataset) -> BatchProfile:
    """Return the profile of a batch whose graph has run in `tree`; `dev` is the champion's development set."""
    kind = params.task(task).kind
    files = {uploads.stored(task, kind, row.hash).as_posix(): row for row in rows}
    split, old = (pd.read_csv(TaskPaths(task, root).split, dtype=str, keep_default_na=False) for root in (tree, Path()))
    out = split[split["path"].isin(list(files)) & (split["subset"] == "excluded")]
    before, with_it = (Counter(table.loc[table["subset"] == "dev", "label"]) for table in (old, split))
    share = refused(task, kind, list(files))
    low, high = wilson(share * len(rows), len(rows))
    return BatchProfile(
        n=len(rows),
        labels=dict(Counter(row.label for row in rows)),
        left_out=dict(Counter(reason.split(":")[0] for reason in out["reason"])),
        joined=joined(AuditResult.read(task, tree), files, set(out["path"])),
        shortcuts=shortcuts(task, tree, files, split) if kind == "image" else [],
        development={label: {"before": before[label], "with_it": with_it[label]} for label in sorted(with_it)},
        refused=share,
        refused_ci=(low, high),
        clusters=clusters(AuditResult.read(task), AuditResult.read(task, tree)),
        drift=drift(kind, dev, Dataset.read(task, "dev", tree), list(files)),
    )


def refused(task: str, kind: str, files: list[str]) -> float:
    """Return the share of stored samples that the champion refuses; their clinical columns are not known."""
    predictor = Predictor(TaskPaths(task).best, bundle.expected_sha256(task))
    unknown = dict.fromkeys(predictor.info.clinical_columns, "")

    def read(file: str) -> Any:
        data = Path(file).read_bytes()
        return json.loads(data) if kind == "table" else (data, unknown) if unknown else data

    return float(np.mean([predictor.predict(read(file), file)["refused"] for file in files]))


def clusters(before: AuditResult, with_it: AuditResult) -> str:
    """Return in words what the audit finds of uploads in clusters since the batch is among them, "" where it finds nothing."""
    if before.upload_clusters or not with_it.upload_clusters:
        return ""
    return describe_clusters(with_it.upload_clusters)


def joined(audit: AuditResult, files: dict[str, Included], out: set[str]) -> int:
    """Return how many of `files` are used and copies of a sample outside the batch."""
    pairs = [(pair.a, pair.b) for pair in audit.uploads or [] if pair.copy]
    inside = {path for a, b in pairs for path, other in ((a, b), (b, a)) if path in files and other not in files}
    return len(inside - out)


def shortcuts(task: str, tree: Path, files: dict[str, Included], split: pd.DataFrame) -> list[Shortcut]:
    """Return the acquisition properties that tell the batch from the rest of the development set.

    Compared are the batch's development images and as many others, drawn by the seed.
    """
    dev = split[split["subset"] == "dev"].reset_index(drop=True)
    is_new = dev["path"].isin(list(files)).to_numpy()
    old = np.random.default_rng(params.seed()).permutation(np.flatnonzero(~is_new))[: is_new.sum()]
    dev = dev.iloc[np.sort([*np.flatnonzero(is_new), *old])]
    samples = pd.read_csv(TaskPaths(task, tree).samples, dtype=str, keep_default_na=False).set_index("path")
    raw = folder_of(params.task(task).raw)
    paths = [uploads.locate(raw, path) for path in dev["path"]]
    store = open_store(rule_of(params.task(task).read))
    tones = np.array([fp.tones for fp in fingerprint.take_all(paths, store, task, params.workers())], float)
    table = samples.loc[dev["path"]].reset_index()
    seen = {name: values for name, values in properties_of(table, tones.reshape(-1, 4)).items() if name in SEEN}
    origin = np.where(dev["path"].isin(list(files)), "the batch", "before")
    return find_shortcuts(seen, origin, pd.factorize(dev["group"])[0])


def drift(kind: str, dev: Dataset, with_it: Dataset, files: list[str]) -> Drift:
    """Return how far the batch's development samples lie from the champion's development set, compared with its own samples.

    Images: `prediction.ood_images` of embeddings; rows: `prediction.ood_tables`. `Drift.farther` is the statistic of Mann and
    Whitney (1947), divided by the number of pairs.
    """
    index = np.flatnonzero(np.isin(with_it.path, files))
    if not len(index):
        return Drift(0, None)
    if kind == "table":
        ours, theirs = dev.X("columns"), with_it.X("columns").iloc[index].reset_index(drop=True)
        own, new = ood_tables.out_of_fold(ours, dev.fold), beyond(theirs, ours)
    else:
        ours = dev.X("embedding")
        own, _ = ood_images.out_of_fold(ours, dev.fold)
        new = ood_images.distances(ood_images.fit(ours), with_it.X("embedding")[index])
    ordered = np.sort(own)
    farther = (np.searchsorted(ordered, new, "left") + np.searchsorted(ordered, new, "right")) / 2 / len(own)
    medians = {"training": float(np.median(own)), "batch": float(np.median(new))}
    return Drift(len(index), float(farther.mean()), interval_over_groups(farther, with_it.group[index]), medians)


def beyond(rows: pd.DataFrame, training: pd.DataFrame) -> np.ndarray:
    """Return each row's largest excess over the ranges of `training`, float64 (n,)."""
    excess = ood_tables.excess(rows, schema(training, {}))
    return np.max([np.zeros(len(rows)), *excess.values()], axis=0)


def interval_over_groups(values: np.ndarray, groups: np.ndarray) -> tuple[float, float]:
    """Return the percentile interval of the mean of `values` (n,) over groups drawn with replacement; NaN for one group."""
    if len(np.unique(groups)) < 2:
        return (np.nan, np.nan)
    weights = np.concatenate(list(resamples(groups, DRAWS, params.seed())))
    means = weights @ values / weights.sum(axis=1)
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]).tolist()
    return low, high
