"""Audit samples: which are the same image or row, which labels contradict each other, which properties predict the label.

`audit` is pure; `audit_task` and `audit_path` read the samples first. Nothing is changed: `split` decides what is left out.
"""

import sys
from collections.abc import Sequence
from dataclasses import asdict, fields, replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.core import params
from pipeline.core.errors import DataError
from pipeline.core.paths import TaskPaths
from pipeline.core.stage import require
from pipeline.data import tables, uploads
from pipeline.data.audit_result import AuditResult, Clusters, EqualRowCounts, Pair, PathPair, Shortcut
from pipeline.data.folders.archives import folder_of
from pipeline.data.folders.sample_files import Skipped
from pipeline.data.images.image_file import FileFacts
from pipeline.data.images.pixel_rule import PixelRule, rule_of
from pipeline.data.images.proposal import propose
from pipeline.duplicates import label_clusters
from pipeline.duplicates.any_path import collect
from pipeline.duplicates.images import image_clusters
from pipeline.duplicates.images.fingerprint import Fingerprint, open_store, take_all
from pipeline.duplicates.images.marks import N_MARKS
from pipeline.duplicates.images.pairs import find_pairs
from pipeline.duplicates.label_clusters import LEAST, LabelClusters
from pipeline.duplicates.rows.row_audit import RowAudit, audit_rows
from pipeline.duplicates.shortcuts import find_shortcuts, properties_of, properties_of_rows
from pipeline.duplicates.summary import crosses
from pipeline.stats.components import connected_components, joined_sets, pairs_of_equal

FACTS = [field.name for field in fields(FileFacts) if field.name != "misfit"]
SEED = 0  # of the images that stand for a group


def audit(
    samples: pd.DataFrame,
    skipped: pd.DataFrame,
    prints: list[Fingerprint] | None,
    pairs: list[Pair],
    copies: bool = False,
    equal_pairs: list[Pair] | None = None,
) -> AuditResult:
    """Return what is found, everything in the order of `samples`.

    `samples`, `skipped`: as scan writes them, every cell as text. `prints`: of the readable images, None for tables;
    `pairs`: of positions among the readable samples. With `copies` only pairs count that are certainly one image. Labels of
    copies are compared, or those of `equal_pairs`: in a table, rows that are equal but not one patient's.
    """
    bad, good = samples[samples["error"] != ""], samples[samples["error"] == ""].reset_index(drop=True)
    pairs = [pair for pair in pairs if pair.copy or not copies]
    paths, labels, shipped = (good[column].tolist() for column in ("path", "label", "shipped"))
    sets = joined_sets(len(good), [(pair.a, pair.b) for pair in pairs])
    # Near images chain a whole CT scan together; only copies count here, so that one wrong label does not exclude all slices.
    equal = [pair for pair in pairs if pair.copy] if equal_pairs is None else equal_pairs
    same_image = joined_sets(len(good), [(pair.a, pair.b) for pair in equal])
    leaks = [items for items in sets if crosses({shipped[i] for i in items})]
    return AuditResult(
        n_files=len(samples),
        n_unreadable=len(bad),
        n_leaked=sum(shipped[i] == "test" for items in leaks for i in items),
        groups=[[paths[i] for i in items] for items in sets],
        leaks=[[paths[i] for i in items] for items in leaks],
        label_conflicts=[[paths[i] for i in items] for items in same_image if len({labels[i] for i in items}) > 1],
        unjudged=[
            path for path, fingerprint in zip(paths, prints or [], strict=False) if not fingerprint.is_comparable
        ],
        unreadable=[Skipped(*row) for row in zip(bad["path"], bad["error"], strict=True)],
        skipped=[Skipped(*row) for row in zip(skipped["path"], skipped["reason"], strict=True)],
        confounders=[] if prints is None else shortcuts_of(good, prints, sets),
        pairs=[as_paths(pair, paths) for pair in pairs],
        divided_groups=find_divided(good) or None,
        misfits=[
            Skipped(path, fingerprint.facts.misfit)
            for path, fingerprint in zip(paths, prints or [], strict=False)
            if fingerprint.facts.misfit
        ]
        or None,
    )


def find_divided(good: pd.DataFrame) -> list[str]:
    """Return the groups that stand on both sides of a shipped split, sorted."""
    shipped = good[good["group"] != ""].groupby("group")["shipped"].agg(set)
    return sorted(group for group, subsets in shipped.items() if crosses(subsets))


def audit_table(samples: pd.DataFrame, skipped: pd.DataFrame, features: pd.DataFrame, keep: bool) -> AuditResult:
    """Return what is found in a table; `features` are its readable rows, and with `keep` equal rows under two labels stay."""
    good = samples[samples["error"] == ""]
    rows = audit_rows(features, good["group"].tolist())
    result = audit(samples, skipped, None, rows.pairs, equal_pairs=rows.equal_pairs)
    equal = rows.equal
    links = [(pair.a, pair.b) for pair in rows.pairs] + pairs_of_equal(good["group"])
    together = connected_components(len(good), links)
    n_duplicates = sum(map(len, equal.duplicates))
    return replace(
        result,
        equal_rows=EqualRowCounts(equal.n_equal, equal.n_pairs, equal.expected, n_duplicates)
        if equal.n_equal
        else None,
        clusters=row_clusters_of(features, good["label"].tolist(), together, rows),
        confounders=find_shortcuts(properties_of_rows(features), good["label"].to_numpy(str), together),
        conflicts_kept=True if keep and result.label_conflicts else None,
    )


def row_clusters_of(features: pd.DataFrame, labels: list[str], together: np.ndarray, rows: RowAudit) -> Clusters | None:
    """Return what is found where rows lie together, or share their label with the nearest, as one patient's do.

    `together` int (n,): rows of one group, or that are joined already, have one number.
    """
    clusters = rows.clusters
    if clusters.detected:
        return Clusters(clusters.share, clusters.limit, clusters.columns)
    equal = [(pair.a, pair.b) for pair in rows.equal_pairs]
    known = connected_components(len(labels), equal + pairs_of_equal(map(str, together)))
    return as_clusters(label_clusters.of_rows(features, labels, known.tolist(), SEED))


def as_clusters(by_label: LabelClusters) -> Clusters | None:
    """Return what is found where near samples share their label, None without a finding."""
    return Clusters(by_label.excess, LEAST, by_label.columns, by_label=True) if by_label.detected else None


def shortcuts_of(good: pd.DataFrame, prints: list[Fingerprint], sets: list[list[int]]) -> list[Shortcut]:
    """Return the shortcuts; groups and copies stay together in cross-validation."""
    tones = np.array([fingerprint.tones for fingerprint in prints], float).reshape(-1, 4)
    links = [(items[0], other) for items in sets for other in items[1:]]
    together = connected_components(len(good), links + pairs_of_equal(good["group"]))
    marks = np.array([fingerprint.marks for fingerprint in prints], float).reshape(-1, N_MARKS)
    return find_shortcuts(properties_of(good, tones, marks), good["label"].to_numpy(str), together)


def clusters_of(good: pd.DataFrame, embeddings: np.ndarray, pairs: list[Pair]) -> Clusters | None:
    """Return what is found where images come in sets that neither groups nor copies explain."""
    links = [(pair.a, pair.b) for pair in pairs]
    labels, groups = good["label"].tolist(), good["group"].tolist()
    clusters = image_clusters.find_clusters(embeddings, labels, groups, links, SEED)
    if clusters.detected:
        return Clusters(clusters.share, clusters.limit, [])
    return as_clusters(label_clusters.of_points(embeddings, labels, known_together(good, pairs), SEED))


def audit_task(name: str) -> tuple[AuditResult, pd.DataFrame, Path | None]:
    """Return the audit of a task that was scanned, its samples, and the folder of its images, None for a table.

    The raw samples are audited without uploads, which therefore cannot move a test sample. If there are uploads, `uploads` of
    the result holds the pairs with at least one of them.
    """
    task = params.task(name)
    load = partial(pd.read_csv, dtype=str, keep_default_na=False)
    samples = load(require(TaskPaths(name).samples, f"scan@{name}"))
    skipped = load(require(TaskPaths(name).skipped, f"scan@{name}"))
    good = samples[samples["error"] == ""].reset_index(drop=True)
    raw = samples[~samples["path"].map(uploads.is_upload)]
    n_raw = int((raw["error"] == "").sum())  # uploads come behind them
    if task.kind == "table":
        columns = load(require(TaskPaths(name).columns, f"scan@{name}"))
        features = tables.typed(columns[(samples["error"] == "").to_numpy()].reset_index(drop=True))
        result = audit_table(raw, skipped, features[:n_raw], task.audit.conflicts == "keep")
        if len(good) == n_raw:
            return result, raw, None
        rows = audit_rows(features, good["group"].tolist())
        joined = known_together(good, [*rows.pairs, *rows.equal_pairs])
        by_label = label_clusters.of_rows(features, good["label"].tolist(), joined, SEED, np.arange(len(good)) >= n_raw)
        return with_uploads(result, good, n_raw, rows.pairs, by_label), raw, None
    root, store = folder_of(task.raw), open_store(rule_of(task.read))
    paths = [uploads.locate(root, path) for path in good["path"]]
    prints = take_all(paths, store, name, params.workers())
    for path, fingerprint, known in zip(paths, prints, good["id"], strict=True):
        if fingerprint.facts.error or fingerprint.facts.id != known:
            why = fingerprint.facts.error or "it shows something else"
            raise DataError(f"{path.as_posix()}: has changed since the scan: {why}. Run 'dvc repro' again")
    pairs = find_pairs(paths[:n_raw], prints[:n_raw], store, params.workers(), name)
    result = audit(raw, skipped, prints[:n_raw], pairs)
    embeddings = np.load(require(TaskPaths(name).embeddings, f"scan@{name}"), mmap_mode="r")
    if len(good) < len(samples):
        embeddings = embeddings[(samples["error"] == "").to_numpy()]
    result = replace(result, clusters=clusters_of(good[:n_raw], embeddings[:n_raw], pairs))
    if len(good) == n_raw:
        return result, raw, root
    new_pairs = find_pairs(paths, prints, store, params.workers(), name, since=n_raw)
    by_label = label_clusters.of_points(
        embeddings,
        good["label"].tolist(),
        known_together(good, [*pairs, *new_pairs]),
        SEED,
        np.arange(len(good)) >= n_raw,
    )
    return with_uploads(result, good, n_raw, new_pairs, by_label), raw, root


def known_together(good: pd.DataFrame, pairs: list[Pair]) -> list[int]:
    """Return for each sample the number of its group and copies."""
    return connected_components(
        len(good), [(pair.a, pair.b) for pair in pairs] + pairs_of_equal(good["group"])
    ).tolist()


def with_uploads(
    result: AuditResult, good: pd.DataFrame, n_raw: int, pairs: list[Pair], by_label: LabelClusters
) -> AuditResult:
    """Return `result` with the pairs that hold an upload, and whether uploads share their label with near samples.

    Uploads come behind `n_raw` raw samples.
    """
    clusters = None if result.clusters else as_clusters(by_label)
    uploaded = [as_paths(pair, good["path"]) for pair in pairs if pair.b >= n_raw]
    return replace(result, uploads=uploaded, upload_clusters=clusters)


def as_paths(pair: Pair, paths: Sequence[str]) -> PathPair:
    """Return a pair of positions as one of paths."""
    return PathPair(paths[pair.a], paths[pair.b], pair.kind, pair.score, pair.copy)


def audit_path(path: Path, copies: bool, workers: int) -> tuple[AuditResult, pd.DataFrame, Path | None, PixelRule]:
    """Return the audit of a folder or CSV, its samples, the folder of its images, None for a table, and how these were read."""
    collected = collect(path)
    root, samples = collected.root, collected.samples
    skipped = pd.DataFrame([vars(file) for file in collected.skipped], columns=["path", "reason"])
    if root is None:
        return audit_table(samples, skipped, tables.typed(collected.features), keep=True), samples, None, PixelRule()
    proposed = propose([root / name for name in samples["path"]], workers)
    for title, text in proposed.lines:
        print(f"{path.as_posix()}: {title}: {text}", file=sys.stderr)
    store = open_store(PixelRule(proposed.intensity))
    prints = take_all([root / name for name in samples["path"]], store, path.name, workers)
    facts = pd.DataFrame([asdict(fingerprint.facts) for fingerprint in prints], columns=FACTS)
    samples = pd.concat([samples, facts], axis=1)
    usable = [i for i, fingerprint in enumerate(prints) if not fingerprint.facts.error]
    prints = [prints[i] for i in usable]
    pairs = find_pairs([root / samples["path"][i] for i in usable], prints, store, workers, path.name)
    return audit(samples, skipped, prints, pairs, copies), samples, root, store.rule
