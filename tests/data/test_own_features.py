"""Features that the user computed: what of a file is refused, and a model that is fitted on them and answers from them."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.core import artifacts
from pipeline.core.errors import DataError, ParamsError
from pipeline.core.paths import TaskPaths
from pipeline.data import own_features
from pipeline.data.dataset import VECTOR_NAMES
from pipeline.prediction import bundle, mlflow_model, portable_files, self_test
from pipeline.prediction.decision_rule import DecisionRule
from pipeline.prediction.predictor import Predictor
from pipeline.tasks import validate
from tests.helpers.models import dataset, numbers, train_and_evaluate, write_params
from tests.helpers.samples import content, task

FILE = Path("vectors.parquet")


def table(n=4, n_features=3, key="path"):
    values = np.random.default_rng(1).normal(size=(n, n_features))
    return pd.DataFrame(values, columns=[f"f{k}" for k in range(n_features)]).assign(
        **{key: [f"{k}.png" for k in range(n)]}
    )


def refused(changed, message):
    changed.to_parquet(FILE)
    with pytest.raises(DataError, match=message):
        own_features.read(FILE)


def samples(n=4):
    label = ["a", "b"] * (n // 2)
    return pd.DataFrame(
        {"path": [f"{k}.png" for k in range(n)], "id": [f"{k:016x}" for k in range(n)], "error": "", "label": label}
    )


def test_rows_are_matched_by_path_or_id_in_any_order(empty_folder):
    by_path = table()
    by_path.sample(frac=1, random_state=2).to_parquet(FILE)
    expected = by_path[["f0", "f1", "f2"]].to_numpy(np.float32)
    np.testing.assert_array_equal(own_features.read(FILE).of_samples(samples()), expected)
    table(key="id").assign(id=samples()["id"]).sample(frac=1, random_state=3).to_parquet(FILE)
    np.testing.assert_array_equal(own_features.read(FILE).of_samples(samples()), expected)


def test_blanks_around_a_features_name_are_left_out(empty_folder):
    table().rename(columns={"f0": " f0 "}).to_parquet(FILE)
    assert own_features.read(FILE).names == ["f0", "f1", "f2"]  # as a row to predict has them
    refused(table().rename(columns={"f0": "f1 "}), r"a name of its own for each feature.* \['f1'\]")
    refused(table().rename(columns={"f0": " "}), r"found \[''\]")


def test_a_column_of_lists_is_a_vector_each(empty_folder):
    pd.DataFrame({"path": ["0.png", "1.png"], "v": [[1.0, 2.0], [3.0, 4.0]]}).to_parquet(FILE)
    own = own_features.read(FILE)
    assert own.names == ["v_0", "v_1"]
    assert own.values.tolist() == [[1, 2], [3, 4]]


def test_vectors_of_different_lengths_are_refused(empty_folder):
    lists = [[1.0, 2.0], [3.0], [1.0, 1.0]]
    refused(pd.DataFrame({"path": ["a", "b", "c"], "v": lists}), "1 vectors have not 2 numbers .+ the first 'b' with 1")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.assign(path=["a", "a", "b", "c"]), "1 values of 'path' are there twice: a"),
        (lambda t: t.assign(f1=[1, np.nan, 2, np.inf]), "2 rows have a value that is .+, the first '1.png' in 'f1'"),
        (lambda t: t.assign(f1="x"), "f1: expected columns of numbers"),
        (lambda t: t[["path"]], "holds no features"),
        (lambda t: t.drop(columns="path"), "has neither a column path nor id; it has: f0, f1, f2"),
        (lambda t: t.iloc[:0], "holds no features"),
        (lambda t: t.assign(f1=[1, 2, 1e300, 4]), "1 rows have a value that is .+ too large for float32, the first '2.png'"),
        (lambda t: t[["path"]].assign(v=[["x", "y"]] * 4), "v: expected lists of numbers"),
        (lambda t: t[["path"]].assign(v=[[]] * 4), "v: expected lists of numbers"),
        (lambda t: t[["path"]].assign(v=[[[1.0, 2.0], [3.0, 4.0]]] * 4), "v: expected lists of numbers"),
        (lambda t: t[["path"]].assign(v=[None, [1.0, 2.0], [1.0, 2.0], [1.0, 2.0]]), "not 2 numbers .+ the first '0.png'"),
    ],
)  # fmt: skip
def test_a_file_that_is_not_complete_is_refused(empty_folder, change, message):
    refused(change(table()), message)


def test_a_file_that_is_missing_or_broken_is_refused(empty_folder):
    with pytest.raises(
        DataError, match=r"there is no such file; read\.features is a path in the folder of the raw data"
    ):
        own_features.read(FILE)
    FILE.write_bytes(b"PAR1 not")
    with pytest.raises(DataError, match="is no Parquet file that can be read"):
        own_features.read(FILE)


def test_an_image_without_a_row_is_named_and_an_unreadable_one_needs_none(empty_folder):
    table(3).to_parquet(FILE)
    own = own_features.read(FILE)
    with pytest.raises(DataError, match=r"has no row for 1 of 4 images, by 'path': 3\.png; compute their features"):
        own.of_samples(samples())
    values = own.of_samples(samples().assign(error=["", "", "", "is no image"]))
    assert values[3].tolist() == [0, 0, 0]


def test_paths_spelt_otherwise_are_shown(empty_folder):
    table().assign(path=[f"images/{k}.png" for k in range(4)]).to_parquet(FILE)
    with pytest.raises(DataError, match=r"for 4 of 4 images.+all its values are others, such as 'images/0\.png'"):
        own_features.read(FILE).of_samples(samples())


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (np.arange(40) % 2, "extra says the class"),
        (np.arange(40), "extra numbers the rows in their order"),
    ],
)
def test_a_label_or_row_number_is_no_feature(empty_folder, column, message):
    write_samples(40)
    table(40).assign(extra=column).to_parquet(FILE)
    with pytest.raises(DataError, match=message):
        own_features.put_in_place("t", FILE)


def test_whole_numbers_that_say_nothing_else_are_features(empty_folder):
    write_samples(40)
    rng = np.random.default_rng(4)
    table(40).assign(extra=rng.integers(-128, 128, 40), dead=0, big=2.0**60).to_parquet(FILE)
    own_features.put_in_place("t", FILE)
    assert np.load(TaskPaths("t").embeddings).shape == (40, 6)


def write_samples(n):
    paths = TaskPaths("t")
    paths.scan.mkdir(parents=True)
    samples(n).to_csv(paths.samples, index=False)


def test_features_take_the_place_of_embeddings(empty_folder):
    paths = TaskPaths("t")
    write_samples(4)
    table().set_index("path").to_parquet(FILE)
    own_features.put_in_place("t", FILE)
    embeddings, ood = np.load(paths.embeddings), np.load(paths.scan / "ood.npy")
    assert embeddings.shape == (4, 3)
    np.testing.assert_array_equal(ood[:, :3] - ood[:, 3:], embeddings)
    assert ood.min() == 0
    assert artifacts.read_json(paths.vector_names) == ["f0", "f1", "f2"]


@pytest.fixture
def vector_bundle(empty_folder):
    """A bundle, fitted on vectors of six numbers, and these vectors."""
    X, y = numbers(120)
    names = [f"f{k}" for k in range(X.shape[1])]
    dev = dataset(X, y)
    dev.arrays["ood"] = own_features.compared(X)
    dev.arrays[VECTOR_NAMES] = np.array(json.dumps(names))
    write_params({"t-logreg": {"estimator": "logreg", "C": 0.1}}, kind="image", metric="roc_auc")
    dev.save(Path("data/t/dev.npz"))
    train_and_evaluate({"t-logreg": {}})
    rule = DecisionRule.read("t", "t-logreg")
    bundle.write(Path("out"), Path("models/t/candidates/t-logreg"), rule, {}, remake=portable_files.make)
    return Predictor("out"), pd.DataFrame(X, columns=names), dev.classes


def test_a_bundle_answers_from_vectors(vector_bundle):
    predictor, X, classes = vector_bundle
    assert predictor.info.is_vector
    assert "embedder.tflite" not in predictor.info.files
    answers = [predictor.predict(row, "x") for row in X.to_dict("records")[:40]]
    assert sum(answer["refused"] for answer in answers) < 8
    item, explanation = predictor.explain(X.iloc[0].to_dict(), "x")
    assert item == answers[0]
    assert explanation is None
    assert set(item["probabilities"]) == set(classes)
    assert self_test.golden_predictions(predictor)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"f2": None}, "no value of 'f2', which every training row had"),
        ({"f2": 1e300}, "feature 'f2' is missing or too large for float32; expected 6 numbers"),
        ({"f2": "much"}, "f2"),
        ({"f0": 1e6, "f3": -1e6}, "too different from the training data"),
    ],
)
def test_a_vector_that_is_not_usable_gets_no_answer(vector_bundle, change, message):
    predictor, X, _ = vector_bundle
    item = predictor.predict(X.iloc[0].to_dict() | change, "x")
    assert item["refused"]
    assert message in item["reason"]


def test_an_image_or_a_row_of_another_width_is_refused(vector_bundle):
    predictor, X, _ = vector_bundle
    assert "comes without what the model takes" in predictor.predict(b"an image", "x")["reason"]
    assert "missing columns: f5" in predictor.predict(X.iloc[0].drop("f5").to_dict(), "x")["reason"]


def test_what_a_vector_bundle_expects_is_written_everywhere(vector_bundle):
    predictor, X, _ = vector_bundle
    assert "a vector of 6 features of an image" in Path("out/README.md").read_text()
    assert list(mlflow_model.inputs(predictor.info)) == list(X)
    lines = Path("out/README.md").read_text().split("```python\n")[1].split("```")[0]
    assert "model.joblib" in lines
    table = mlflow_model.BundleModel(predictor).predict(X[:3])
    assert table["proba_malignant"].notna().sum() == (~table["refused"]).sum()


@pytest.mark.parametrize(
    ("own", "message"),
    [
        (
            {"estimator": "mobilenetv2", "features": "embedding"},
            "tasks.skin.read.features are in the place of the embedding",
        ),
        ({"estimator": "logreg", "features": ["embedding", "columns"]}, "logreg on embedding.columns cannot take them"),
    ],
)
def test_models_that_need_the_image_are_refused(own, message):
    everything = content(task(read={"csv": "a.csv", "features": "v.parquet"}, preprocess={"columns": ["age"]}))
    everything["models"]["skin-dummy"] |= own
    with pytest.raises(ParamsError, match=message):
        validate.check(everything)
