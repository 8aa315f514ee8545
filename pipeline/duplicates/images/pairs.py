"""Find the pairs of images that are the same, even if one was edited.

Equal pixels are found by their hash. Of the rest `candidates` proposes pairs and `verify` decides. Results are cached by the
hashes of both files: if a set grows by one image, only the pairs of that image are compared.
"""

import json
from functools import partial
from pathlib import Path

import numpy as np
from tqdm import tqdm

from pipeline.core.parallel import run_parallel
from pipeline.data.audit_result import Pair
from pipeline.data.images.image_file import ImageStore
from pipeline.duplicates.images.candidates import FREQUENCIES, propose
from pipeline.duplicates.images.edits import describe
from pipeline.duplicates.images.fingerprint import Fingerprint, load_signature
from pipeline.duplicates.images.verify import Signature, confirm

BATCH = 64  # pairs that a worker takes at once


def find_pairs(
    paths: list[Path],
    prints: list[Fingerprint],
    store: ImageStore,
    workers: int = 1,
    name: str = "",
    since: int = 0,
) -> list[Pair]:
    """Return pairs that join all copies of each image, sorted; not every pair of a set of copies is listed.

    `paths` and `prints` are of readable images. Equal pixels are `exact` and joined to their first member, which alone is
    compared with the others. Images that are not comparable are left out. With `since`, images from that position on are new,
    and only pairs with at least one of them are returned.
    """

    def file(i: int) -> tuple[Path, str]:
        return paths[i], prints[i].key

    first: dict[str, int] = {}
    ids = [str(fingerprint.facts.id) for fingerprint in prints]
    repeats = [(first[key], i) for i, key in enumerate(ids) if first.setdefault(key, i) != i]
    pairs = [Pair(a, b, "exact", 1.0, True) for a, b in repeats if b >= since]
    alone = np.array([i for i in first.values() if prints[i].is_comparable], int)
    frequencies = np.array([prints[i].frequencies for i in alone], np.float32).reshape(len(alone), FREQUENCIES**2 - 1)
    words, n_old = [prints[i].words for i in alone], int(np.searchsorted(alone, since))
    proposed = alone[propose(words, frequencies, workers, n_old)]
    starts = range(0, len(proposed), BATCH)
    batches = ([(file(a), file(b)) for a, b in proposed[start : start + BATCH]] for start in starts)
    compared = run_parallel(partial(compare_batch, store=store), batches, workers)
    shown = tqdm(
        compared, f"audit {name}: comparing", total=len(starts), unit=f" x {BATCH} pairs", mininterval=1, delay=3
    )
    verdicts = []
    for some in shown:
        store.put([(key, json.dumps(verdict).encode()) for key, verdict, new in some if new])
        verdicts += [verdict for _, verdict, _ in some]
    pairs += [Pair(int(a), int(b), *verdict) for (a, b), verdict in zip(proposed, verdicts, strict=True) if verdict]
    return sorted(pairs, key=lambda pair: (pair.a, pair.b))


def compare_batch(
    pairs: list[tuple[tuple[Path, str], tuple[Path, str]]], store: ImageStore
) -> list[tuple[str, list | None, bool]]:
    """Return for each pair of files its cache key, [kind, score, copy] or None, and whether that is new.

    A file is its path and the SHA-256 of its bytes.
    """
    signatures: dict[str, Signature] = {}
    results = []
    for pair in pairs:
        # In the order of the hashes: the result does not depend on file names.
        first, second = sorted(pair, key=lambda file: file[1])
        key = f"{first[1]}:{second[1]}"
        cached = store.get(key)
        if cached:
            results.append((key, json.loads(cached), False))
            continue
        for path, file_key in (first, second):
            if file_key not in signatures:
                signatures[file_key] = load_signature(path, file_key, store)
        a, b = signatures[first[1]], signatures[second[1]]
        agreed = confirm(a, b)
        verdict = [describe(a, b, agreed), round(agreed.whole, 3), agreed.copy] if agreed else None
        results.append((key, verdict, True))
    return results
