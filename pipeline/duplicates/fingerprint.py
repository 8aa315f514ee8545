"""What the audit keeps of a picture file: its facts, what proposes candidates, and the points by which it is compared.

All of it depends on the file's bytes alone and is kept in the store of features, so that a file seen before costs reading.
"""

import json
import math
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from pipeline.core import artifacts
from pipeline.core.errors import DataError
from pipeline.core.feature_cache import FeatureStore, make_recipe
from pipeline.core.parallel import run_parallel
from pipeline.data import image_file, images
from pipeline.data.image_file import FileFacts
from pipeline.duplicates import candidates, verify
from pipeline.duplicates.marks import measure_marks
from pipeline.duplicates.verify import Look, take_look

# What decides fingerprints and verdicts.
CODE = (
    *("duplicates/alignment", "duplicates/candidates", "duplicates/edits", "duplicates/fingerprint"),
    *(
        "duplicates/keypoints",
        "duplicates/marks",
        "duplicates/pairs",
        "duplicates/verify",
        "data/images",
        "data/image_file",
    ),
)
SQUARE = 64  # px: where colours and border are measured
BORDER = 4  # px of SQUARE: the rim whose brightness betrays a scanner
FEWEST_POINTS = 20  # with fewer, or less detail, a picture is nearly empty: it matches by chance, and cannot be judged


@dataclass(frozen=True)
class Fingerprint:
    """A file: `key`, the SHA-256 of its bytes; its `facts`; what proposes.

    `words`: uint32 (n,); `frequencies`: float32 (80,); `tones`: float32 (4,) in 0..1, mean red, green, blue and border
    brightness; `marks`: float32 (64,), see `measure_marks`; `judged`: whether it shows enough to be told from others. A file
    with `error` has none of these.
    """

    key: str
    facts: FileFacts
    words: np.ndarray | None = None
    frequencies: np.ndarray | None = None
    tones: np.ndarray | None = None
    judged: bool = False
    marks: np.ndarray | None = None

    def pack(self) -> bytes:
        """Return what the store keeps of it."""
        about = {"key": self.key, "facts": asdict(self.facts), "judged": self.judged}
        return pack(about, words=self.words, frequencies=self.frequencies, tones=self.tones, marks=self.marks)

    @classmethod
    def unpack(cls, data: bytes) -> "Fingerprint":
        """Return what `pack` made bytes of."""
        about, arrays = unpack(data)
        return cls(about["key"], FileFacts(**about["facts"]), judged=about["judged"], **arrays)


def pack(about: dict, **arrays: np.ndarray) -> bytes:
    """Return a JSON header with `about` and what `arrays` are, and then their bytes."""
    header = {"about": about, "arrays": [[name, part.dtype.str, part.shape] for name, part in arrays.items()]}
    return b"\n".join([json.dumps(header).encode(), b"".join(part.tobytes() for part in arrays.values())])


def unpack(data: bytes) -> tuple[dict, dict[str, np.ndarray]]:
    """Return what `pack` made bytes of; the arrays are read-only views."""
    header, _, rest = data.partition(b"\n")
    content, arrays, start = json.loads(header), {}, 0
    for name, kind, shape in content["arrays"]:
        arrays[name] = np.frombuffer(rest, kind, math.prod(shape), start).reshape(shape)
        start += arrays[name].nbytes
    return content["about"], arrays


def open_store() -> FeatureStore:
    """Return the store of fingerprints and verdicts that today's code makes."""
    code = [Path(__file__).parents[1] / f"{module}.py" for module in CODE]
    return FeatureStore("audit", make_recipe(*code, packages=("numpy", "opencv-python-headless", "pillow")))


def take(path: Path, store: FeatureStore) -> tuple[Fingerprint, list[tuple[str, bytes]]]:
    """Return a file's fingerprint, and what is to be put into the store of it; of a bad file `facts` with the error."""
    try:
        data = image_file.read(path)
    except DataError as error:
        return Fingerprint("", FileFacts(str(error))), []
    key = artifacts.sha256(data)
    known = store.get(key)
    if known:
        return Fingerprint.unpack(known), []
    try:
        picture = images.decode(data)
    except DataError as error:
        return Fingerprint(key, FileFacts(str(error), key[:16], len(data))), []
    look = take_look(picture.pixels, picture.width, picture.height)
    found = Fingerprint(
        key,
        FileFacts.of(picture, len(data)),
        candidates.words_of(look.points.descriptors),
        look.frequencies,
        tones(picture.pixels),
        len(look.points.xy) >= FEWEST_POINTS and verify.strength(look.points) >= verify.LEAST_DETAIL,
        measure_marks(picture.pixels),
    )
    return found, [(key, found.pack()), (f"{key}:look", pack({}, **look.arrays()))]


def look_again(path: Path, key: str, store: FeatureStore) -> Look:
    """Return what the file with that key is compared by, from the store or, where that has lost it, from the file.

    Raises DataError where the file has changed meanwhile.
    """
    known = store.get(f"{key}:look")
    if known:
        return Look.of_arrays(unpack(known)[1])
    data = image_file.read(path)
    if artifacts.sha256(data) != key:
        raise DataError(f"{path.as_posix()}: has changed while it was audited; run it again")
    picture = images.decode(data)
    return take_look(picture.pixels, picture.width, picture.height)


def tones(pixels: np.ndarray) -> np.ndarray:
    """Return float32 (4,) in 0..1: mean red, green, blue, and the brightness of the picture's rim."""
    square = images.resize(pixels, SQUARE)
    grey = np.asarray(Image.fromarray(square).convert("L"))
    rim = np.ones_like(grey, bool)
    rim[BORDER:-BORDER, BORDER:-BORDER] = False
    return np.append(square.mean(axis=(0, 1)), grey[rim].mean()).astype(np.float32) / 255


BATCH = 16  # files handed to a worker at once
KEEP = 64  # new fingerprints put into the store at once, 60 kB each: what an interrupted audit has to do again


def take_all(paths: list[Path], store: FeatureStore, name: str, workers: int) -> list[Fingerprint]:
    """Return the fingerprint of every file, in order; new ones are put into the store."""
    batches = [paths[start : start + BATCH] for start in range(0, len(paths), BATCH)]
    taken = (one for batch in run_parallel(partial(take_some, store=store), batches, workers) for one in batch)
    prints, new = [], []
    for one, items in tqdm(taken, f"audit {name}: reading", total=len(paths), unit=" images", mininterval=1, delay=3):
        prints.append(one)
        new += items
        if len(new) >= KEEP:
            store.put(new)
            new.clear()
    store.put(new)
    return prints


def take_some(paths: list[Path], store: FeatureStore) -> list[tuple[Fingerprint, list[tuple[str, bytes]]]]:
    """Return `take` of each of a handful of files."""
    return [take(path, store) for path in paths]
