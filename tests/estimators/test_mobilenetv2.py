"""The MobileNetV2 estimator: fitting, fine-tuning, resuming, and every exported form."""

import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest

from pipeline.core import artifacts
from pipeline.core.errors import ParamsError, StageError
from pipeline.data import litert
from pipeline.data.images.squares import sample_images
from pipeline.estimators import _network, mobilenetv2
from pipeline.estimators._fine_tuning import FineTune
from pipeline.estimators._frozen_maps import map_images
from pipeline.estimators.mobilenetv2 import Params
from tests.helpers.models import HEAD, KERAS_NOISE, embed, folder_of

pytestmark = [pytest.mark.filterwarnings(KERAS_NOISE), pytest.mark.usefixtures("in_studio")]
TUNE = FineTune(from_block="block_16", views=3, epochs=3, learning_rate=1e-4, batch_size=5)
STOPPED = TUNE.model_copy(update={"patience": 2, "stop_fraction": 0.3})
TUNED = HEAD.model_copy(update={"fine_tune": TUNE, "epochs": 3})
CLOSE = 1e-4


def make(params, seed=7):
    return mobilenetv2.build(params, seed)


def tune(samples, scratch, fine_tune=TUNE, held_out=None):
    """Return a network fine-tuned on half of the samples, which is enough and quicker; `scratch` takes what has been made.

    The rows `held_out` are those whose loss is followed.
    """
    X, y, groups = samples
    if not scratch.exists():
        shutil.copytree("scratch", scratch, ignore=shutil.ignore_patterns("*.npz"))
    X = map_images(X.embedding, X.pixels, scratch)
    params = TUNED.model_copy(update={"fine_tune": fine_tune})
    return make(params).fit(
        X[np.arange(12)], y[:12], groups[:12], "t", held_out and (X[np.array(held_out)], y[held_out])
    )


def assert_same_weights(network, other):
    expected = _network.get_weights(other.network_)
    for name, array in _network.get_weights(network.network_).items():
        np.testing.assert_array_equal(array, expected[name], err_msg=name)


def litert_proba(file, squares):
    program = litert.Embedder(Path(file).read_bytes())
    return np.stack([program(square) for square in squares])


@pytest.fixture(scope="module")
def tuned(studio, samples):
    """A network fine-tuned from block_16 on, saved in `tuned/`."""
    with folder_of(studio):
        Path("scratch").mkdir()
        fitted = tune(samples, Path("scratch"))
        Path("tuned").mkdir()
        fitted.save(Path("tuned"))
    return fitted


def test_the_loss_of_a_head_falls_until_it_fits(head, samples):
    X, y, _ = samples
    assert (head.predict_proba(X.embedding).argmax(axis=1) == y).all()
    loss = head.history_["loss"]
    assert loss.iloc[-1] < loss.iloc[0] / 2
    assert head.history_["epoch"].tolist() == list(range(1, HEAD.epochs + 1))


@pytest.mark.parametrize("name", ["head", "tuned"])
def test_every_exported_form_gives_the_same_probabilities(name, request, samples):
    fitted = request.getfixturevalue(name)
    squares = np.concatenate([samples[0].pixels[:4], sample_images()])
    in_keras = np.asarray(_network.load_keras(Path(name) / "model.keras")(squares, training=False))
    in_memory = fitted.predict_proba(
        embed(squares) if name == "head" else map_images(np.zeros((8, 1)), squares, Path())
    )
    np.testing.assert_allclose(litert_proba(f"{name}/model.tflite", squares), in_keras, atol=CLOSE)
    np.testing.assert_allclose(in_memory, in_keras, atol=CLOSE)


@pytest.mark.parametrize("name", ["head", "tuned"])
def test_the_exported_network_scales_raw_pixels_itself(name, request):
    request.getfixturevalue(name)
    model = _network.load_keras(Path(name) / "model.keras")
    assert model.input_shape == (None, 224, 224, 3)
    assert model.inputs[0].dtype == "uint8"
    scaling = [layer for layer in model.layers if type(layer).__name__ == "Rescaling"]
    assert [(layer.scale, layer.offset) for layer in scaling] == [(1 / 127.5, -1)]
    assert np.asarray(model(np.zeros((1, 224, 224, 3), np.uint8))).shape == (1, 2)


@pytest.mark.parametrize("name", ["head", "tuned"])
def test_the_exported_network_holds_no_code(name, request):
    request.getfixturevalue(name)
    with zipfile.ZipFile(Path(name) / "model.keras") as archive:
        config = json.loads(archive.read("config.json"))
        names = archive.namelist()
    assert names == ["config.json", "metadata.json", "model.weights.h5"]
    layers = [layer["class_name"] for layer in config["config"]["layers"]]
    assert "Lambda" not in layers
    assert "optimizer" not in json.dumps(config.get("compile_config"))
    assert {layer["registered_name"] for layer in config["config"]["layers"]} == {None}


def test_fitting_and_saving_again_gives_the_same_bytes(head, samples, tmp_path):
    X, y, groups = samples
    make(HEAD).fit(X.embedding, y, groups, "t").save(tmp_path)
    files = ["model.keras", "model.npz", "model.tflite"]
    assert sorted(path.name for path in tmp_path.iterdir()) == files
    for file in files:
        assert (tmp_path / file).read_bytes() == (Path("head") / file).read_bytes()


def test_a_head_of_another_backbone_is_not_exported(head, tmp_path, monkeypatch):
    shutil.copytree("models/backbone", tmp_path / "models/backbone")
    weights = dict(np.load("models/backbone/weights.npz"))
    weights["Conv_1/kernel"] = weights["Conv_1/kernel"] * 1.5
    monkeypatch.chdir(tmp_path)
    artifacts.write_npz("models/backbone/weights.npz", weights)
    with pytest.raises(RuntimeError, match=r"the head on embeddings differs from Keras by .*; expected at most 0.0001"):
        head.save(tmp_path)


def test_a_missing_backbone_names_its_stage(head, empty_folder, tmp_path):
    with pytest.raises(StageError, match=r"models/backbone/weights.npz is missing: run 'dvc repro backbone'"):
        head.save(tmp_path)


def test_only_layers_from_the_block_on_are_trained(tuned):
    before = dict(np.load("models/backbone/weights.npz"))
    changed = {
        name
        for name, array in _network.get_weights(tuned.network_).items()
        if not np.array_equal(array, before.get(name))
    }
    assert changed == {
        "block_16_expand/kernel",
        "block_16_depthwise/kernel",
        "block_16_project/kernel",
        "Conv_1/kernel",
        "probabilities/kernel",
        "probabilities/bias",
    }


def frozen_means(squares):
    """Return the means of the pretrained network's maps by Keras, without the network's own code for them."""
    backbone = _network.build(dict(np.load("models/backbone/weights.npz")))
    maps = [backbone.get_layer(name).output for name in ("block_6_expand_relu", "block_10_expand_relu")]
    outputs = _network.import_keras().Model(backbone.input, maps)(np.asarray(squares), training=False)
    return np.hstack([np.asarray(output).mean(axis=(1, 2)) for output in outputs])


def test_the_program_gives_means_of_pretrained_maps(tuned, samples):
    squares = samples[0].pixels[:4]
    program = litert.Embedder(Path("tuned/model.tflite").read_bytes())
    for square, mean in zip(squares, frozen_means(squares), strict=True):
        inference = program.run(square, frozen_mean=True, feature_map=True)
        assert len(inference.output) == 2
        np.testing.assert_allclose(inference.frozen_mean, mean, atol=CLOSE)
        assert inference.feature_map.shape == (7, 7, 1280)


def test_means_are_pretrained_where_their_blocks_were_tuned(samples):
    squares, weights = samples[0].pixels[:2], dict(np.load("models/backbone/weights.npz"))
    trained = _network.build(weights | {"block_6_expand/kernel": weights["block_6_expand/kernel"] * 1.5})
    program = litert.Embedder(_network.to_litert(trained, _network.build(weights)))
    for square, mean in zip(squares, frozen_means(squares), strict=True):
        np.testing.assert_allclose(program.run(square, frozen_mean=True).frozen_mean, mean, atol=CLOSE)


@pytest.mark.parametrize(("block", "trains"), [("block_3", True), ("block_10", True), ("block_11", False)])
def test_a_tuned_block_includes_the_layers_from_it_on(block, trains):
    assert FineTune(from_block=block).trains(_network.OOD_LAYERS) is trains


def test_the_history_has_both_phases(tuned):
    history = tuned.history_
    assert history["epoch"].tolist() == [1, 2, 3, 4, 5, 6]
    assert np.isfinite(history["loss"]).all()
    assert history["val_loss"].isna().all()
    assert history["loss"].iloc[-1] < history["loss"].iloc[3]


def interrupt(monkeypatch, epoch):
    """Let the next fine-tuning be interrupted in the middle of an epoch; return what lets the one after it alone."""
    progress = mobilenetv2.progress

    def interrupted(keras, *args):
        callback, batches = progress(keras, *args), []

        def on_batch(batch, logs):
            batches.append(batch)
            if batches.count(1) == epoch + 1:
                raise KeyboardInterrupt

        callback.on_train_batch_end = on_batch
        return callback

    monkeypatch.setattr(mobilenetv2, "progress", interrupted)
    return lambda: monkeypatch.setattr(mobilenetv2, "progress", progress)


def test_interrupted_fine_tuning_resumes_to_the_same_bits(tuned, samples, tmp_path, monkeypatch, capsys):
    """With early stopping as well in test_checkpoint.py, on a network of a few numbers."""
    undo = interrupt(monkeypatch, 2)
    with pytest.raises(KeyboardInterrupt):
        tune(samples, tmp_path / "broken", held_out=[20, 13])
    undo()
    capsys.readouterr()
    after = tune(samples, tmp_path / "broken", held_out=[20, 13])
    err = capsys.readouterr().err
    assert "t: resumes after epoch 2 of 3" in err
    assert "epoch 3/3" in err
    assert "epoch 2/3" not in err
    assert_same_weights(after, tuned)
    assert after.history_["loss"].equals(tuned.history_["loss"])
    assert np.isfinite(after.history_["val_loss"]).all()


def test_early_stopping_shows_the_loss_that_it_follows(samples, tmp_path, capsys):
    fitted = tune(samples, tmp_path / "whole", STOPPED)
    assert np.isfinite(fitted.history_["val_loss"]).all()
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("t: epoch")]
    last = fitted.history_.iloc[-1]
    assert lines[-1].startswith(f"t: epoch {len(lines)}/3, loss {last['loss']:.4f}, val_loss {last['val_loss']:.4f}, ")
    assert lines[-1].endswith(" s left at most")


def test_a_finished_fit_is_reused_for_equal_parameters_alone(tuned, samples, tmp_path, capsys):
    again = tune(samples, Path("scratch"))
    assert "epoch 1/3" not in capsys.readouterr().err
    assert_same_weights(again, tuned)
    tune(samples, Path("scratch"), TUNE.model_copy(update={"learning_rate": 2e-4}))
    assert "epoch 1/3" in capsys.readouterr().err


def test_the_duration_of_fine_tuning_is_measured(tuned, samples):
    X, y, _ = samples
    measured = make(TUNED).durations(map_images(X.embedding, X.pixels, Path("scratch")), y, "t")
    assert 1e-4 < measured.learnt < 15
    assert 1e-4 < measured.held_out < 15
    assert measured.fit > measured.learnt
    assert not measured.may_stop


@pytest.mark.parametrize(("features", "fine_tune"), [("pixels", None), ("embedding", FineTune())])
def test_fine_tuning_needs_pixels_and_a_head_embeddings(features, fine_tune):
    with pytest.raises(ParamsError, match=r"m\.features: fine_tune needs 'pixels', a head alone 'embedding'"):
        mobilenetv2.check(Params(fine_tune=fine_tune), features, "m")
