"""Clinical columns take part in every answer, the same ones wherever it is asked for."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline import predict, select_best
from pipeline.core import artifacts, params, params_models
from pipeline.core.errors import DataError, ParamsError
from pipeline.data.dataset import Dataset
from pipeline.data.image_with_columns import ImageWithColumns, has_columns, image_part
from pipeline.estimators import dummy, knn, logreg, random_forest
from pipeline.evaluation.new_data import held_out
from pipeline.prediction import explanation, mlflow_model, self_test
from pipeline.prediction.decision_rule import DecisionRule
from pipeline.prediction.predictor import Predictor
from pipeline.tasks import validate
from pipeline.training.cross_fit import probabilities
from tests.helpers.models import export, image_project, mixed, numbers, train_and_evaluate
from tests.helpers.samples import content, task

WITH_COLUMNS = ["embedding", "columns"]
MODELS = {
    "line": {"estimator": "logreg", "features": WITH_COLUMNS},
    "near": {"estimator": "knn", "features": WITH_COLUMNS, "n_neighbors": 3},
    "forest": {"estimator": "random_forest", "features": ["classical", "columns"], "n_estimators": 10},
}
N = 24


@pytest.fixture(scope="module")
def project(tmp_path_factory, program) -> Path:
    """A project of drawn images with age (tells the class), sex and site; a bundle in bundles/ for each model."""
    folder = tmp_path_factory.mktemp("columns")
    rng = np.random.default_rng(3)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        dev = image_project(tmp_path_factory.getbasetemp(), MODELS, program)
        dev.arrays["column:age"] = np.where(rng.random(N) < 0.1, np.nan, 40 + 20.0 * dev.y + rng.normal(size=N))
        dev.arrays["column:sex"] = rng.choice(["female", "male", ""], N)
        dev.save(Path("data/t/dev.npz"))
        dev.rows(np.arange(N)).fold[:] = -1
        dev.save(Path("data/t/test.npz"))
        train_and_evaluate(MODELS)
        for name in MODELS:
            export(name, Path("bundles") / name, DecisionRule.read("t", name))
    return folder


def row_of(dev: Dataset, row: int) -> dict[str, object]:
    """Return the cells of a sample as somebody would enter them."""
    age = dev.arrays["column:age"][row]
    return {"age": None if np.isnan(age) else float(age), "sex": str(dev.arrays["column:sex"][row])}


@pytest.mark.parametrize("name", MODELS)
def test_an_image_with_columns_scores_as_in_the_pipeline(project, monkeypatch, name):
    monkeypatch.chdir(project)
    dev, bundle = Dataset.load(Path("data/t/dev.npz")), Predictor(f"bundles/{name}")
    X = dev.X(bundle.info.features)
    for row in range(0, N, 5):
        sample = bundle.load((Path(f"raw/{row}.png").read_bytes(), row_of(dev, row)))
        features = sample.features
        assert features.image.tobytes() == X[row : row + 1].image.tobytes()
        pd.testing.assert_frame_equal(features.columns, X[row : row + 1].columns.reset_index(drop=True))
        assert np.array_equal(bundle.score(sample).raw, probabilities(bundle.model, X[row : row + 1])[0])


def test_columns_change_the_answer_and_missing_values_are_imputed(project, monkeypatch):
    monkeypatch.chdir(project)
    bundle, data = Predictor("bundles/line"), Path("raw/0.png").read_bytes()
    p = {age: bundle.predict((data, {"age": age, "sex": "male"}), "x")["probabilities"] for age in (40, 60, None)}
    assert p[40]["malignant"] < p[None]["malignant"] < p[60]["malignant"]


def test_the_reports_of_the_test_set_are_made_of_both(project, monkeypatch):
    monkeypatch.chdir(project)
    select_best.main("t")
    winner = artifacts.read_json("reports/t/selection.json")["winner"]
    dev = Dataset.load(Path("data/t/test.npz"))
    predicted = held_out.predict_test(Path(f"bundles/{winner}"), dev, Path("raw"), 1, "t")
    bundle = Predictor("models/t/best")
    row = 3
    same = bundle.score(bundle.load((Path(f"raw/{row}.png").read_bytes(), row_of(dev, row)))).proba
    assert predicted.proba[row] == pytest.approx(same, abs=1e-9)
    assert predicted.refused.shape == (N,)
    self_test.check(bundle)


def test_missing_or_wrong_columns_are_refused_with_the_reason(project, monkeypatch):
    monkeypatch.chdir(project)
    bundle, data = Predictor("bundles/line"), Path("raw/0.png").read_bytes()
    message = {
        "comes without what the model takes with an image: age, sex": data,
        "missing columns: sex; expected: age, sex": (data, {"age": 50}),
        "column 'age': found 'old'; expected a number": (data, {"age": "old", "sex": "male"}),
        "far outside the range of the training data: 'age' is 900": (data, {"age": 900, "sex": "male"}),
    }
    for reason, sample in message.items():
        item = bundle.predict(sample, "x")
        assert item["class"] == ""
        assert reason in item["reason"]


@pytest.mark.parametrize("name", MODELS)
def test_an_explanation_covers_the_image_and_each_column(project, monkeypatch, name):
    monkeypatch.chdir(project)
    bundle = Predictor(f"bundles/{name}")
    item, why = bundle.explain((Path("raw/1.png").read_bytes(), {"age": 65, "sex": "female"}), "x")
    assert np.shape(why.map) == ((7, 7) if name == "forest" else (13, 13))
    assert why.png[:4] == b"\x89PNG"
    assert {line["column"] for line in why.columns} == {"age", "sex"}
    assert item["class"]


def test_contributions_of_a_logistic_regression_sum_to_the_log_odds(project, monkeypatch):
    monkeypatch.chdir(project)
    bundle, sample = Predictor("bundles/line"), (Path("raw/1.png").read_bytes(), {"age": 55.5, "sex": "female"})
    _, why = bundle.explain(sample, "x")
    item = bundle.predict(sample, "x")
    p = float(bundle.score(bundle.load(sample)).raw[bundle.classes.index(item["class"])])
    total = np.mean(why.map) + sum(line["contribution"] for line in why.columns)
    assert total == pytest.approx(np.log(p / (1 - p)), abs=1e-4)
    assert why.kind == explanation.ACTIVATION


def test_the_command_line_takes_columns_or_a_csv(project, monkeypatch, capsys):
    monkeypatch.chdir(project)
    predict.main("bundles/line", "raw/0.png", "--column", "age=62", "--column", "sex=", "--format", "json")
    (alone,) = json.loads(capsys.readouterr().out)
    table = io.StringIO()
    csv.writer(table).writerows(
        [["path", "age", "sex", "more"], ["raw/0.png", 62, "", "x"], ["raw/1.png", "", "male", ""]]
    )
    Path("patients.csv").write_text(table.getvalue())
    predict.main("bundles/line", "patients.csv", "--format", "json")
    first, second = json.loads(capsys.readouterr().out)
    assert first == alone
    assert second["class"]
    with pytest.raises(DataError, match="--column: found weight; expected age, sex"):
        predict.main("bundles/line", "raw/0.png", "--column", "weight=62")
    with pytest.raises(DataError, match="1 of 1 inputs could not be used"):
        predict.main("bundles/line", "raw/0.png", "--column", "age=62")
    assert "missing columns: sex" in capsys.readouterr().out
    Path("few.csv").write_text("path,age\nraw/0.png,1\n")
    with pytest.raises(DataError, match="could not be used"):
        predict.main("bundles/line", "few.csv")
    assert "has no column 'sex'" in capsys.readouterr().out


def test_a_registered_model_takes_the_image_and_its_columns(project, monkeypatch):
    monkeypatch.chdir(project)
    bundle = Predictor("bundles/line")
    assert mlflow_model.inputs(bundle.info) == {"image": "binary", "age": "any", "sex": "any"}
    example = mlflow_model.example(bundle.info)
    assert list(example) == ["image", "age", "sex"]
    answers = mlflow_model.BundleModel(bundle).predict(pd.concat([example, example.assign(age=np.nan)]))
    assert answers["reason"].tolist()[0] == bundle.predict((example["image"][0], row(example)), "x")["reason"]
    assert len(answers) == 2


def row(example: pd.DataFrame) -> dict[str, object]:
    """Return the columns of the first row."""
    return example.drop(columns="image").to_dict("records")[0]


@pytest.mark.parametrize("module", [logreg, knn, random_forest, dummy])
def test_every_estimator_fits_images_with_columns(module):
    table, y = mixed(60)
    X = ImageWithColumns(numbers(60)[0], table)
    model = module.build(module.Params(), 7).fit(X, y)
    together = probabilities(model, X)
    assert together.shape == (60, 2)
    assert probabilities(model, X[4:5]) == pytest.approx(together[4:5], abs=1e-6)
    assert X[np.array([3, 1])].columns.index.tolist() == [3, 1]
    assert X.shape == (60, 11)


def test_a_fold_is_imputed_from_the_other_folds():
    table, y = mixed(40)
    X = ImageWithColumns(numbers(40)[0], table)
    other = table.assign(site="nowhere").astype({"site": object})
    model = logreg.build(logreg.Params(), 7).fit(X[:30], y[:30])
    unknown = probabilities(model, ImageWithColumns(X.image[30:], other[30:]))
    assert np.isfinite(unknown).all()  # a category that was never seen is all zeros


def test_names_of_features_are_taken_apart_and_put_together():
    assert [has_columns(word) for word in ("embedding+columns", "embedding", "columns")] == [True, False, False]
    assert [image_part(word) for word in ("classical+columns", "embedding")] == ["classical", "embedding"]


@pytest.mark.parametrize(
    ("model", "preprocess", "error"),
    [
        ({"features": ["columns", "embedding"]}, {"columns": ["age"]}, r"found \['columns', 'embedding'\]; a list names"),
        ({"estimator": "mobilenetv2", "features": WITH_COLUMNS}, {"columns": ["age"]},
         "mobilenetv2 uses images alone; clinical columns can be used by: dummy, hist_gradient_boosting, knn, logreg, mean"),
        ({"estimator": "logreg", "features": WITH_COLUMNS}, {}, r"no columns are named; .* in tasks.skin.preprocess.columns"),
        ({}, {"columns": ["age", "age"]}, "preprocess.columns: names a column twice"),
    ],
)  # fmt: skip
def test_check_says_what_columns_beside_an_image_need(model, preprocess, error):
    everything = content(task(preprocess=preprocess, read={"csv": "labels.csv"}))
    everything["models"]["skin-dummy"] |= model
    with pytest.raises(ParamsError, match=error):
        validate.check(everything)


def test_check_refuses_columns_of_class_folders_and_tables():
    with pytest.raises(ParamsError, match=r"preprocess.columns: class folders have no columns"):
        validate.check(content(task(preprocess={"columns": ["age"]})))
    with pytest.raises(ParamsError, match=r"preprocess.columns: is for images; in a table all columns are features"):
        validate.check(content(task("table", preprocess={"columns": ["age"]})))
    everything = content(task(preprocess={"columns": ["age"]}, read={"csv": "labels.csv"}))
    everything["models"]["skin-dummy"]["features"] = WITH_COLUMNS
    validate.check(everything)
    assert (
        params.parse(params_models.ModelParams, everything["models"]["skin-dummy"], "m").features == "embedding+columns"
    )


def test_columns_weigh_as_much_as_the_image():
    table, y = mixed(100)
    X = ImageWithColumns(numbers(100, n_features=1280)[0], table[["age", "site"]])
    prepared = logreg.build(logreg.Params(), 7).fit(X, y)["prepare"].transform(X)
    spread = (prepared[:, :1280].var(axis=0).sum(), prepared[:, 1280:].var(axis=0).sum())
    assert 0.2 < spread[1] / spread[0] <= 1  # categories vary less than standardised numbers
