"""Fingerprints of image files: facts, features that propose candidates, and the signature that pairs are compared by.

They depend on the file's bytes alone and are cached, so that a file seen before only has to be read.
"""

import json
import math
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from tqdm import tqdm

from pipeline.core.errors import DataError
from pipeline.core.parallel import run_parallel
from pipeline.data.images import decoding, image_file, squares
from pipeline.data.images.image_file import FileFacts, ImageStore
from pipeline.data.images.pixel_rule import AS_IT_WAS, PixelRule
from pipeline.duplicates.images import candidates, frames, verify
from pipeline.duplicates.images.marks import measure_marks
from pipeline.duplicates.images.verify import Signature, signature_of

# The code that decides fingerprints and comparisons.
CODE = (
    *(
        "duplicates/images/alignment",
        "duplicates/images/candidates",
        "duplicates/images/covered",
        "duplicates/images/edits",
        "duplicates/images/fingerprint",
        "duplicates/images/frames",
        "duplicates/images/keypoints",
    ),
    *("duplicates/images/marks", "duplicates/images/overlays", "duplicates/images/pairs", "duplicates/images/verify"),
)
SQUARE = 64  # px: where colours and border are measured
BORDER = 4  # px of SQUARE: the rim, whose brightness depends on the scanner
FEWEST_POINTS = 20  # with fewer, or less detail, points match by chance, and only the whole frame is compared


@dataclass(frozen=True)
class Fingerprint:
    """What is known of a file; `key` is the SHA-256 of its bytes.

    `words`: uint32 (n,), none where there is too little detail; `frequencies`, `relief`, `noise`: see `frames`; `tones`:
    float32 (4,) in 0..1, mean red, green, blue and border brightness; `marks`: float32 (67,), see `measure_marks`;
    `is_comparable`: whether it shows enough to tell it from other images. A file with an error has none of these.
    """

    key: str
    facts: FileFacts
    words: np.ndarray | None = None
    frequencies: np.ndarray | None = None
    relief: np.ndarray | None = None
    noise: float = 0.0
    tones: np.ndarray | None = None
    is_comparable: bool = False
    marks: np.ndarray | None = None

    def pack(self) -> bytes:
        """Return the cached bytes."""
        about = {name: getattr(self, name) for name in ("key", "noise", "is_comparable")}
        arrays = {name: getattr(self, name) for name in ("words", "frequencies", "relief", "tones", "marks")}
        return pack(about | {"facts": asdict(self.facts)}, **arrays)

    @classmethod
    def unpack(cls, data: bytes) -> "Fingerprint":
        """Return the fingerprint that `pack` stored."""
        about, arrays = unpack(data)
        values: dict[str, Any] = {**about, **arrays, "facts": FileFacts(**about["facts"])}
        return cls(**values)


def pack(about: dict, **arrays: np.ndarray | None) -> bytes:
    """Return a JSON header with `about` and the dtypes and shapes of `arrays`, followed by their bytes."""
    known = {name: part for name, part in arrays.items() if part is not None}
    header = {"about": about, "arrays": [[name, part.dtype.str, part.shape] for name, part in known.items()]}
    return b"\n".join([json.dumps(header).encode(), b"".join(part.tobytes() for part in known.values())])


def unpack(data: bytes) -> tuple[dict, dict[str, np.ndarray]]:
    """Return `about` and `arrays` as given to `pack`; the arrays are read-only views."""
    header, _, rest = data.partition(b"\n")
    content, arrays, start = json.loads(header), {}, 0
    for name, kind, shape in content["arrays"]:
        arrays[name] = np.frombuffer(rest, kind, math.prod(shape), start).reshape(shape)
        start += arrays[name].nbytes
    return content["about"], arrays


def open_store(rule: PixelRule = AS_IT_WAS) -> ImageStore:
    """Return the cache of fingerprints and comparisons that the current code computes of images read by a rule."""
    code = [Path(__file__).parents[2] / f"{module}.py" for module in CODE]
    return ImageStore.open("audit", rule, *code, packages=("opencv-python-headless",))


def take(path: Path, store: ImageStore) -> tuple[Fingerprint, list[tuple[str, bytes]]]:
    """Return a file's fingerprint and the new entries for the cache; an unusable file has facts with an error."""
    try:
        data = image_file.read(path)
    except DataError as error:
        return Fingerprint("", FileFacts(str(error))), []
    key = image_file.key_of(data)
    cached = store.get(key)
    if cached:
        return Fingerprint.unpack(cached), []
    try:
        image = decoding.decode(data, store.rule)
    except DataError as error:
        return Fingerprint(key, FileFacts(str(error), key[:16], len(data))), []
    signature = signature_of(image.pixels, image.width, image.height)
    frame, points = signature.frame, signature.points
    detailed = len(points.xy) >= FEWEST_POINTS and verify.strength(points) >= verify.LEAST_DETAIL
    fingerprint = Fingerprint(
        key,
        FileFacts.of(image, len(data)),
        candidates.words_of(points.descriptors if detailed else points.descriptors[:0]),
        frame.frequencies,
        frame.relief,
        frame.noise,
        tones(image.pixels),
        detailed or frame.contrast >= frames.LEAST_CONTRAST,
        measure_marks(image.pixels),
    )
    return fingerprint, [(key, fingerprint.pack()), (f"{key}:look", pack({}, **signature.arrays()))]


def load_signature(path: Path, key: str, store: ImageStore) -> Signature:
    """Return the signature of the file with that key: from the cache, or from the file where the cache has lost it.

    Raises DataError if the file has changed in the meantime.
    """
    cached = store.get(f"{key}:look")
    if cached:
        return Signature.of_arrays(unpack(cached)[1])
    data = image_file.read(path)
    if image_file.key_of(data) != key:
        raise DataError(f"{path.as_posix()}: has changed while it was audited; run it again")
    image = decoding.decode(data, store.rule)
    return signature_of(image.pixels, image.width, image.height)


def tones(pixels: np.ndarray) -> np.ndarray:
    """Return float32 (4,) in 0..1: mean red, green, blue, and the brightness of the rim."""
    square = squares.resize(pixels, SQUARE)
    grey = np.asarray(Image.fromarray(square).convert("L"))
    rim = np.ones_like(grey, bool)
    rim[BORDER:-BORDER, BORDER:-BORDER] = False
    return np.append(square.mean(axis=(0, 1)), grey[rim].mean()).astype(np.float32) / 255


BATCH = 16  # files handed to a worker at once
KEEP = 64  # new fingerprints cached at once, 60 kB each: an interrupted audit has to redo at most these


def take_all(paths: list[Path], store: ImageStore, name: str, workers: int) -> list[Fingerprint]:
    """Return the fingerprint of every file, in order, and cache the new ones."""
    batches = [paths[start : start + BATCH] for start in range(0, len(paths), BATCH)]
    taken = (item for batch in run_parallel(partial(take_some, store=store), batches, workers) for item in batch)
    shown = tqdm(taken, f"audit {name}: reading", total=len(paths), unit=" images", mininterval=1, delay=3)
    return list(store.put_all(shown, KEEP))


def take_some(paths: list[Path], store: ImageStore) -> list[tuple[Fingerprint, list[tuple[str, bytes]]]]:
    """Return `take` of each file."""
    return [take(path, store) for path in paths]
