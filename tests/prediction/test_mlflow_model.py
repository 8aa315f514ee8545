"""The model that MLflow loads answers as the Predictor does."""

import numpy as np
import pandas as pd
import pytest

from pipeline.prediction import mlflow_model
from pipeline.prediction.bundle import BundleInfo
from pipeline.prediction.predictor import Predictor
from tests.helpers.models import KERAS_NOISE, drawn_image

pytestmark = pytest.mark.filterwarnings(KERAS_NOISE)


def answers_of(table: pd.DataFrame) -> list[tuple]:
    return list(zip(table["class"], table["reason"], table["proba_malignant"].round(6), strict=True))


def expected(items: list[dict]) -> list[tuple]:
    shares = [item["probabilities"].get("malignant", np.nan) for item in items]
    return [(item["class"], item["reason"], share) for item, share in zip(items, shares, strict=True)]


def test_requirements_name_the_package_of_the_estimators_class():
    info = BundleInfo(
        "table", ["a", "b"], "columns", {}, {}, versions={"python": "3.11.2", "lightgbm": "4.7.0", "own": "sha256:ab"}
    )
    listed = mlflow_model.requirements(info)
    assert listed[-1] == "lightgbm==4.7.0"
    assert [line.partition("==")[0] for line in listed[:-1]] == list(mlflow_model.PACKAGES)


def test_rows_are_answered_in_order_with_reasons(table):
    rows = [{"age": 61.5, "size": 0.2, "site": "arm", "empty": None, "constant": 3}]
    rows += [rows[0] | {"age": None, "site": None}, rows[0] | {"size": 0.9}]
    model, predictor = mlflow_model._load_pyfunc(str(table / "best")), Predictor(table / "best")
    answered = model.predict(pd.DataFrame(rows))
    assert answers_of(answered) == expected([predictor.predict(row, "") for row in rows])
    assert list(answered) == list(mlflow_model.outputs(predictor.info))


def test_a_column_that_may_be_missing_may_be_left_out_and_is_named(table):
    row = {"age": 61.5, "size": 0.2, "site": "arm", "empty": None, "constant": 3}
    model = mlflow_model._load_pyfunc(str(table / "best"))
    whole = model.predict(pd.DataFrame([row])).iloc[0]
    without = model.predict(pd.DataFrame([row]).drop(columns="empty")).iloc[0]
    assert without["proba_malignant"] == whole["proba_malignant"]
    assert without["reason"] == "no column 'empty': counts as missing"


def test_no_column_has_a_type_that_rejects_a_whole_table(table):
    info = Predictor(table / "best").info
    assert set(mlflow_model.inputs(info).values()) == {"any"}


@pytest.mark.parametrize("cell", ["image.png", np.nan, np.zeros((2, 2))])
def test_what_is_no_file_has_a_reason_and_the_others_are_answered(image_bundles, cell):
    model = mlflow_model._load_pyfunc(str(image_bundles / "bundles/near"))
    answered = model.predict(pd.DataFrame({"image": [cell, drawn_image(1)]}))
    assert answered["reason"][0].startswith("is no image file: found ")
    assert not answered["reason"][1].startswith("is no image file")


def test_images_are_answered_and_unreadable_ones_have_a_reason(image_bundles):
    files = [drawn_image(1), b"no image", drawn_image(2)]
    model, predictor = (
        mlflow_model._load_pyfunc(str(image_bundles / "bundles/near")),
        Predictor(image_bundles / "bundles/near"),
    )
    answered = model.predict(pd.DataFrame({"image": files}))
    items = expected([predictor.predict(data, "") for data in files])
    assert answers_of(answered)[::2] == items[::2]
    assert np.isnan(answered["proba_malignant"][1])
    assert answered["reason"][1] == items[1][1] != ""


@pytest.mark.parametrize(("project", "bundle"), [("table", "best"), ("image_bundles", "bundles/near")])
def test_the_example_fits_the_signature_and_is_answered(project, bundle, request):
    model = mlflow_model._load_pyfunc(str(request.getfixturevalue(project) / bundle))
    example = mlflow_model.example(model.predictor.info)
    assert list(example) == list(mlflow_model.inputs(model.predictor.info))
    assert len(model.predict(example)) == 1
