"""The pretrained network in Keras: build it from weights, compile it to LiteRT, write it to a `.keras` file of fixed bytes.

TensorFlow is imported inside functions only: the import takes six seconds.
"""

import json
import os
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.core import artifacts, paths
from pipeline.core.errors import BackboneError
from pipeline.core.stage import require
from pipeline.core.suppress_output import quiet
from pipeline.data.images.squares import SIZE, sample_images
from pipeline.data.litert import Embedder

# Their means over positions are what an image is compared with the training data by: of the middle of the network, they tell
# content apart that its last map, which was taught classes, confuses (benchmarks/network.md). Other networks: `ood_layers`.
OOD_LAYERS = ("block_6_expand_relu", "block_10_expand_relu")
EMBEDDING = "embedding"  # the layer that averages the last feature map; of a network without a map, its output
N_FEATURES = 1280  # of MobileNetV2's embedding: the last feature map averaged over its 7x7 positions
TOLERANCE = 1e-4  # largest difference between Keras, LiteRT and head on embedding
MAP_TOLERANCE = (
    1e-3  # of the feature map: a single position differs by up to 2e-4 of the largest value, the mean by less
)
EXPORT_DATE = "1980-01-01@00:00:00"


def use_threads(threads: int) -> None:
    """Set the number of threads before TensorFlow is imported; the last bits of its sums depend on it."""
    os.environ["TF_NUM_INTRAOP_THREADS"] = os.environ["TF_NUM_INTEROP_THREADS"] = str(threads)


def threads() -> int:
    """Return the number of threads that `use_threads` set."""
    return int(os.environ.get("TF_NUM_INTRAOP_THREADS", 1))


def import_keras() -> Any:
    """Return the keras module on the TensorFlow backend, without its log lines, with deterministic kernels."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")  # a result must not depend on whether there is a GPU
    os.environ["KERAS_BACKEND"] = "tensorflow"
    with quiet():
        import keras
        import tensorflow as tf

    tf.get_logger().setLevel("ERROR")
    tf.config.experimental.enable_op_determinism()
    return keras


def build(weights: dict[str, np.ndarray]) -> Any:
    """Return a flat Keras model: uint8 RGB (n, SIZE, SIZE, 3) to embeddings, float32 (n, N_FEATURES).

    `weights` maps "layer/variable" to arrays, as `models/backbone/weights.npz` does. The scaling to -1..1 is the first
    layer, so that it cannot be done twice. Raises BackboneError if a weight is missing or of another shape.
    """
    keras = import_keras()
    inputs = keras.Input((SIZE, SIZE, 3), dtype="uint8", name="image")
    scaled = keras.layers.Rescaling(1 / 127.5, offset=-1, name="scale")(inputs)
    base = keras.applications.MobileNetV2(include_top=False, weights=None, alpha=1.0, input_tensor=scaled)
    embedding = keras.layers.GlobalAveragePooling2D(name=EMBEDDING)(base.output)
    model = keras.Model(inputs, embedding, name="mobilenetv2")
    if weights:
        set_weights(model, weights)
    return model


def load_pretrained() -> Any:
    """Return the network that the stage `backbone` wrote, images to embeddings; raise StageError if it has not run."""
    if paths.NETWORK.exists():
        return load_keras(paths.NETWORK)
    return build(dict(np.load(require(paths.WEIGHTS, "backbone"))))


def weight_name(variable: Any) -> str:
    """Return "layer/variable" of a Keras variable, whatever model it is nested in."""
    return "/".join(variable.path.split("/")[-2:])


def get_weights(model: Any) -> dict[str, np.ndarray]:
    """Return the model's variables as arrays under "layer/variable", in the order of the layers."""
    return {weight_name(variable): np.asarray(variable) for layer in model.layers for variable in layer.weights}


def set_weights(model: Any, weights: dict[str, np.ndarray]) -> None:
    """Put `weights` into the model; raise BackboneError, naming the first that is missing or does not fit."""
    for layer in model.layers:
        for variable in layer.weights:
            name = weight_name(variable)
            if name not in weights:
                raise BackboneError(f"the pretrained weights lack {name}; expected a MobileNetV2 with alpha 1.0")
            if weights[name].shape != tuple(variable.shape):
                shape, expected = weights[name].shape, tuple(variable.shape)
                raise BackboneError(f"the pretrained weights' {name} has shape {shape}; expected {expected}")
            variable.assign(weights[name])


def convert(model: Any) -> bytes:
    """Return a Keras model of images, uint8 (n, SIZE, SIZE, 3), as a LiteRT program in float32 for a batch of one.

    The weights are frozen into the graph first: the converter then takes 2 s, and 10 s for the Keras model itself.
    """
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    with quiet():
        signature = [tf.TensorSpec((1, SIZE, SIZE, 3), tf.uint8, name="image")]
        traced = tf.function(lambda image: model(image, training=False), signature).get_concrete_function()
        frozen = convert_variables_to_constants_v2(traced)
        return tf.lite.TFLiteConverter.from_concrete_functions([frozen]).convert()


def ood_layers(model: Any) -> list[str]:
    """Return the layers whose means an image is compared by: OOD_LAYERS, and of another network those that lie where these do.

    They are the last at an eighth of the input's side, and the middle one of those at a sixteenth. None where the network is
    not made of such maps, for instance as a transformer is.
    """
    if all(any(layer.name == name for layer in model.layers) for name in OOD_LAYERS):
        return list(OOD_LAYERS)
    side = next((layer.output.shape[1] for layer in model.layers if layer.name == "to_size"), SIZE)
    maps = [layer for layer in model.layers if layer.name != "image" and len(getattr(layer.output, "shape", ())) == 4]
    eighth = [layer.name for layer in maps if side / 10 < (layer.output.shape[1] or 0) <= side / 7]
    sixteenth = [layer.name for layer in maps if side / 20 < (layer.output.shape[1] or 0) <= side / 10]
    return [eighth[-1], sixteenth[len(sixteenth) // 2]] if eighth and sixteenth else []


def ood_means(model: Any) -> Any:
    """Return the means over positions of the maps of `ood_layers` of a Keras `model` as a tensor, (n, 1, 1, n_features).

    Where there are none, the embedding itself. None is negative (see `prediction.ood_images`): of a network whose values may be,
    these are the positive parts, and the negative ones without their sign.
    """
    keras = import_keras()
    names = ood_layers(model)
    if not names:
        return without_sign(keras.layers.Reshape((1, 1, -1))(model.get_layer(EMBEDDING).output))
    # Names of their own, because those that Keras counts change the program's bytes.
    mean = keras.layers.GlobalAveragePooling2D
    means = [mean(keepdims=True, name=f"mean_{name}")(model.get_layer(name).output) for name in names]
    if names == list(OOD_LAYERS):  # of a ReLU
        return keras.layers.Concatenate(name="ood_means")(means)
    return without_sign(keras.layers.Concatenate()(means))


def without_sign(values: Any) -> Any:
    """Return (n, 1, 1, 2 * n_features), none negative, of a Keras tensor (n, 1, 1, n_features)."""
    keras = import_keras()
    parts = [keras.ops.relu(values), keras.ops.relu(-values)]
    return keras.layers.Concatenate(name="ood_means")(parts)


def to_litert(model: Any, frozen: Any = None) -> bytes:
    """Return the model as a LiteRT program, see `convert`; raise RuntimeError if the two differ.

    The second output is the last feature map, if the network has one, so that explanations need no second pass; the last are
    `ood_means`. `frozen`:
    the pretrained network, where some of OOD_LAYERS were fine-tuned in `model`: it then runs up to these layers, too.
    """
    keras = import_keras()
    means = keras.Model(frozen.input, ood_means(frozen), name="frozen")(model.input) if frozen else ood_means(model)
    last_map = model.get_layer(EMBEDDING).input
    has_map = len(last_map.shape) == 4
    outputs = [model.output, last_map, means] if has_map else [model.output, means]
    model_and_maps = keras.Model(model.input, outputs, name=model.name)  # Keras' own names count: other bytes
    program = convert(model_and_maps)
    samples, embedder = np.stack(sample_images()), Embedder(program)
    inferences = [embedder.run(image, frozen_mean=True, feature_map=True) for image in samples]
    numbers, *maps, frozen_means = (np.asarray(expected) for expected in model_and_maps(samples, training=False))
    # A deeper network than MobileNetV2 rounds more often: InceptionV3 differs by 1.4e-4 of the largest value
    tolerance = TOLERANCE if ood_layers(model) == list(OOD_LAYERS) else MAP_TOLERANCE
    assert_close("LiteRT", np.stack([inference.output for inference in inferences]), numbers, tolerance)
    if has_map:
        computed = np.stack([np.asarray(inference.feature_map) for inference in inferences])
        assert_close("LiteRT's feature map", computed, maps[0], MAP_TOLERANCE)
    computed = np.stack([np.asarray(inference.frozen_mean) for inference in inferences])
    assert_close("LiteRT's frozen maps", computed, frozen_means[:, 0, 0], tolerance)
    return program


def assert_close(what: str, actual: np.ndarray, expected: np.ndarray, tolerance: float = TOLERANCE) -> None:
    """Raise RuntimeError if two computations of the same numbers differ by more than `tolerance` (of the largest, if over 1)."""
    difference = float(np.abs(actual - expected).max() / max(1, np.abs(expected).max()))
    if not difference <= tolerance:
        raise RuntimeError(f"{what} differs from Keras by {difference:.2g}; expected at most {tolerance:.0g}")


def save_keras(model: Any, path: Path) -> None:
    """Write the model as a `.keras` file whose bytes depend on the model alone.

    Keras puts the date, zip times and object ids (memory addresses) into the file; they are set to fixed values here. The
    file loads as any other.
    """
    raw = path.with_name(".raw.keras")
    with warnings.catch_warnings():  # of Keras' variables, with NumPy 2
        warnings.filterwarnings("ignore", "__array__ implementation doesn't accept a copy", DeprecationWarning)
        model.save(raw)
    with zipfile.ZipFile(raw) as archive:
        members = {name: archive.read(name) for name in sorted(archive.namelist())}
    raw.unlink()
    metadata = json.loads(members["metadata.json"]) | {"date_saved": EXPORT_DATE}
    members["metadata.json"] = json.dumps(metadata).encode()
    config = json.loads(members["config.json"])
    _renumber(config, {})
    members["config.json"] = json.dumps(config).encode()
    artifacts.write_zip(path, members)


def _renumber(node: Any, numbers: dict[int, int]) -> None:
    """Replace every `shared_object_id` in a Keras config by its order of appearance."""
    if isinstance(node, dict):
        if "shared_object_id" in node:
            node["shared_object_id"] = numbers.setdefault(node["shared_object_id"], len(numbers))
        node = node.values()
    if not isinstance(node, (str, int, float, bool, type(None))):
        for child in node:
            _renumber(child, numbers)


def load_keras(path: Path) -> Any:
    """Return the model in a `.keras` file, loaded in Keras' safe mode."""
    return import_keras().saving.load_model(path, compile=False, safe_mode=True)
