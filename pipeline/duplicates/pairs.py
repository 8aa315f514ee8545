"""The pairs of pictures that are one and the same, whatever was done to one of them.

Equal pixels are found by their hash. Of the rest `candidates` proposes pairs and `confirm` decides. Verdicts are kept in the
store of features by the hashes of both files: of a set that has grown by one picture only its own pairs are compared.
"""

import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from tqdm import tqdm

from pipeline.core.feature_cache import FeatureStore
from pipeline.core.parallel import run_parallel
from pipeline.duplicates.candidates import FREQUENCIES, propose
from pipeline.duplicates.edits import describe
from pipeline.duplicates.fingerprint import Fingerprint, look_again
from pipeline.duplicates.verify import Look, confirm

BATCH = 64  # pairs handed to a worker at once


@dataclass(frozen=True)
class Pair:
    """Two positions `a` < `b` that hold the same picture.

    `kind`: what was done (`exact`, or see `changes.describe`); `score`: the correlation of their detail, 1 at most; `copy`:
    whether they are certainly one picture, and not two of the same thing in the same view.
    """

    a: int
    b: int
    kind: str
    score: float
    copy: bool


def find_pairs(
    paths: list[Path],
    prints: list[Fingerprint],
    store: FeatureStore,
    workers: int = 1,
    name: str = "",
    since: int = 0,
) -> list[Pair]:
    """Return the pairs that join all copies of each picture, sorted; not every pair of a set is listed.

    `paths` and `prints` are of readable pictures. Equal pixels are `exact` and joined to their first member, which alone is
    compared with the others. Pictures that cannot be judged are compared with none. With `since` the pictures from that
    position on are new: only pairs that hold one of them are looked for.
    """

    def file(i: int) -> tuple[Path, str]:
        return paths[i], prints[i].key

    first: dict[str, int] = {}
    ids = [one.facts.id for one in prints]
    again = [(first[key], i) for i, key in enumerate(ids) if first.setdefault(key, i) != i]
    pairs = [Pair(a, b, "exact", 1.0, True) for a, b in again if b >= since]
    alone = np.array([i for i in first.values() if prints[i].judged], int)
    frequencies = np.array([prints[i].frequencies for i in alone], np.float32).reshape(len(alone), FREQUENCIES**2 - 1)
    words, n_old = [prints[i].words for i in alone], int(np.searchsorted(alone, since))
    proposed = alone[propose(words, frequencies, workers, n_old)]
    starts = range(0, len(proposed), BATCH)
    batches = ([(file(a), file(b)) for a, b in proposed[start : start + BATCH]] for start in starts)
    compared = run_parallel(partial(judge_all, store=store), batches, workers)
    shown = tqdm(
        compared, f"audit {name}: comparing", total=len(starts), unit=f" x {BATCH} pairs", mininterval=1, delay=3
    )
    verdicts = []
    for some in shown:
        store.put([(key, json.dumps(verdict).encode()) for key, verdict, new in some if new])
        verdicts += [verdict for _, verdict, _ in some]
    pairs += [Pair(int(a), int(b), *found) for (a, b), found in zip(proposed, verdicts, strict=True) if found]
    return sorted(pairs, key=lambda pair: (pair.a, pair.b))


def judge_all(
    pairs: list[tuple[tuple[Path, str], tuple[Path, str]]], store: FeatureStore
) -> list[tuple[str, list | None, bool]]:
    """Return of each pair of files its key in the store, [kind, score, copy] or None, and whether that is new.

    A file is its path and the SHA-256 of its bytes.
    """
    looks: dict[str, Look] = {}
    found = []
    for pair in pairs:
        # In the order of the hashes: what is found does not depend on names.
        one, other = sorted(pair, key=lambda file: file[1])
        key = f"{one[1]}:{other[1]}"
        known = store.get(key)
        if known:
            found.append((key, json.loads(known), False))
            continue
        for path, of_file in (one, other):
            if of_file not in looks:
                looks[of_file] = look_again(path, of_file, store)
        a, b = looks[one[1]], looks[other[1]]
        agreed = confirm(a, b)
        verdict = [describe(a, b, agreed), round(agreed.whole, 3), agreed.copy] if agreed else None
        found.append((key, verdict, True))
    return found
