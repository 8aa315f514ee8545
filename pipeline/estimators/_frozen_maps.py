"""Feature maps of the network's frozen blocks, computed once for several augmented views of each image.

Fine-tuning starts from these maps (of block_13: 14x14x96, 37 KB as float16) instead of pixels: no image is decoded, augmented
or sent through the frozen blocks again in any epoch or fold. The maps are in a file from which batches are read, so memory does
not grow with the number of images.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from tqdm import tqdm

from pipeline.core import artifacts, paths
from pipeline.core.parallel import run_here
from pipeline.core.stage import require
from pipeline.data import litert
from pipeline.estimators import _network
from pipeline.estimators._images import MappedImages, scratch_key


def block_input(model: Any, block: str) -> Any:
    """Return the tensor, (n, height, width, n_channels), that enters `block` of a Keras `model` made by `_network.build`."""
    return model.get_layer(f"{block}_expand").input


def ood_layer(block: str) -> str:
    """Return the name of the layer with the widest map before `block`, which stays frozen and is never negative.

    Its spatial mean tells dermoscopy from other images: before block_13 it refuses 3 % of held-out dermoscopy, 64 % of
    clinical photos of skin and all CT slices, histology, noise, blanks, text and screenshots. The embedding of the frozen network
    refuses 3, 46 and 100 %; that of the fine-tuned one 1, 11 and, of blanks and text, none.
    """
    number = int(block.removeprefix("block_"))
    return f"block_{number - 1}_expand_relu" if number > 1 else "Conv1_relu"


def frozen_maps(X: MappedImages, block: str, n_views: int, seed: int, label: str) -> np.memmap:
    """Return the input of `block`, float16 (n, n_views, height, width, n_channels), mapped from a file.

    It covers all images that X was taken from, whatever rows are left in X; the first view of each is the image itself. The
    file is written to X's scratch folder unless it exists.
    """
    weights = require(paths.WEIGHTS, "backbone").read_bytes()
    key = scratch_key(artifacts.sha256(weights), block, n_views, seed, X.embedding)
    path = X.scratch / f"maps-{key}.npy"
    if not path.exists():
        model = _network.build(dict(np.load(paths.WEIGHTS)))
        maps = block_input(model, block)
        program = _network.convert(_network.import_keras().Model(model.input, maps))
        done = tqdm(run(program, X.pixels, n_views, seed), f"{label}: frozen blocks", len(X.pixels), delay=3)
        with artifacts.writing_npy(path, np.float16, (len(X.pixels), n_views, *maps.shape[1:])) as write_row:
            for maps_of_image in done:
                write_row(maps_of_image)
    return np.load(path, mmap_mode="r")


def run(program: bytes, pixels: np.ndarray, n_views: int, seed: int) -> Iterator[np.ndarray]:
    """Yield the maps of each image's views, float16 (n_views, height, width, n_channels)."""
    embedder = litert.Embedder(program)

    def of_image(row: int) -> np.ndarray:
        augmented = augment(pixels[row], n_views, np.random.default_rng([seed, row]))
        return np.stack([embedder(view) for view in augmented]).astype(np.float16)

    return run_here(of_image, range(len(pixels)), _network.threads())


def augment(image: np.ndarray, n_views: int, rng: np.random.Generator) -> np.ndarray:
    """Return uint8 (n_views, side, side, 3): the image, and versions that are flipped, rotated by quarters, and changed in
    brightness and contrast by up to 20 %.

    Dermoscopy and histology have no up or down; brightness and contrast differ that much between two cameras.
    """
    views = [image]
    while len(views) < n_views:
        rotated = np.rot90(image, int(rng.integers(4)))
        rotated = rotated[:, ::-1] if rng.integers(2) else rotated
        brightness, contrast = rng.uniform(0.8, 1.2, 2)
        # one look-up table an image: eight times faster than float arithmetic on its pixels
        table = np.clip((np.arange(256) - 128) * contrast + 128 * brightness, 0, 255).astype(np.uint8)
        views.append(table[rotated])
    return np.stack(views)
