"""Every way to a prediction, asked by many threads at once, answers each sample as a Predictor alone does."""

import numpy as np
import pandas as pd
import pytest

from app import champions
from pipeline.prediction.predictor import Predictor
from tests.e2e.test_api import served
from tests.helpers.threads import (
    KeptOpen,
    ask_at_once,
    asking,
    distinct_images,
    essence,
    mlflow_model,
    mlflow_serving,
    of_mlflow,
)

pytestmark = pytest.mark.filterwarnings("ignore")  # of MLflow's imports
CALLS, CONNECTIONS = 96, 16  # 10,000 in soak/test_threads.py


@pytest.fixture(scope="module")
def images():
    return distinct_images(24)


@pytest.fixture(scope="module")
def expected(small, images):
    """The answers of a Predictor that one thread asks; they differ."""
    loaded = Predictor(small.folder / "models/lesions/best")
    result = [essence(loaded.predict(image, "")) for image in images]
    assert len(set(result)) == len(images)
    return result


@pytest.fixture(scope="module")
def rows(small):
    """Rows of the table task with whole numbers only."""
    fields = Predictor(small.folder / "models/breast/best").info.schema
    return [{field.name: int(field.default) + n for field in fields} for n in range(12)]


def test_the_mlflow_model_answers_threads(small, images, expected):
    outcome = ask_at_once(asking(mlflow_model(small.folder, "lesions")), images, expected, CALLS, 8)
    assert (outcome.errors, outcome.differences) == ([], 0)


def test_the_api_answers_16_connections(small, images, expected):
    with served(small.folder) as (client, _, _):
        outcome = ask_at_once(KeptOpen(client.port).api, images, expected, CALLS, CONNECTIONS)
    assert (outcome.errors, outcome.differences) == ([], 0)


def test_the_page_predict_answers_sessions_at_once(small, images, expected, tmp_path, monkeypatch):
    monkeypatch.chdir(small.folder)
    monkeypatch.setattr("pipeline.core.paths.MONITOR", tmp_path)
    champions.recorder.clear()
    champion, _ = champions.champion("lesions")
    outcome = ask_at_once(lambda image: essence(champion.predict(image, "a")), images, expected, CALLS, 8)
    champions.recorder().flush()
    assert (outcome.errors, outcome.differences) == ([], 0)


def test_whole_numbers_are_accepted_where_the_model_takes_floats(small, rows):
    model = mlflow_model(small.folder, "breast")
    loaded = Predictor(small.folder / "models/breast/best")
    expected = [essence(loaded.predict(row, "")) for row in rows]
    table = pd.DataFrame(rows)
    assert set(table.dtypes) == {np.dtype("int64")}
    for given in (table, table.astype("int32"), table.astype("Int64"), table.astype(float), table.astype(object)):
        assert [of_mlflow(row) for row in model.predict(given).to_dict("records")] == expected


def test_whole_numbers_beside_missing_ones_are_accepted(small, rows):
    model = mlflow_model(small.folder, "breast")
    first, *_ = rows[0]
    gaps = [rows[0] | {first: None}, rows[1]]
    loaded = Predictor(small.folder / "models/breast/best")
    expected = [essence(loaded.predict(row, "")) for row in gaps]
    for given in (pd.DataFrame(gaps), pd.DataFrame(gaps).astype("Int64"), pd.DataFrame(gaps, dtype=object)):
        assert [of_mlflow(row) for row in model.predict(given).to_dict("records")] == expected


def test_mlflow_models_serve_takes_whole_and_missing_numbers(small, rows):
    """Images by the same way are in soak/test_threads.py."""
    loaded = Predictor(small.folder / "models/breast/best")
    first, *_ = rows[0]
    samples = [*rows, *(row | {first: None} for row in rows)]
    expected = [essence(loaded.predict(row, "")) for row in samples]
    with mlflow_serving(small.folder, "breast") as server:
        outcome = ask_at_once(server.invocation, samples, expected, CALLS, CONNECTIONS)
    assert (outcome.errors, outcome.differences) == ([], 0)
