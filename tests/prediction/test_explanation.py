"""What an answer rests on: exact where it can be, and always where a planted object lies."""

import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from pipeline import predict
from pipeline.core import artifacts
from pipeline.estimators import knn, logreg, random_forest
from pipeline.prediction import bundle, explanation
from pipeline.prediction.decision_rule import softmax
from pipeline.prediction.predictor import Predictor
from tests.helpers.models import (
    KERAS_NOISE,
    dataset,
    drawn_image,
    export,
    folder_of,
    mixed,
    numbers,
    train_and_evaluate,
    write_params,
)  # fmt: skip

pytestmark = pytest.mark.filterwarnings(KERAS_NOISE)
CLASSICAL = {"logreg": logreg, "random_forest": random_forest, "knn": knn}


def fitted(name, X, y):
    return CLASSICAL[name].build(CLASSICAL[name].Params(), 7).fit(X, y)


# where in a feature map


def planted(n, seed):
    """Return feature maps (n, 7, 7, 12) of noise, of which every second one has an object at a place: its map, y, places."""
    rng = np.random.default_rng(seed)
    maps, y = rng.gamma(1.0, 1.0, (n, 7, 7, 12)).astype(np.float32), np.arange(n) % 2
    places = rng.integers(1, 6, (n, 2))
    for item, label, (row, column) in zip(maps, y, places, strict=True):
        if label:
            item[row - 1 : row + 2, column - 1 : column + 2, :2] += 4
    return maps, y, places


@pytest.mark.parametrize("is_network", [False, True])
def test_a_network_without_a_map_is_explained_by_squares(is_network):
    X, y = numbers(n_features=3)
    model = fitted("logreg", X, y)
    square = np.zeros((224, 224, 3), np.uint8)
    square[64:128, 96:160] = 255

    def embed(changed):
        means = changed.mean(axis=(0, 1))[None] / 255
        return model.predict_proba(means) if is_network else means

    sample = explanation.LoadedSample(embed(square), square=square, feature_map=np.zeros((1, 1, 3)))
    info = bundle.BundleInfo("image", ["a", "b"], "pixels" if is_network else "embedding", {}, {})
    head = {"kernel": np.zeros((3, 2)), "bias": np.zeros(2)}
    kind, heat = explanation.of_image(info, head if is_network else model, sample, embed, 1)
    assert kind == explanation.COVERED
    assert np.unravel_index(np.abs(heat).argmax(), heat.shape) in {(2, 3), (3, 3), (2, 4), (3, 4)}


@pytest.mark.parametrize("name", CLASSICAL)
def test_a_map_peaks_at_the_planted_object(name):
    maps, y, _ = planted(200, 0)
    model = fitted(name, maps.mean(axis=(1, 2)), y)
    result, _, places = planted(40, 1)
    head = explanation.linear_head(model)
    hits = 0
    for item, (row, column) in zip(result[1::2], places[1::2], strict=True):
        if name == "logreg":
            heat = explanation.class_activation(item, *head, 1)
        else:
            heat = explanation.positions_left_out(item, model.predict_proba, 1)
        peak = np.unravel_index(heat.argmax(), heat.shape)
        hits += max(abs(peak[0] - row), abs(peak[1] - column)) <= 1
    assert hits >= 18
    assert (head is None) == (name != "logreg")


@pytest.mark.parametrize("n_classes", [2, 4])
def test_an_activation_map_averages_to_the_log_odds(n_classes):
    X, y = numbers(120, n_classes, n_features=12)
    model = fitted("logreg", X, y)
    W, b = explanation.linear_head(model)
    feature_map = np.random.default_rng(0).normal(size=(7, 7, 12)).astype(np.float32)
    logits = np.array([explanation.class_activation(feature_map, W, b, k).mean() for k in range(n_classes)])
    assert logits.sum() == pytest.approx(0, abs=1e-9)
    expected = model.predict_proba(feature_map.mean(axis=(0, 1))[None].astype(np.float64))
    np.testing.assert_allclose(softmax(logits[None] / (2 if n_classes == 2 else 1)), expected, atol=1e-6)


def test_a_model_that_ignores_the_map_has_an_even_one():
    maps, _, _ = planted(2, 0)
    heat = explanation.positions_left_out(maps[1], lambda X: np.full((len(X), 2), 0.5), 1)
    np.testing.assert_array_equal(heat, 0)


def test_a_covered_square_is_found_where_the_model_looks():
    square = np.full((224, 224, 3), 90, np.uint8)
    square[150:190, 30:70] = 255

    def proba(X):
        bright = X.reshape(len(X), 224, 224, 3)[:, 150:190, 30:70].mean(axis=(1, 2, 3)) / 255
        return np.column_stack([1 - bright, bright])

    heat = explanation.squares_covered(square, lambda shown: shown.reshape(1, -1).astype(float), proba, 1)
    assert np.unravel_index(heat.argmax(), heat.shape) in [(5, 1), (4, 1), (5, 2)]
    assert heat[0, 6] == 0


# which columns of a row


@pytest.mark.parametrize("n_classes", [2, 4])
def test_the_terms_and_a_constant_sum_to_the_logit(n_classes):
    X, y = mixed(200, n_classes)
    model = fitted("logreg", X, y)
    proba = model.predict_proba(X)
    logits = (np.log(proba) - np.log(proba).mean(axis=1, keepdims=True)) * (2 if n_classes == 2 else 1)
    for k in range(n_classes):
        sums = [sum(explanation.terms(model, X.iloc[[row]], k).values()) for row in range(5)]
        np.testing.assert_allclose(np.subtract(sums, sums[0]), logits[:5, k] - logits[0, k], atol=1e-6)
    result = explanation.terms(model, X.iloc[[0]], 0)
    assert list(result) == list(X.columns)
    assert result["empty"] == result["constant"] == 0


def test_changes_are_differences_of_the_models_probability():
    X, y = mixed(200)
    model = fitted("random_forest", X, y)
    usual = {"age": 50.0, "size": 0.0, "site": "arm", "empty": None, "constant": 3.0}
    row = X.iloc[[1]]
    result = explanation.changes(model.predict_proba, row, usual, 1)
    for name, value in usual.items():
        other = row.assign(**{name: pd.Series([value], index=row.index, dtype=row[name].dtype)})
        expected = model.predict_proba(row)[0, 1] - model.predict_proba(other)[0, 1]
        assert result[name] == pytest.approx(expected)


# by the Predictor


KINDS = {
    "net": explanation.ACTIVATION,
    "line": explanation.ACTIVATION,
    "trees": explanation.LEFT_OUT,
    "colours": explanation.COVERED,
}


@pytest.mark.parametrize("name", KINDS)
def test_a_image_is_explained_beside_the_same_answer(image_bundles, name):
    loaded = Predictor(image_bundles / "bundles" / name)
    item, why = loaded.explain(drawn_image(3), "disc.png")
    assert item == loaded.predict(drawn_image(3), "disc.png")
    assert why.kind == KINDS[name]
    assert np.shape(why.map) == (7, 7)
    assert Image.open(io.BytesIO(why.png)).size == (224, 224)


@pytest.mark.parametrize("name", ["net", "line"])
def test_the_map_of_a_bundle_is_exact(image_bundles, name):
    loaded = Predictor(image_bundles / "bundles" / name)
    item, why = loaded.explain(drawn_image(3), "disc.png")
    log_odds = np.log(item["probabilities"][item["class"]] / (1 - item["probabilities"][item["class"]]))
    assert np.mean(why.map) == pytest.approx(log_odds, abs=2e-3)


def test_what_has_no_answer_has_no_explanation(image_bundles):
    loaded = Predictor(image_bundles / "bundles/net")
    item, why = loaded.explain(b"nothing", "notes.txt")
    assert why is None
    assert item["refused"]


@pytest.mark.parametrize("name", ["net", "line", "trees"])
def test_threads_that_share_a_predictor_explain_their_own_image(image_bundles, name):
    loaded, files = Predictor(image_bundles / "bundles" / name), [drawn_image(seed) for seed in range(6)]
    alone = [loaded.explain(file, "a") for file in files]
    assert len({why.png for _, why in alone if why}) > 1
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda file: loaded.explain(file, "a"), files * 3)) == alone * 3


def test_a_network_without_head_weights_is_refused(image_bundles, tmp_path):
    content = artifacts.read_json(image_bundles / "bundles/net/bundle.json")
    for file in (image_bundles / "bundles/net").iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    del content["files"]["model.npz"]
    artifacts.write_json(tmp_path / "bundle.json", content)
    with pytest.raises(bundle.BundleError, match=r"or one without model.npz: run 'dvc repro'"):
        Predictor(tmp_path)


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """A project with two models of a table."""
    with folder_of(tmp_path_factory.mktemp("rows")) as folder:
        models = {"line": {"estimator": "logreg"}, "trees": {"estimator": "random_forest", "n_estimators": 10}}
        write_params(models)
        X, y = mixed(100)
        dataset(X, y, np.arange(100) // 2).save(Path("data/t/dev.npz"))
        train_and_evaluate(models)
        for name in models:
            export(name, Path("bundles", name))
    return folder


@pytest.mark.parametrize(("name", "kind"), [("line", explanation.TERMS), ("trees", explanation.CHANGES)])
def test_a_row_is_explained_by_its_columns_the_largest_first(rows, name, kind):
    loaded = Predictor(rows / "bundles" / name)
    row = {"age": 71.0, "size": 2.5, "site": "arm", "empty": None, "constant": 3.0}
    item, why = loaded.explain(row, "row 1")
    assert item == loaded.predict(row, "row 1")
    assert why.kind == kind
    assert {line["column"]: line["value"] for line in why.columns} == row
    sizes = [abs(line["contribution"]) for line in why.columns]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > 0


def test_the_command_line_writes_what_each_answer_rests_on(image_bundles, rows, empty_folder, capsys):
    Path("a disc.png").write_bytes(drawn_image(3))
    predict.main(str(image_bundles / "bundles/net"), "a disc.png", "--explain", "why")
    assert [file.name for file in Path("why").iterdir()] == ["1-a_disc.png.png"]
    Path("rows.csv").write_text("age,size,site,empty,constant\n71,2.5,arm,,3\n30,0,leg,,3\n")
    predict.main(str(rows / "bundles/trees"), "rows.csv", "--explain", "columns")
    files = sorted(file.name for file in Path("columns").iterdir())
    assert files == ["1-rows.csv_row_1.csv", "2-rows.csv_row_2.csv"]
    assert Path("columns", files[0]).read_text().startswith("column,value,contribution\n")
    capsys.readouterr()


# importance


def test_importance_comes_from_held_out_samples(rows):
    for name in ("line", "trees"):
        table = pd.read_csv(rows / f"reports/t/figures/{name}/importance.csv")
        assert sorted(table["column"]) == ["age", "constant", "empty", "site", "size"]
        assert table["column"].iloc[0] == "age"
        assert table["importance"].is_monotonic_decreasing
        assert (table["low"] <= table["importance"]).all()
        assert (table.loc[table["column"].isin(["constant", "empty"]), "importance"] == 0).all()
        assert (rows / f"reports/t/figures/{name}/importance.png").read_bytes().startswith(b"\x89PNG")
