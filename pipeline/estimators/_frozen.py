"""The blocks of a network that stay as they are, run once for several drawn views of each picture.

Fine-tuning goes on from the feature maps that they give (of block_13: 14x14x96, 37 KB as float16) instead of from pixels: no
picture is decoded, drawn or run through them again in any epoch or fold. The maps lie in a file, of which batches are read, so
memory stays the same however many pictures there are.
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
from pipeline.estimators._checkpoint import key
from pipeline.estimators._pictures import Pictures, views


def begins_with(model: Any, block: str) -> Any:
    """Return the tensor, (n, height, width, n_channels), with which `block` of a Keras `model` by `network.build` begins."""
    return model.get_layer(f"{block}_expand").input


def last_frozen(block: str) -> str:
    """Return the name of the layer whose map, never negative, is the widest before `block`.

    Averaged over its places it tells what is no dermoscopy apart from what is: before block_13 are refused 3 % of held-out
    dermoscopy, 64 % of photos of skin, and all of CT slices, histology, noise, blanks, text and screenshots. By the embedding of
    the frozen network it is 3, 46 and 100 %, by that of the fine-tuned one 1, 11 and, of blanks and text, none.
    """
    number = int(block.removeprefix("block_"))
    return f"block_{number - 1}_expand_relu" if number > 1 else "Conv1_relu"


def frozen_maps(X: Pictures, block: str, n_views: int, seed: int, label: str) -> np.ndarray:
    """Return what comes before `block` of the backbone, float16 (n, n_views, height, width, n_channels), mapped from a file.

    It holds all pictures that X was taken from, whatever rows are left in X; the first view of each is the picture as it is. It
    is made where X keeps its scratch, unless it is there already.
    """
    weights = require(paths.WEIGHTS, "backbone").read_bytes()
    path = X.scratch / f"maps-{key(artifacts.sha256(weights), block, n_views, seed, np.asarray(X.embedding))}.npy"
    if not path.exists():
        model = _network.build(dict(np.load(paths.WEIGHTS)))
        maps = begins_with(model, block)
        program = _network.convert(_network.import_keras().Model(model.input, maps))
        of_pictures = tqdm(run(program, X.pixels, n_views, seed), f"{label}: frozen blocks", len(X.pixels), delay=3)
        with artifacts.writing_npy(path, np.float16, (len(X.pixels), n_views, *maps.shape[1:])) as add:
            for one in of_pictures:
                add(one)
    return np.load(path, mmap_mode="r")


def run(program: bytes, pixels: np.ndarray, n_views: int, seed: int) -> Iterator[np.ndarray]:
    """Yield the maps of each picture's views, float16 (n_views, height, width, n_channels)."""
    embedder = litert.Embedder(program)

    def of_picture(row: int) -> np.ndarray:
        seen = views(pixels[row], n_views, np.random.default_rng([seed, row]))
        return np.stack([embedder(view) for view in seen]).astype(np.float16)

    return run_here(of_picture, range(len(pixels)), _network.threads())
