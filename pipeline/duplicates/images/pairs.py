"""Find the pairs of images that are the same, even if one was edited.

Equal pixels are found by their hash. For the rest, `candidates` proposes pairs and `verify` decides. Results are cached by the
hashes of both files: if a set grows by one image, only the pairs of that image are compared.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from tqdm import tqdm

from pipeline.core import artifacts
from pipeline.core.parallel import run_parallel
from pipeline.core.threads import one_thread
from pipeline.data.audit_result import Pair
from pipeline.data.images.image_file import ImageStore
from pipeline.duplicates.images.candidates import Proposed, propose
from pipeline.duplicates.images.covered import AGREE, compare_blocks
from pipeline.duplicates.images.edits import describe, describe_covered, describe_degraded
from pipeline.duplicates.images.fingerprint import Fingerprint, load_signature
from pipeline.duplicates.images.frames import whiten
from pipeline.duplicates.images.overlays import SAMPLE, find_overlay
from pipeline.duplicates.images.verify import Signature, confirm, lay_frames

BATCH = 256  # pairs that a worker takes at once; with 64, images of which there are many copies are loaded more often
KEEP = 1024  # new verdicts cached at once: an interrupted audit has to redo at most these, in a second
# Cosine of whitened low frequencies from which on two images are near, if their middles agree as well. Of different lesions of
# HAM10000 the most alike reach .967 (a small spot in a round vignette), of CT scans .948, of histological tiles .53.
LIKENESS = 0.97
# A copy with much text over it, or with hair painted out, falls below that in a few of a hundred cases, but its relief agrees as
# well. Least cosine, and least sum of both: different lesions reach 1.68 (8 million pairs), different CT scans 1.65, such copies
# 1.78.
LIKELY, BOTH = 0.93, 1.77


@dataclass(frozen=True)
class Item:
    """A pair to compare: two files, each its path and the SHA-256 of its bytes, and see `candidates.Proposed`."""

    files: tuple[tuple[Path, str], tuple[Path, str]]
    by_frame: bool
    likeness: float
    relief: float
    by_points: bool

    @property
    def is_alike(self) -> bool:
        """Whether the whole frames are so much alike that they are near if their middles agree."""
        return self.likeness >= LIKENESS or (self.likeness >= LIKELY and self.likeness + self.relief >= BOTH)


def find_pairs(
    paths: list[Path], prints: list[Fingerprint], store: ImageStore, workers: int = 1, name: str = "", since: int = 0
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
    words, n_old = [prints[i].words for i in alone], int(np.searchsorted(alone, since))
    noise = np.array([prints[i].noise for i in alone])
    frequencies, reliefs = (
        np.array([getattr(prints[i], kind) for i in alone], np.float32) for kind in ("frequencies", "relief")
    )
    if len(alone) < 2:
        return pairs
    with one_thread():
        frequencies, reliefs = whiten(frequencies, noise), whiten(reliefs)
    candidates = propose(words, frequencies, reliefs, workers, n_old)
    proposed, files = alone[candidates.pairs], [file(i) for i in alone]
    overlay = overlay_of(files, store) if len(proposed) else None
    compared = run_parallel(partial(compare_batch, store=store, overlay=overlay), batches(files, candidates), workers)
    total = -(-len(proposed) // BATCH)
    shown = tqdm(compared, f"audit {name}: comparing", total=total, unit=f" x {BATCH} pairs", mininterval=1, delay=3)
    verdicts = store.put_all((verdict for batch in shown for verdict in batch), KEEP)
    pairs += [Pair(int(a), int(b), *verdict) for (a, b), verdict in zip(proposed, verdicts, strict=True) if verdict]
    return sorted(pairs, key=lambda pair: (pair.a, pair.b))


def batches(files: list[tuple[Path, str]], candidates: Proposed) -> Iterator[list[tuple]]:
    """Yield the values of an `Item` for each candidate, BATCH at a time: all together they would take 10 KB an image."""
    for start in range(0, len(candidates.pairs), BATCH):
        some = slice(start, start + BATCH)
        # plain values: a scheduler reads them without the project's code
        columns = (candidates.by_frame, candidates.likeness, candidates.relief, candidates.by_points)
        values = zip(candidates.pairs[some].tolist(), *(column[some].tolist() for column in columns), strict=True)
        yield [((files[a], files[b]), *value) for (a, b), *value in values]


def overlay_of(files: list[tuple[Path, str]], store: ImageStore) -> np.ndarray | None:
    """Return what most of the files show in the same place, see `overlays`; the same ones are looked at whatever their names."""
    some = sorted(files, key=lambda file: file[1])[:SAMPLE]
    return find_overlay(load_signature(path, key, store) for path, key in some)


def compare_batch(
    items: list[tuple], store: ImageStore, overlay: np.ndarray | None = None
) -> list[tuple[list | None, list[tuple[str, bytes]]]]:
    """Return for each item, the values of an `Item`, [kind, score, copy] or None, and the new entries for the cache.

    What lies in `overlay` is not compared. What depends on the whole set, the likeness, is not cached.
    """
    signatures: dict[str, Signature] = {}
    return [compare_files(Item(*item), store, signatures, overlay) for item in items]


def compare_files(
    item: Item, store: ImageStore, signatures: dict[str, Signature], overlay: np.ndarray | None = None
) -> tuple[list | None, list[tuple[str, bytes]]]:
    """Return the verdict of an item and the new entries for the cache; `signatures` are those loaded so far, by key."""
    # In the order of the hashes: the result does not depend on file names.
    files = sorted(item.files, key=lambda file: file[1])
    new: list[tuple[str, bytes]] = []
    hidden = "" if overlay is None else f":{artifacts.sha256(overlay.tobytes())}"

    def load() -> tuple[Signature, Signature]:
        for path, key in files:
            if key not in signatures:
                whole = load_signature(path, key, store)
                signatures[key] = whole if overlay is None else whole.without(overlay)
        return signatures[files[0][1]], signatures[files[1][1]]

    for wanted, compare in ((item.by_points, compare_points), (item.by_frame, compare_covered)):
        if not wanted:
            continue
        key = f"{files[0][1]}:{files[1][1]}:{compare.__name__}{hidden}"
        cached = store.get(key)
        verdict = json.loads(cached) if cached else compare(*load())
        if not cached:
            new.append((key, json.dumps(verdict).encode()))
        if verdict:
            return verdict, new
    return compare_degraded(*load(), item.likeness) if item.is_alike else None, new


def compare_points(a: Signature, b: Signature) -> list | None:
    """Return [kind, score, copy] if the detail of two images agrees."""
    agreed = confirm(a, b)
    return [describe(a, b, agreed), round(agreed.whole, 3), agreed.copy] if agreed else None


def compare_covered(a: Signature, b: Signature) -> list | None:
    """Return [kind, score, copy] if the whole frames of two images agree in many blocks."""
    blocks = compare_blocks(a.detail, b.detail)
    if not blocks.agree:
        return None
    kind = describe_covered(a, b, blocks)
    agreeing = blocks.correlations[blocks.correlations >= AGREE[-1][0]]
    return [kind, round(float(agreeing.mean()), 3), blocks.copy]


def compare_degraded(a: Signature, b: Signature, likeness: float) -> list | None:
    """Return [kind, score, copy] if the low frequencies of two whole frames, which are alike, agree in the middle, too."""
    flip, negative, middles_agree = lay_frames(a, b)
    kind = describe_degraded(a, b, flip, negative)
    return [kind, round(min(likeness, 1.0), 3), False] if middles_agree else None
