"""The mean of the two best estimators: its keys, and that it goes through every stage as any model does."""

import json
from pathlib import Path

import joblib
import numpy as np
import pytest

from pipeline import evaluate, learning_curve, select_best, train
from pipeline.core.errors import ParamsError
from pipeline.estimators import mean_of_two
from pipeline.prediction import bundle
from pipeline.prediction.predictor import Predictor
from tests.helpers.models import dataset, drawn_image, image_project, mixed, write_params

OF = {"logreg": {"C": [0.1, 1.0]}, "knn": {"n_neighbors": 5}, "random_forest": {"n_estimators": 10}}


def check(of):
    mean_of_two.check(mean_of_two.Params(of=of), "columns", "params.yaml: models.m")


def test_defaults_are_members_with_valid_keys():
    check(mean_of_two.Params().of)


@pytest.mark.parametrize(
    ("of", "message"),
    [
        ({"logreg": {"C": []}, "knn": {}}, "models.m.of.logreg: found a list without a value"),
        ({"logreg": {}, "mobilenetv2": {}}, "'mobilenetv2' cannot be a member; expected at least two of logreg"),
        (
            {"logreg": {"c": 1.0}, "knn": {}},
            "params.yaml: models.m.of.logreg.c: unknown key; known here: C, class_weight",
        ),
        ({"logreg": {"C": [1.0, -1.0]}, "knn": {}}, "params.yaml: models.m.of.logreg.C: found -1.0"),
    ],
)
def test_wrong_members_are_refused(of, message):
    with pytest.raises(ParamsError) as error:
        check(of)
    assert message in str(error.value)


def test_neighbours_have_to_fit_an_inner_part():
    mean_of_two.check_size(mean_of_two.Params(of=OF), 8, "w")
    with pytest.raises(ParamsError, match=r"w.of.knn.n_neighbors: found 5; a training fold has 4 samples only"):
        mean_of_two.check_size(mean_of_two.Params(of=OF), 7, "w")


def test_two_members_have_to_fit_an_inner_part():
    params = mean_of_two.Params(of={"logreg": {}, "random_forest": {"min_samples_leaf": 20}})
    mean_of_two.check_size(params, 60, "w")
    with pytest.raises(ParamsError, match=r"w.of: of logreg, random_forest only logreg can be fitted on 39 samples"):
        mean_of_two.check_size(params, 59, "w")


def test_the_mean_is_trained_selected_exported_and_explained(empty_folder):
    write_params({"m": {"estimator": "mean_of_two", "of": OF}})
    X, y = mixed(120)
    dev = dataset(X, y, np.arange(120) // 2)
    dev.save(Path("data/t/dev.npz"))
    train.main("m")
    evaluate.main("t")
    select_best.main("t")
    learning_curve.main("t")
    assert "reason" not in {k for k, v in json.loads(Path("reports/t/learning_curve.json").read_text()).items() if v}
    predictor = Predictor("models/t/best")
    chosen = predictor.info.hyperparameters["mean_of"]
    assert len(chosen) == 2
    assert chosen.keys() < OF.keys()
    assert set(bundle.read(Path("models/t/best")).files) == {"model.joblib", "README.md"}
    row = X.iloc[0].where(X.iloc[0].notna(), None).to_dict()
    item, explanation = predictor.explain(row, "row")
    loaded = joblib.load("models/t/best/model.joblib")
    np.testing.assert_allclose(loaded.predict_proba(X[:1])[0], list(item["probabilities"].values()), atol=2e-6)
    assert {part["column"] for part in explanation.columns} == set(X)


def test_the_mean_works_on_images_and_is_explained_there(empty_folder, tmp_path_factory):
    of = {"logreg": {"C": 0.001}, "random_forest": {"n_estimators": 5}, "knn": {"n_neighbors": 3}}
    image_project(tmp_path_factory.getbasetemp(), {"m": {"estimator": "mean_of_two", "of": of}})
    train.main("m")
    evaluate.main("t")
    select_best.main("t")
    predictor = Predictor("models/t/best")
    item, explanation = predictor.explain(drawn_image(3), "image")
    loaded = joblib.load("models/t/best/model.joblib")
    proba = loaded.predict_proba(predictor.load(drawn_image(3)).features)[0]
    assert dict(zip(loaded.classes_, proba, strict=True)) == pytest.approx(item["probabilities"], abs=2e-6)
    assert explanation.png.startswith(b"\x89PNG")
