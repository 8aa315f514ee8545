"""The Keras network: its head, its fine-tuning, and that every exported form of it says the same."""

import json
import pickle
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest

from pipeline.core import artifacts
from pipeline.core.errors import DataError, ParamsError, StageError
from pipeline.data import images, litert
from pipeline.estimators import _network, mobilenetv2
from pipeline.estimators._fine_tuning import BLOCKS, FineTune, learning_rate, stopping_part
from pipeline.estimators._frozen_maps import augment, block_input, frozen_maps, ood_layer
from pipeline.estimators._images import map_images
from pipeline.estimators.mobilenetv2 import Params
from tests.models import HEAD, KERAS_NOISE, embed, folder_of, learnt_head, numbers, square

pytestmark = pytest.mark.filterwarnings(KERAS_NOISE)
TUNE = FineTune(from_block="block_16", views=3, epochs=3, learning_rate=1e-4, batch_size=5)
STOPPED = TUNE.model_copy(update={"patience": 2, "stop_fraction": 0.3})
TUNED = HEAD.model_copy(update={"fine_tune": TUNE, "epochs": 3})
CLOSE = 1e-4


def make(params, seed=7):
    return mobilenetv2.build(params, seed)


def tune(pictures, scratch, fine_tune=TUNE, watched=None):
    """Return a network fine-tuned on half of the pictures, which is enough and quicker; `scratch` takes what has been made.

    The rows `watched` are those whose loss is followed.
    """
    X, y, groups = pictures
    if not scratch.exists():
        shutil.copytree("scratch", scratch, ignore=shutil.ignore_patterns("*.npz"))
    X = map_images(X.embedding, X.pixels, scratch)
    params = TUNED.model_copy(update={"fine_tune": fine_tune})
    return make(params).fit(X[np.arange(12)], y[:12], groups[:12], "t", watched and (X[np.array(watched)], y[watched]))


def assert_same_weights(one, other):
    expected = _network.get_weights(other.network_)
    for name, array in _network.get_weights(one.network_).items():
        np.testing.assert_array_equal(array, expected[name], err_msg=name)


def twin(file, squares):
    program = litert.Embedder(Path(file).read_bytes())
    return np.stack([program(picture) for picture in squares])


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    """A folder with a random backbone and 24 pictures of bright (1) and dark (0) discs, and the models learnt."""
    return learnt_head(tmp_path_factory.getbasetemp())[0]


@pytest.fixture(autouse=True)
def in_studio(studio, monkeypatch):
    monkeypatch.chdir(studio)


@pytest.fixture(scope="module")
def pictures(studio):
    """The 24 pictures as a fine-tuned network sees them, mapped from disk, with classes and groups of two."""
    pixels = np.load(studio / "pixels.npy", mmap_mode="r")
    return (
        map_images(np.load(studio / "embedding.npy"), pixels, studio / "scratch"),
        np.arange(24) % 2,
        np.arange(24) // 4 * 2 + np.arange(24) % 2,
    )


@pytest.fixture(scope="module")
def backbone_layers():
    return [layer.name for layer in _network.build({}).layers]


@pytest.fixture(scope="module")
def head(tmp_path_factory):
    """A head fitted on the embeddings, saved in `head/`."""
    return learnt_head(tmp_path_factory.getbasetemp())[1]


@pytest.fixture(scope="module")
def tuned(studio, pictures):
    """A network fine-tuned from block_16 on, saved in `tuned/`."""
    with folder_of(studio):
        Path("scratch").mkdir()
        fitted = tune(pictures, Path("scratch"))
        Path("tuned").mkdir()
        fitted.save(Path("tuned"))
    return fitted


# The head


@pytest.mark.parametrize("n_classes", [2, 4])
def test_a_head_gives_a_probability_for_each_row_and_class(n_classes):
    X, y = numbers(40, n_classes)
    proba = make(Params(epochs=1)).fit(X, y, y, "t").predict_proba(X)
    assert proba.shape == (40, n_classes)
    np.testing.assert_allclose(proba.sum(axis=1), 1, atol=1e-6)


def test_a_head_can_learn_ten_rows_with_drawn_labels_by_heart():
    rng = np.random.default_rng(5)
    X, y = rng.normal(size=(10, 40)).astype(np.float32), rng.permutation(np.arange(10) % 2)
    fitted = make(Params(epochs=200, learning_rate=0.05, dropout=0.0)).fit(X, y, y, "t")
    assert fitted.predict_proba(X)[np.arange(10), y].min() > 0.9
    assert fitted.history_["loss"].iloc[-1] < 0.1 < fitted.history_["loss"].iloc[0]


def test_the_same_seed_gives_the_same_bits_and_another_seed_others():
    X, y = numbers(60)
    first, same, other = (make(Params(epochs=2), seed).fit(X, y, y, "t").predict_proba(X) for seed in (7, 7, 8))
    np.testing.assert_array_equal(first, same)
    assert not np.array_equal(first, other)


def test_samples_held_out_for_the_curve_influence_nothing():
    X, y = numbers(60)
    alone = make(Params(epochs=2)).fit(X, y, y, "t")
    watched = make(Params(epochs=2)).fit(X, y, y, "t", (X[:10], y[:10]))
    np.testing.assert_array_equal(alone.predict_proba(X), watched.predict_proba(X))
    assert alone.history_["val_loss"].isna().all()
    assert np.isfinite(watched.history_["val_loss"]).all()


def test_balanced_class_weight_raises_the_probability_of_the_rarer_class():
    rng = np.random.default_rng(0)
    y = (np.arange(200) % 10 == 0).astype(int)
    X = (rng.normal(size=(200, 4)) + y[:, None] * 0.5).astype(np.float32)
    own = {"epochs": 15, "learning_rate": 0.1}
    balanced, plain = (make(Params(class_weight=w, **own)).fit(X, y, y, "t") for w in ("balanced", None))
    assert balanced.predict_proba(X)[:, 1].mean() > plain.predict_proba(X)[:, 1].mean() + 0.1


def test_a_head_knows_what_it_learnt_and_its_history_shows_it(head, pictures):
    X, y, _ = pictures
    assert (head.predict_proba(X.embedding).argmax(axis=1) == y).all()
    loss = head.history_["loss"]
    assert loss.iloc[-1] < loss.iloc[0] / 2
    assert head.history_["epoch"].tolist() == list(range(1, HEAD.epochs + 1))


# What is exported


@pytest.mark.parametrize("name", ["head", "tuned"])
def test_every_form_of_a_network_gives_the_same_probabilities(name, request, pictures):
    fitted = request.getfixturevalue(name)
    squares = np.concatenate([pictures[0].pixels[:4], images.sample_pictures()])
    in_keras = np.asarray(_network.load_keras(Path(name) / "model.keras")(squares, training=False))
    in_memory = fitted.predict_proba(
        embed(squares) if name == "head" else map_images(np.zeros((8, 1)), squares, Path())
    )
    np.testing.assert_allclose(twin(f"{name}/model.tflite", squares), in_keras, atol=CLOSE)
    np.testing.assert_allclose(in_memory, in_keras, atol=CLOSE)


@pytest.mark.parametrize("name", ["head", "tuned"])
def test_the_exported_network_takes_raw_uint8_pictures_and_has_its_preprocessing_inside(name, request):
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


def test_learning_and_saving_again_gives_the_same_bytes_and_leaves_nothing_else_behind(head, pictures, tmp_path):
    X, y, groups = pictures
    make(HEAD).fit(X.embedding, y, groups, "t").save(tmp_path)
    files = ["model.keras", "model.npz", "model.tflite"]
    assert sorted(path.name for path in tmp_path.iterdir()) == files
    for file in files:
        assert (tmp_path / file).read_bytes() == (Path("head") / file).read_bytes()


def test_a_head_on_another_backbones_embeddings_is_not_exported(head, tmp_path, monkeypatch):
    shutil.copytree("models/backbone", tmp_path / "models/backbone")
    weights = dict(np.load("models/backbone/weights.npz"))
    weights["Conv_1/kernel"] = weights["Conv_1/kernel"] * 1.5
    monkeypatch.chdir(tmp_path)
    artifacts.write_npz("models/backbone/weights.npz", weights)
    with pytest.raises(RuntimeError, match=r"the head on embeddings differs from Keras by .*; expected at most 0.0001"):
        head.save(tmp_path)


def test_a_missing_backbone_names_the_stage_that_makes_it(head, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StageError, match=r"models/backbone/weights.npz is missing: run 'dvc repro backbone'"):
        head.save(tmp_path)


# Fine-tuning


def test_only_layers_from_the_block_on_change_and_batch_normalisation_keeps_its_statistics(tuned):
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


def test_pictures_are_familiar_by_a_map_that_was_not_fine_tuned_in_keras_and_its_twin(tuned, pictures):
    squares = pictures[0].pixels[:4]
    backbone = _network.build(dict(np.load("models/backbone/weights.npz")))
    frozen = _network.import_keras().Model(backbone.input, backbone.get_layer("block_15_expand_relu").output)
    expected = np.asarray(frozen(np.asarray(squares), training=False)).mean(axis=(1, 2))
    np.testing.assert_allclose(tuned.ood_features(map_images(np.zeros((4, 1)), squares, Path())), expected, atol=CLOSE)
    program = litert.Embedder(Path("tuned/model.tflite").read_bytes())
    for picture, mean in zip(squares, expected, strict=True):
        inference = program.run(picture, frozen_mean=True, feature_map=True)
        assert len(inference.output) == 2
        np.testing.assert_allclose(inference.frozen_mean, mean, atol=CLOSE)
        assert inference.feature_map.shape == (7, 7, 1280)


@pytest.mark.parametrize("block", BLOCKS)
def test_there_is_a_layer_that_stays_frozen_before_every_block(block, backbone_layers):
    assert backbone_layers.index(ood_layer(block)) < backbone_layers.index(f"{block}_expand")


def test_the_history_has_both_phases_one_after_the_other(tuned):
    history = tuned.history_
    assert history["epoch"].tolist() == [1, 2, 3, 4, 5, 6]
    assert np.isfinite(history["loss"]).all()
    assert history["val_loss"].isna().all()
    assert history["loss"].iloc[-1] < history["loss"].iloc[3]


def break_off(monkeypatch, epoch):
    """Let the next fine-tuning be interrupted in the middle of an epoch; return what lets the one after it alone."""
    told = mobilenetv2.progress

    def interrupted(keras, *args):
        callback, seen = told(keras, *args), []

        def on_batch(batch, logs):
            seen.append(batch)
            if seen.count(1) == epoch + 1:
                raise KeyboardInterrupt

        callback.on_train_batch_end = on_batch
        return callback

    monkeypatch.setattr(mobilenetv2, "progress", interrupted)
    return lambda: monkeypatch.setattr(mobilenetv2, "progress", told)


def test_fine_tuning_that_is_interrupted_and_watched_goes_on_from_its_last_epoch_to_the_same_bits(
    tuned, pictures, tmp_path, monkeypatch, capsys
):
    assert_goes_on(TUNE, tuned, pictures, tmp_path / "broken", monkeypatch, capsys, watched=[20, 13])


def test_with_early_stopping_the_line_of_an_epoch_tells_what_it_watches_and_it_goes_on_to_the_same_bits(
    tuned, pictures, tmp_path, monkeypatch, capsys
):
    whole = tune(pictures, tmp_path / "whole", STOPPED)
    assert np.isfinite(whole.history_["val_loss"]).all()
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("t: epoch")]
    last = whole.history_.iloc[-1]
    assert lines[-1].startswith(f"t: epoch {len(lines)}/3, loss {last['loss']:.4f}, val_loss {last['val_loss']:.4f}, ")
    assert lines[-1].endswith(" s left at most")
    assert_goes_on(STOPPED, whole, pictures, tmp_path / "broken", monkeypatch, capsys)


def assert_goes_on(fine_tune, whole, pictures, scratch, monkeypatch, capsys, watched=None):
    let_alone = break_off(monkeypatch, 2)
    with pytest.raises(KeyboardInterrupt):
        tune(pictures, scratch, fine_tune, watched)
    let_alone()
    capsys.readouterr()
    after = tune(pictures, scratch, fine_tune, watched)
    said = capsys.readouterr().err
    assert "t: resumes after epoch 2 of 3" in said
    assert "epoch 3/3" in said
    assert "epoch 2/3" not in said
    assert_same_weights(after, whole)
    assert after.history_["loss"].equals(whole.history_["loss"])
    assert np.isfinite(after.history_["val_loss"]).all()


def test_a_fit_that_had_ended_is_not_done_again_and_another_one_is(tuned, pictures, tmp_path, capsys):
    again = tune(pictures, Path("scratch"))
    assert "epoch 1/3" not in capsys.readouterr().err
    assert_same_weights(again, tuned)
    tune(pictures, Path("scratch"), TUNE.model_copy(update={"learning_rate": 2e-4}))
    assert "epoch 1/3" in capsys.readouterr().err


def test_frozen_maps_are_those_of_keras_for_the_picture_and_its_views_whatever_rows_are_asked_for(pictures, tmp_path):
    X = map_images(pictures[0].embedding, pictures[0].pixels, tmp_path)
    maps = frozen_maps(X[np.array([5, 2])], "block_13", 2, 7, "t")
    assert (maps.shape, maps.dtype) == ((24, 2, 14, 14, 96), np.float16)
    model = _network.build(dict(np.load("models/backbone/weights.npz")))
    frozen = _network.import_keras().Model(model.input, block_input(model, "block_13"))
    for row in (0, 23):
        seen = augment(X.pixels[row], 2, np.random.default_rng([7, row]))
        np.testing.assert_allclose(maps[row], np.asarray(frozen(seen, training=False)), rtol=2e-3, atol=2e-3)
    before = [path.stat().st_mtime_ns for path in tmp_path.iterdir()]
    frozen_maps(X, "block_13", 2, 7, "t")
    assert [path.stat().st_mtime_ns for path in tmp_path.iterdir()] == before
    assert len(before) == 1


def test_the_time_that_learning_takes_is_tried_beforehand(tuned, pictures):
    X, y, _ = pictures
    seconds = make(TUNED).seconds_per_sample(map_images(X.embedding, X.pixels, Path("scratch")), y, "t")
    assert 1e-4 < seconds < 15


def test_the_learning_rate_rises_from_nothing_through_the_first_epoch_and_then_falls_to_nothing():
    rate = learning_rate(_network.import_keras(), 3e-4, epochs=3, steps=10)
    rates = np.array([float(rate(step)) for step in range(31)])
    assert rates[[0, 5, 10, 30]] == pytest.approx([0, 1.5e-4, 3e-4, 0], abs=1e-9)
    assert (np.diff(rates[:11]) > 0).all()
    assert (np.diff(rates[10:]) < 0).all()


def test_a_single_epoch_has_no_time_to_rise():
    rate = learning_rate(_network.import_keras(), 3e-4, epochs=1, steps=10)
    assert [float(rate(step)) for step in (0, 10)] == pytest.approx([3e-4, 0], abs=1e-9)


@pytest.mark.parametrize("fraction", [0.15, 0.25, 0.4])
def test_early_stopping_looks_at_whole_groups_of_every_class(fraction):
    groups = np.repeat(np.arange(60), np.arange(60) % 5 + 1).astype(str)
    y = groups.astype(int) % 3 // 2
    part = stopping_part(y, groups, fraction, 7)
    assert not set(groups[part]) & set(groups[~part])
    assert set(y[part]) == set(y[~part]) == {0, 1}
    assert part.mean() == pytest.approx(fraction, abs=0.12)
    assert (stopping_part(y, groups, fraction, 7) == part).all()
    assert (stopping_part(y, groups, fraction, 8) != part).any()


def test_early_stopping_needs_two_groups_of_each_class():
    y, groups = np.array([0, 0, 0, 1, 1]), np.array(["a", "b", "c", "d", "d"])
    with pytest.raises(DataError, match="early stopping needs two groups of each class"):
        stopping_part(y, groups, 0.15, 7)


def test_views_begin_with_the_picture_and_are_the_same_for_the_same_seed():
    picture = square(0)
    copy = picture.copy()
    first, same, other = (augment(picture, 4, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert (first.shape, first.dtype) == ((4, *picture.shape), np.uint8)
    np.testing.assert_array_equal(first, same)
    np.testing.assert_array_equal(first[0], copy)
    np.testing.assert_array_equal(picture, copy)
    assert not np.array_equal(first, other)


def test_views_turn_and_flip_and_keep_to_a_fifth_of_light_and_contrast():
    found = augment(np.full((16, 16, 3), 100, np.uint8), 40, np.random.default_rng(0))
    assert (np.ptp(found, axis=(1, 2, 3)) == 0).all()
    light = found[:, 0, 0, 0].astype(float)
    low, high = (100 - 128) * 1.2 + 128 * 0.8, (100 - 128) * 0.8 + 128 * 1.2
    assert low - 1 <= light.min() < 90 < 115 < light.max() <= high + 1
    marked = np.zeros((8, 8, 3), np.uint8)
    marked[0, 1] = 255
    places = {tuple(np.argwhere(p[..., 0] == p.max())[0]) for p in augment(marked, 200, np.random.default_rng(0))}
    assert len(places) == 8


def test_mapped_pictures_travel_to_another_process_as_the_path_of_their_file(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (20, 32, 32, 3), dtype=np.uint8)
    np.save(tmp_path / "pixels.npy", pixels)
    mapped = np.load(tmp_path / "pixels.npy", mmap_mode="r")
    sent = pickle.dumps(map_images(np.zeros((20, 1)), mapped, Path())[np.arange(5, 15)])
    assert len(sent) < pixels.nbytes / 10
    found = pickle.loads(sent)
    np.testing.assert_array_equal(found.pixels[found.rows], pixels[5:15])


def batches_of(*args):
    from pipeline.estimators._batches import Batches

    return Batches(*args)


def numbered_maps(n, n_views=4):
    """Return maps of which each number tells the row and the view."""
    numbers = np.arange(n)[:, None] * 10 + np.arange(n_views)
    return np.broadcast_to(numbers[..., None, None, None], (n, n_views, 2, 2, 3)).astype(np.float16)


@pytest.mark.parametrize("seed", [None, 7])
def test_batches_pair_every_picture_with_its_own_label_and_weight_once_an_epoch(seed):
    rows = np.arange(30, 10, -1)
    y, weight = rows % 3, rows / 20
    found = batches_of(numbered_maps(31), rows, y, weight, 8, seed)
    assert len(found) == 3
    seen, shown = [], set()
    for maps, labels, weights in (found[index] for index in range(3)):
        assert maps.dtype == np.float32
        of_row, view = np.divmod(maps[:, 0, 0, 0].astype(int), 10)
        np.testing.assert_array_equal(labels, of_row % 3)
        np.testing.assert_array_equal(weights, of_row / 20)
        seen += of_row.tolist()
        shown |= set(view.tolist())
    assert seen == rows.tolist() if seed is None else sorted(seen) == sorted(rows)
    assert shown == ({0} if seed is None else {0, 1, 2, 3})


def test_order_and_views_change_with_the_epoch_and_are_the_same_for_the_same_seed_and_epoch():
    def batches(epoch):
        maps = numbered_maps(40)
        return batches_of(maps, np.arange(40), np.arange(40), np.ones(40), 8, 7, epoch)

    one, two, later = batches(0), batches(0), batches(1)
    np.testing.assert_array_equal(one[0][0], two[0][0])
    assert not np.array_equal(one[0][1], later[0][1])
    one.on_epoch_end()
    np.testing.assert_array_equal(one[0][0], later[0][0])


def test_pictures_stay_a_view_until_pixels_are_asked_for(pictures):
    X, *_ = pictures
    part = X[np.array([5, 3])][np.array([1])]
    assert len(part) == 1
    assert part.rows.tolist() == [3]
    assert part.pixels is X.pixels


@pytest.mark.parametrize(("features", "fine_tune"), [("pixels", None), ("embedding", FineTune())])
def test_fine_tuning_needs_pixels_and_a_head_embeddings(features, fine_tune):
    with pytest.raises(ParamsError, match=r"m\.features: fine_tune needs 'pixels', a head alone 'embedding'"):
        mobilenetv2.check(Params(fine_tune=fine_tune), features, "m")


# The network


def test_the_twin_of_the_embedder_agrees_with_keras(pictures):
    X, *_ = pictures
    model = _network.build(dict(np.load("models/backbone/weights.npz")))
    np.testing.assert_allclose(X.embedding, np.asarray(model(np.asarray(X.pixels), training=False)), atol=CLOSE)


def test_weights_survive_a_round_trip_through_the_file():
    weights = dict(np.load("models/backbone/weights.npz"))
    found = _network.get_weights(_network.build(weights))
    assert list(found) == list(weights)
    assert all(np.array_equal(found[name], weights[name]) for name in weights)
    assert len(weights) == 260
