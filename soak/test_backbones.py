"""A network of each family of keras.applications becomes a backbone whose LiteRT program agrees with Keras."""

from pathlib import Path

import pytest
import yaml

from pipeline import backbone
from pipeline.core import artifacts
from pipeline.data import litert
from pipeline.data.images import squares

SMALLEST = [
    "ConvNeXtTiny", "DenseNet121", "EfficientNetB0", "EfficientNetV2B0", "InceptionResNetV2", "InceptionV3", "MobileNet",
    "MobileNetV3Large", "NASNetMobile", "ResNet50", "ResNet50V2", "VGG16", "Xception",
]  # fmt: skip


@pytest.mark.filterwarnings("ignore")  # of Keras
@pytest.mark.parametrize("network", SMALLEST)
def test_a_network_of_each_family_becomes_a_backbone(tmp_path, monkeypatch, network):
    monkeypatch.chdir(tmp_path)
    block = {"network": network, "source": "random"}
    Path("params.yaml").write_text(yaml.safe_dump({"seed": 7, "workers": 2, "backbone": block}))
    backbone.main()
    origin = artifacts.read_json(Path("models/backbone/backbone.json"))
    run = litert.Embedder(Path("models/backbone/embedder.tflite").read_bytes()).run
    seen = run(squares.sample_images()[0], frozen_mean=True, feature_map=True)
    assert len(seen.output) == origin["n_features"] == seen.feature_map.shape[-1]
    assert seen.feature_map.shape[0] in (5, 6, 7)
    assert len(seen.frozen_mean) != len(seen.output)
