"""The same answer as in the pipeline, however a sample comes in."""

import copy
import hashlib
import json
import os
import pickle
import shutil
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import joblib
import numpy as np
import pytest

from pipeline import train
from pipeline.core.errors import BundleError
from pipeline.data.dataset import Dataset
from pipeline.prediction import bundle, self_test
from pipeline.prediction.decision_rule import Calibration, DecisionRule, calibrate, decide
from pipeline.prediction.predictor import Predictor
from tests.helpers.models import KERAS_NOISE, dataset, drawn_image, export, folder_of, learnt_head, mixed, write_params
from tests.helpers.predictors import IMAGE_MODELS, KEYS, rewrite

pytestmark = pytest.mark.filterwarnings(KERAS_NOISE)
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(("name", "features"), [("near", "embedding"), ("colours", "classical")])
def test_files_get_the_features_and_answers_of_the_pipeline(image_bundles, name, features):
    loaded = Predictor(image_bundles / "bundles" / name)
    dev = Dataset.load(image_bundles / "data/t/dev.npz")
    model = joblib.load(image_bundles / "models/t/candidates" / name / "model.joblib")
    proba = model.predict_proba(dev.X(features))
    for row in range(len(dev.y)):
        result = loaded.load((image_bundles / "raw" / dev.path[row]).read_bytes())
        np.testing.assert_array_equal(result.features, dev.X(features)[row : row + 1])
        # a batch's distances are computed together and differ in the last digits
        np.testing.assert_allclose(loaded.score(result).proba, proba[row], atol=1e-6)
        item = loaded.predict((image_bundles / "raw" / dev.path[row]).read_bytes(), "a")
        assert item["class"] == dev.classes[decide(proba[row : row + 1], loaded.rule)[0]]
        assert item["probabilities"] == pytest.approx(dict(zip(dev.classes, proba[row], strict=True)), abs=1e-6)


def test_a_network_classifies_its_training_images(image_bundles):
    loaded = Predictor(image_bundles / "bundles/net")
    answers = [loaded.predict((image_bundles / f"raw/{k}.png").read_bytes(), "")["class"] for k in range(24)]
    assert answers == ["benign", "malignant"] * 12


def test_a_row_of_text_gives_the_features_of_the_pipeline(table):
    loaded = Predictor(table / "best")
    X = Dataset.load(table / "data/t/dev.npz").X("columns")
    model = joblib.load(table / "models/t/candidates/line/model.joblib")
    for row in range(20):
        cells = {name: "" if value != value else str(value) for name, value in X.iloc[row].items()}
        result = loaded.load(cells)
        assert result.features.to_frame().equals(X.iloc[row : row + 1].reset_index(drop=True))
        np.testing.assert_allclose(
            loaded.score(result).proba, model.predict_proba(X.iloc[row : row + 1])[0], atol=1e-12
        )


def test_the_same_bytes_get_the_same_item_whatever_came_before(image_bundles):
    loaded = Predictor(image_bundles / "bundles/near")
    first = loaded.predict(drawn_image(3), "a")
    loaded.predict(drawn_image(4), "b")
    loaded.predict(b"not an image", "c")
    assert loaded.predict(drawn_image(3), "a") == first
    assert Predictor(image_bundles / "bundles/near").predict(drawn_image(3), "a") == first


@pytest.mark.parametrize("threshold", [0.0, 0.7, 1.0])
def test_the_decision_of_two_classes_states_the_threshold(image_bundles, tmp_path, threshold, monkeypatch):
    monkeypatch.chdir(image_bundles)
    loaded = Predictor(export("near", tmp_path / "best", DecisionRule(threshold)))
    item = loaded.predict(drawn_image(1), "a.png")
    p = item["probabilities"]["malignant"]
    assert item["class"] == ("malignant" if p >= threshold else "benign")
    sign = "at or above" if p >= threshold else "below"
    assert item["decision"] == f"{item['class']}: the probability of malignant is {sign} {threshold:g}"


def test_every_probability_shown_or_stored_is_calibrated(image_bundles, tmp_path, monkeypatch):
    monkeypatch.chdir(image_bundles)
    sigmoid = Calibration("sigmoid", slope=0.2, intercept=1.2)
    rule = DecisionRule(0.6, sigmoid, "a sensitivity of at least 0.9")
    plain = Predictor(export("near", tmp_path / "plain", DecisionRule(0.6)))
    loaded = Predictor(export("near", tmp_path / "best", rule))
    raw = np.stack([plain.score(plain.load(drawn_image(seed))).proba for seed in range(6)])
    expected = calibrate(raw, rule)
    assert np.abs(expected - raw).max() > 0.05
    for row in range(6):
        item = loaded.predict(drawn_image(row), "a.png")
        assert item["probabilities"] == {
            name: round(p, 6) for name, p in zip(loaded.classes, expected[row], strict=True)
        }
        assert item["class"] == loaded.classes[decide(expected[row : row + 1], rule)[0]]
        assert item["decision"].endswith("0.6, chosen for a sensitivity of at least 0.9")
        assert loaded.score(loaded.load(drawn_image(row))).proba.tobytes() == expected[row].tobytes()
    for first, other in zip(self_test.golden_predictions(loaded), self_test.golden_predictions(plain), strict=True):
        assert first.probabilities == calibrate(np.array([other.probabilities]), rule)[0].tolist()


def test_the_decision_of_more_classes_names_the_most_probable(empty_folder):
    write_params({"line": {"estimator": "logreg"}})
    X, y = mixed(100, 4)
    dataset(X, y).save(Path("data/t/dev.npz"))
    train.main("line")
    item = Predictor(export("line", Path("best"))).predict(X.iloc[0].to_dict(), "row")
    best = max(item["probabilities"], key=item["probabilities"].get)
    assert item["class"] == best
    assert item["decision"] == f"{best} is the most probable class"
    assert list(item["probabilities"]) == ["adeno", "large cell", "normal", "squamous"]


def test_every_item_has_the_keys_of_the_contract(image_bundles):
    loaded = Predictor(image_bundles / "bundles/near")
    good, bad = loaded.predict(drawn_image(1), "a.png"), loaded.predict(b"", "b.png")
    assert list(good) == list(bad) == KEYS
    assert (good["refused"], good["reason"]) == (False, "")
    assert sum(good["probabilities"].values()) == pytest.approx(1, abs=1e-5)
    assert bad == {
        "file": "b.png",
        "class": "",
        "probabilities": {},
        "decision": "",
        "refused": True,
        "reason": "not a readable image (0 bytes)",
    }


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"age": "1"}, "missing columns: size, site, empty, constant"),
        ({"age": "x", "size": "1", "site": "", "empty": "", "constant": ""}, "column 'age': found 'x'; expected a num"),
    ],
)
def test_a_bad_row_is_an_item_with_a_reason(table, row, message):
    item = Predictor(table / "best").predict(row, "row 1")
    assert item["refused"]
    assert message in item["reason"]


def test_an_altered_model_is_never_loaded(table, tmp_path):
    shutil.copytree(table / "best", tmp_path / "best")
    data = (tmp_path / "best/model.joblib").read_bytes()
    (tmp_path / "best/model.joblib").write_bytes(data[:-1] + b"!")
    with pytest.raises(BundleError, match=r"model\.joblib does not match bundle\.json"):
        Predictor(tmp_path / "best")


def test_a_bundle_without_a_model_is_refused(table, tmp_path):
    content = json.loads((table / "best/bundle.json").read_text()) | {"files": {}}
    (tmp_path / "bundle.json").write_text(json.dumps(content))
    with pytest.raises(BundleError, match=r"names no model, or one without model\.npz: run 'dvc repro'"):
        Predictor(tmp_path)


def test_a_loaded_bundle_does_not_need_its_files_any_more(table, tmp_path):
    shutil.copytree(table / "best", tmp_path / "best")
    loaded = Predictor(tmp_path / "best")
    before = loaded.predict({"age": 1, "size": 2, "site": "arm", "empty": None, "constant": 3}, "row")
    shutil.rmtree(tmp_path / "best")
    assert loaded.predict({"age": 1, "size": 2, "site": "arm", "empty": None, "constant": 3}, "row") == before


@pytest.mark.parametrize(
    ("name", "absent"),
    [
        ("net", {"tensorflow", "keras", "mlflow", "pandas", "sklearn", "matplotlib", "scipy"}),
        ("near", {"tensorflow", "keras", "mlflow", "matplotlib"}),
        ("colours", {"tensorflow", "keras", "mlflow", "matplotlib"}),
    ],
)
def test_serving_images_imports_nothing_that_it_does_not_need(image_bundles, name, absent):
    code = (
        "import sys; from pipeline import predict; "
        f"predict.main('bundles/{name}', 'raw/1.png', '--format', 'json'); "
        "print(*sorted(name for name in sys.modules if '.' not in name), file=sys.stderr)"
    )
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], cwd=image_bundles, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert not absent & set(done.stderr.split())


def test_serving_a_table_imports_neither_tensorflow_nor_mlflow(table):
    code = (
        "import sys; from pipeline import predict; predict.main('best', 'good.csv'); "
        "sys.exit(bool({'tensorflow', 'keras', 'mlflow', 'matplotlib'} & set(sys.modules)))"
    )
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    assert subprocess.run([sys.executable, "-c", code], cwd=table, env=env, capture_output=True).returncode == 0


def test_a_network_bundle_holds_keras_and_litert_files(image_bundles, tmp_path_factory):
    info = bundle.read(image_bundles / "bundles/net").info
    assert sorted(info.files) == ["known.npz", "model.keras", "model.npz", "model.tflite"]
    assert info.features == "pixels"
    learnt = learnt_head(tmp_path_factory.getbasetemp()) / "head/model.keras"
    assert (image_bundles / "bundles/net/model.keras").read_bytes() == learnt.read_bytes()


@pytest.mark.parametrize("name", IMAGE_MODELS)
def test_threads_get_the_answer_to_their_own_image(image_bundles, name):
    files = [drawn_image(seed) for seed in range(16)]
    expected = [alone(image_bundles / "bundles" / name, file) for file in files]
    assert {item["class"] for item in expected} == {"benign", "malignant"}
    assert answers_of_threads(Predictor(image_bundles / "bundles" / name), files) == expected * 6


def test_threads_get_the_answer_to_their_own_row(table):
    rows = [{"age": age, "size": age / 50, "site": "arm", "empty": None, "constant": 3} for age in range(20, 84, 4)]
    expected = [alone(table / "best", row) for row in rows]
    assert len({str(item) for item in expected}) == 16
    assert answers_of_threads(Predictor(table / "best"), rows) == expected * 6


@pytest.mark.parametrize("name", ["line", "mean"])
def test_threads_leave_the_warnings_filters_unchanged(table, tmp_path, name):
    with folder_of(table):
        folder = export(name, tmp_path / "best")
    rows = [{"age": age, "size": 1, "site": "arm", "empty": None, "constant": 3} for age in range(20, 84, 4)]
    before = list(warnings.filters)
    answers_of_threads(Predictor(folder), rows)
    assert warnings.filters == before


def alone(folder, sample):
    """Return the item of a Predictor that answers nothing else."""
    return Predictor(folder).predict(sample, "a")


def answers_of_threads(loaded, samples):
    """Return the items of the samples, six times over, as eight threads get them that are switched as often as can be."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(8) as pool:
            return list(pool.map(lambda sample: loaded.predict(sample, "a"), samples * 6))
    finally:
        sys.setswitchinterval(usual)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda loaded: pickle.loads(pickle.dumps(loaded))])
def test_a_copy_gives_the_same_answer(image_bundles, copied):
    for name in IMAGE_MODELS:
        loaded = Predictor(image_bundles / "bundles" / name)
        answer = loaded.predict(drawn_image(3), "a")
        assert copied(loaded).predict(drawn_image(3), "a") == answer


def test_the_id_is_the_model_and_the_hash(image_bundles):
    loaded = Predictor(image_bundles / "bundles/near")
    sha256 = hashlib.sha256((image_bundles / "bundles/near/bundle.json").read_bytes()).hexdigest()
    assert loaded.id == f"near@{sha256[:12]}"


def test_a_bundle_with_an_unexpected_hash_is_not_loaded(table, tmp_path):
    shutil.copytree(table / "best", tmp_path / "best")
    sha256 = hashlib.sha256((tmp_path / "best/bundle.json").read_bytes()).hexdigest()
    Predictor(tmp_path / "best", sha256)
    (tmp_path / "best/model.joblib").write_bytes(b"code of a stranger")
    rewrite(tmp_path / "best", files={"model.joblib": hashlib.sha256(b"code of a stranger").hexdigest()})
    with pytest.raises(BundleError, match=r"bundle\.json is not the one that selection\.json names"):
        Predictor(tmp_path / "best", sha256)


def test_files_and_rows_for_the_wrong_model_are_refused(table, image_bundles):
    rows, images_alone = Predictor(table / "best"), Predictor(image_bundles / "bundles/near")
    assert rows.predict(drawn_image(0), "a")["reason"].startswith("comes without what the model takes: ")
    assert images_alone.predict({"age": 3}, "b")["reason"] == "comes without an image file, which the model takes"


def test_columns_that_the_model_does_not_take_are_named(table, image_bundles):
    rows, images_alone = Predictor(table / "best"), Predictor(image_bundles / "bundles/near")
    row = {field.name: field.default for field in rows.info.schema}
    for predictor, data, more in ((rows, row, row), (images_alone, drawn_image(0), (drawn_image(0), {}))):
        extended = (more[0], {"fever": 39}) if isinstance(more, tuple) else more | {"fever": 39}
        plain, item = predictor.predict(data, "a"), predictor.predict(extended, "a")
        assert item["reason"].endswith("not used by the model: fever")
        assert item["probabilities"] == plain["probabilities"] != {}
