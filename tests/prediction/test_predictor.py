"""The only way to a prediction: the same answer as in the pipeline, however a sample comes in."""

import copy
import csv
import hashlib
import io
import json
import os
import pickle
import re
import shutil
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import joblib
import numpy as np
import pytest

from pipeline import predict, train
from pipeline.core.errors import BundleError, DataError
from pipeline.data.dataset import Dataset
from pipeline.estimators import _network
from pipeline.prediction import bundle, self_test
from pipeline.prediction import files as files_module
from pipeline.prediction.decision_rule import DecisionRule, calibrate, decide
from pipeline.prediction.predictor import Predictor
from tests.models import (
    KERAS_NOISE,
    dataset,
    export,
    image_project,
    learnt_head,
    mixed,
    picture,
    train_and_evaluate,
    use_head,
    write_params,
)

pytestmark = pytest.mark.filterwarnings(KERAS_NOISE)
ROOT = Path(__file__).parents[2]
KEYS = ["file", "class", "probabilities", "decision", "refused", "reason"]
IMAGE_MODELS = {
    "near": {"estimator": "knn", "n_neighbors": 3},
    "colours": {"estimator": "random_forest", "features": "classical", "n_estimators": 10},
    "net": {"estimator": "mobilenetv2"},
}
HEADER = "age,size,site,empty,constant"


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """A project of drawn pictures with a bundle per kind of features: near (embedding), colours (classical), net (pixels)."""
    folder = tmp_path_factory.mktemp("pictures")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        dev = image_project(tmp_path_factory.getbasetemp(), IMAGE_MODELS)
        for name in ("near", "colours"):
            train.main(name)
        use_head(tmp_path_factory.getbasetemp(), "net", dev)
        for name in IMAGE_MODELS:
            export(name, Path("bundles") / name)
        Path("broken.jpg").write_bytes(picture(0, suffix="JPEG")[:900])
        Path("empty.png").write_bytes(b"")
    return folder


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """A project of a table task with the bundle of a logistic regression."""
    folder = tmp_path_factory.mktemp("table")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        write_params({"line": {"estimator": "logreg"}})
        X, y = mixed(100)
        dataset(X, y).save(Path("data/t/dev.npz"))
        train_and_evaluate(["line"])
        export("line", Path("best"))
        Path("good.csv").write_text(f"{HEADER}\n61.5,0.2,arm,,3\n,NA,Mars,?,3\n")
        Path("bad.csv").write_text(f"{HEADER}\n61.5,0.2,arm,,3\nold,0.2,arm,,3\n")
        Path("other.csv").write_text(f"name;{HEADER.replace(',', ';')};label\nA;61.5;0.2;arm;;3;benign\n")
        Path("lacking.csv").write_text("age,site\n61.5,arm\n")
    return folder


def command(*arguments, cwd, form="json"):
    """Run the command line; return exit code, stdout and the lines of stderr."""
    done = subprocess.run(
        [sys.executable, "-m", "pipeline.predict", *map(str, arguments), "--format", form],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout, done.stderr.strip().splitlines()


def items_of(*arguments, capsys):
    """Return the items that the command line prints as JSON, in this process."""
    predict.main(*map(str, arguments), "--format", "json")
    return json.loads(capsys.readouterr().out)


# The same as in the pipeline


@pytest.mark.parametrize(("name", "features"), [("near", "embedding"), ("colours", "classical")])
def test_a_file_has_the_same_features_and_the_same_answer_as_in_the_pipeline(pictures, name, features):
    loaded = Predictor(pictures / "bundles" / name)
    dev = Dataset.load(pictures / "data/t/dev.npz")
    model = joblib.load(pictures / "models/t/candidates" / name / "model.joblib")
    proba = model.predict_proba(dev.X(features))
    for row in range(len(dev.y)):
        found = loaded.features((pictures / "raw" / dev.path[row]).read_bytes())
        np.testing.assert_array_equal(found, dev.X(features)[row : row + 1])
        # a batch's distances are computed together and differ in the last digits
        np.testing.assert_allclose(loaded.proba(found), proba[row], atol=1e-6)
        item = loaded.predict((pictures / "raw" / dev.path[row]).read_bytes(), "a")
        assert item["class"] == dev.classes[decide(proba[row : row + 1], loaded.rule)[0]]
        assert item["probabilities"] == pytest.approx(dict(zip(dev.classes, proba[row], strict=True)), abs=1e-6)


def test_a_networks_bundle_answers_to_a_file_as_its_keras_file_does(pictures):
    loaded = Predictor(pictures / "bundles/net")
    model = _network.load_keras(pictures / "bundles/net/model.keras")
    for file in sorted((pictures / "raw").iterdir())[:4]:
        square = loaded.features(file.read_bytes())
        assert (square.shape, square.dtype) == ((1, 224, 224, 3), np.uint8)
        np.testing.assert_allclose(loaded.proba(square), np.asarray(model(square))[0], atol=1e-4)


def test_a_networks_bundle_knows_what_it_learnt(pictures):
    loaded = Predictor(pictures / "bundles/net")
    answers = [loaded.predict((pictures / f"raw/{k}.png").read_bytes(), "")["class"] for k in range(24)]
    assert answers == ["benign", "malignant"] * 12


def test_a_row_of_text_is_the_same_sample_as_in_the_pipeline(table):
    loaded = Predictor(table / "best")
    X = Dataset.load(table / "data/t/dev.npz").X("columns")
    model = joblib.load(table / "models/t/candidates/line/model.joblib")
    for row in range(20):
        cells = {name: "" if value != value else str(value) for name, value in X.iloc[row].items()}
        found = loaded.features(cells)
        assert found.equals(X.iloc[row : row + 1].reset_index(drop=True))
        np.testing.assert_allclose(loaded.proba(found), model.predict_proba(X.iloc[row : row + 1])[0], atol=1e-12)


def test_the_same_bytes_get_the_same_item_whatever_came_before(pictures):
    loaded = Predictor(pictures / "bundles/near")
    first = loaded.predict(picture(3), "a")
    loaded.predict(picture(4), "b")
    loaded.predict(b"not a picture", "c")
    assert loaded.predict(picture(3), "a") == first
    assert Predictor(pictures / "bundles/near").predict(picture(3), "a") == first


# Items


@pytest.mark.parametrize("threshold", [0.0, 0.7, 1.0])
def test_the_decision_of_two_classes_follows_the_threshold_and_says_so(pictures, tmp_path, threshold, monkeypatch):
    monkeypatch.chdir(pictures)
    loaded = Predictor(export("near", tmp_path / "best", DecisionRule(threshold)))
    item = loaded.predict(picture(1), "a.png")
    p = item["probabilities"]["malignant"]
    assert item["class"] == ("malignant" if p >= threshold else "benign")
    sign = "at or above" if p >= threshold else "below"
    assert item["decision"] == f"{item['class']}: the probability of malignant is {sign} {threshold:g}"


def test_the_probabilities_shown_decided_by_and_kept_as_golden_are_the_calibrated_ones(pictures, tmp_path, monkeypatch):
    monkeypatch.chdir(pictures)
    sigmoid = {"method": "sigmoid", "slope": 0.2, "intercept": 1.2}
    rule = DecisionRule(0.6, sigmoid, "a sensitivity of at least 0.9")
    plain = Predictor(export("near", tmp_path / "plain", DecisionRule(0.6)))
    loaded = Predictor(export("near", tmp_path / "best", rule))
    raw = np.stack([plain.proba(plain.features(picture(seed))) for seed in range(6)])
    expected = calibrate(raw, rule)
    assert np.abs(expected - raw).max() > 0.05
    for row in range(6):
        item = loaded.predict(picture(row), "a.png")
        assert item["probabilities"] == {
            name: round(p, 6) for name, p in zip(loaded.classes, expected[row], strict=True)
        }
        assert item["class"] == loaded.classes[decide(expected[row : row + 1], rule)[0]]
        assert item["decision"].endswith("0.6, chosen for a sensitivity of at least 0.9")
        assert loaded.proba(loaded.features(picture(row))).tobytes() == expected[row].tobytes()
    for one, other in zip(self_test.golden_predictions(loaded), self_test.golden_predictions(plain), strict=True):
        assert one["probabilities"].tobytes() == calibrate(other["probabilities"][None], rule)[0].tobytes()


def test_the_decision_of_more_classes_names_the_most_probable(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_params({"line": {"estimator": "logreg"}})
    X, y = mixed(100, 4)
    dataset(X, y).save(Path("data/t/dev.npz"))
    train.main("line")
    item = Predictor(export("line", Path("best"))).predict(X.iloc[0].to_dict(), "row")
    best = max(item["probabilities"], key=item["probabilities"].get)
    assert item["class"] == best
    assert item["decision"] == f"{best} is the most probable class"
    assert list(item["probabilities"]) == ["adeno", "large cell", "normal", "squamous"]


def test_an_item_has_the_keys_of_the_contract_good_or_bad(pictures):
    loaded = Predictor(pictures / "bundles/near")
    good, bad = loaded.predict(picture(1), "a.png"), loaded.predict(b"", "b.png")
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
    ("row", "said"),
    [
        ({"age": "1"}, "missing columns: size, site, empty, constant"),
        ({"age": "x", "size": "1", "site": "", "empty": "", "constant": ""}, "column 'age': found 'x'; expected a num"),
    ],
)
def test_a_bad_row_is_an_item_with_a_reason(table, row, said):
    item = Predictor(table / "best").predict(row, "row 1")
    assert item["refused"]
    assert said in item["reason"]


# The command line


def test_every_file_is_printed_and_a_bad_one_makes_exit_code_2(pictures):
    files = ["raw/1.png", "broken.jpg", "raw/2.png", "nowhere.png", "raw", "empty.png"]
    code, out, said = command("bundles/net", *files, cwd=pictures)
    assert code == 2
    items = json.loads(out)
    assert [item["file"] for item in items] == files
    assert [item["refused"] for item in items] == [False, True, False, True, True, True]
    assert items[3]["reason"] == "cannot be opened (No such file or directory)"
    assert said == [
        "DataError: 4 of 6 inputs could not be used: broken.jpg, nowhere.png, raw, empty.png; see the reasons above"
    ]


def test_good_files_exit_0_and_say_nothing_else(pictures):
    code, out, said = command("bundles/net", "raw/1.png", "raw/2.png", cwd=pictures)
    assert (code, said) == (0, [])
    assert [item["class"] for item in json.loads(out)] == ["malignant", "benign"]


def test_the_three_formats_say_the_same(pictures, capsys, monkeypatch):
    monkeypatch.chdir(pictures)
    items = items_of("bundles/near", "raw/1.png", "raw/4.png", capsys=capsys)
    predict.main("bundles/near", "raw/1.png", "raw/4.png", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    predict.main("bundles/near", "raw/1.png", "raw/4.png")
    header, *lines = capsys.readouterr().out.splitlines()
    assert list(rows[0]) == ["file", "class", "benign", "malignant", "decision", "refused", "reason"]
    assert header.split() == ["file", "class", "benign", "malignant", "answer"]
    for item, row, line in zip(items, rows, lines, strict=True):
        assert {name: float(row[name]) for name in item["probabilities"]} == item["probabilities"]
        assert (row["file"], row["class"], row["decision"]) == (item["file"], item["class"], item["decision"])
        assert (row["refused"], row["reason"]) == ("false", "")
        shown = [f"{p:.3f}" for p in item["probabilities"].values()]
        assert line.split(maxsplit=4) == [item["file"], item["class"], *shown, item["decision"]]


@pytest.mark.parametrize("form", ["table", "csv"])
def test_bad_files_are_printed_with_their_reason_in_every_format(pictures, capsys, monkeypatch, form):
    monkeypatch.chdir(pictures)
    with pytest.raises(DataError, match=r"1 of 2 inputs could not be used: empty\.png"):
        predict.main("bundles/near", "empty.png", "raw/1.png", "--format", form)
    out = capsys.readouterr().out
    assert "not a readable image (0 bytes)" in out
    assert len(out.splitlines()) == 3


def test_each_row_of_a_csv_is_a_sample(table, capsys, monkeypatch):
    monkeypatch.chdir(table)
    items = items_of("best", "good.csv", capsys=capsys)
    assert [item["file"] for item in items] == ["good.csv row 1", "good.csv row 2"]
    assert not any(item["refused"] for item in items)
    assert items[0]["probabilities"] != items[1]["probabilities"]


def test_a_bad_row_of_a_csv_does_not_hide_the_others(table):
    code, out, said = command("best", "bad.csv", "lacking.csv", "nowhere.csv", cwd=table)
    assert code == 2
    items = json.loads(out)
    assert [item["file"] for item in items] == ["bad.csv row 1", "bad.csv row 2", "lacking.csv", "nowhere.csv"]
    assert [item["refused"] for item in items] == [False, True, True, True]
    assert items[1]["reason"] == "column 'age': found 'old'; expected a number"
    assert items[2]["reason"].startswith("missing columns: size, empty, constant")
    assert said[-1].startswith("DataError: 3 of 4 inputs could not be used: bad.csv row 2, lacking.csv, nowhere.csv")


def test_columns_that_the_model_does_not_use_are_told_on_stderr_and_change_nothing(table, capsys, monkeypatch):
    monkeypatch.chdir(table)
    predict.main("best", "other.csv", "--format", "json")
    said = capsys.readouterr()
    assert said.err == "other.csv: not used by the model: name, label\n"
    assert json.loads(said.out)[0]["probabilities"] == items_of("best", "good.csv", capsys=capsys)[0]["probabilities"]


def test_a_file_of_another_schema_is_one_fault_that_names_both_sides(table, capsys, monkeypatch):
    monkeypatch.chdir(table)
    Path("drift.csv").write_text("age , Size,place\n" + "60,1,arm\n" * 300)
    with pytest.raises(DataError, match=r"1 of 1 inputs could not be used: drift.csv"):
        predict.main("best", "drift.csv", "--format", "json")
    (item,) = json.loads(capsys.readouterr().out)
    assert (item["file"], item["refused"]) == ("drift.csv", True)
    assert item["reason"] == (
        "missing columns: size, site, empty, constant; unknown columns: Size, place; expected: age, size, site, empty, constant"
    )


def test_numbers_that_training_never_saw_are_told_on_stderr(table, capsys, monkeypatch):
    monkeypatch.chdir(table)
    Path("far.csv").write_text(f"{HEADER}\n999,0.2,arm,,3\n61,0.2,arm,,3\n,0.2,arm,,3\n")
    predict.main("best", "far.csv", "--format", "json")
    (told,) = capsys.readouterr().err.splitlines()
    assert re.fullmatch(
        r"far.csv: column 'age': 1 of 2 cells lie outside of \S+ to \S+, which training saw; is it the same unit or code\?",
        told,
    )


def test_a_decimal_comma_of_a_semicolon_file_is_read_as_in_training(table, capsys, monkeypatch):
    monkeypatch.chdir(table)
    Path("comma.csv").write_text(f"{HEADER.replace(',', ';')}\n61,5;0,2;arm;;3\n")
    comma, point = items_of("best", "comma.csv", capsys=capsys), items_of("best", "good.csv", capsys=capsys)
    assert comma[0]["probabilities"] == point[0]["probabilities"]


def test_a_file_that_is_no_table_is_an_item_with_a_reason(table, capsys, monkeypatch):
    monkeypatch.chdir(table)
    Path("picture.csv").write_bytes(picture(0))
    with pytest.raises(DataError, match="1 of 1 inputs could not be used"):
        predict.main("best", "picture.csv", "--format", "json")
    assert "is not UTF-8" in json.loads(capsys.readouterr().out)[0]["reason"]


@pytest.mark.parametrize(
    ("folder", "said"),
    [("nowhere", "nowhere has no bundle.json: run 'dvc repro'"), ("raw", "raw has no bundle.json")],
)
def test_a_folder_that_is_no_bundle_is_one_line_and_exit_code_2(pictures, folder, said):
    code, out, lines = command(folder, "raw/1.png", cwd=pictures)
    assert (code, out) == (2, "")
    assert len(lines) == 1
    assert lines[0].startswith(f"BundleError: {said}")


def test_a_wrong_command_line_shows_its_usage(pictures):
    code, out, lines = command("bundles/near", cwd=pictures)
    assert (code, out) == (2, "")
    assert lines[0].startswith("usage: python -m pipeline.predict")


# Loading


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
def test_serving_pictures_imports_nothing_that_it_does_not_need(pictures, name, absent):
    code = (
        "import sys; from pipeline import predict; "
        f"predict.main('bundles/{name}', 'raw/1.png', '--format', 'json'); "
        "print(*sorted(name for name in sys.modules if '.' not in name), file=sys.stderr)"
    )
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], cwd=pictures, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert not absent & set(done.stderr.split())


def test_serving_a_table_imports_neither_tensorflow_nor_mlflow(table):
    code = (
        "import sys; from pipeline import predict; predict.main('best', 'good.csv'); "
        "sys.exit(bool({'tensorflow', 'keras', 'mlflow', 'matplotlib'} & set(sys.modules)))"
    )
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    assert subprocess.run([sys.executable, "-c", code], cwd=table, env=env, capture_output=True).returncode == 0


def test_predicting_leaves_no_trace_of_what_files_were_asked_about(pictures):
    code, _, _ = command("bundles/net", "raw/1.png", cwd=pictures)
    assert code == 0
    traces = [path for path in pictures.rglob("*.jsonl") if "raw/1.png" in path.read_text()]
    assert traces == []


def test_the_bundle_of_a_network_holds_its_keras_file_and_its_twin(pictures, tmp_path_factory):
    info = bundle.read(pictures / "bundles/net").info
    assert sorted(info.files) == ["known.npz", "model.keras", "model.npz", "model.tflite"]
    assert info.features == "pixels"
    learnt = learnt_head(tmp_path_factory.getbasetemp())[0] / "head/model.keras"
    assert (pictures / "bundles/net/model.keras").read_bytes() == learnt.read_bytes()


# Several threads


@pytest.mark.parametrize("name", IMAGE_MODELS)
def test_threads_that_share_a_predictor_get_the_answer_to_their_own_image(pictures, name):
    files = [picture(seed) for seed in range(16)]
    expected = [alone(pictures / "bundles" / name, file) for file in files]
    assert {item["class"] for item in expected} == {"benign", "malignant"}
    assert answers_of_threads(Predictor(pictures / "bundles" / name), files) == expected * 6


def test_threads_that_share_a_predictor_get_the_answer_to_their_own_row(table):
    rows = [{"age": age, "size": age / 50, "site": "arm", "empty": None, "constant": 3} for age in range(20, 84, 4)]
    expected = [alone(table / "best", row) for row in rows]
    assert len({str(item) for item in expected}) == 16
    assert answers_of_threads(Predictor(table / "best"), rows) == expected * 6


def test_threads_that_share_a_predictor_leave_the_filters_of_warnings_as_they_are(table):
    rows = [{"age": age, "size": 1, "site": "arm", "empty": None, "constant": 3} for age in range(20, 84, 4)]
    before = list(warnings.filters)
    answers_of_threads(Predictor(table / "best"), rows)
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


def test_the_place_relative_to_the_training_data_belongs_to_the_sample(pictures):
    loaded = Predictor(pictures / "bundles/net")
    loaded.rule = DecisionRule(refusal=1e9)
    files = [picture(seed) for seed in range(8)]
    scores = [loaded.predict_with_ood(file, "a").ood.distance for file in files]
    assert len(set(scores)) == 8
    with ThreadPoolExecutor(4) as pool:
        assert [
            one.ood.distance for one in pool.map(lambda file: loaded.predict_with_ood(file, "a"), files * 4)
        ] == scores * 4
    assert loaded.predict_with_ood(b"no image", "a").ood is None


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda loaded: pickle.loads(pickle.dumps(loaded))])
def test_a_copy_gives_the_same_answer(pictures, copied):
    for name in IMAGE_MODELS:
        loaded = Predictor(pictures / "bundles" / name)
        answer = loaded.predict(picture(3), "a")
        assert copied(loaded).predict(picture(3), "a") == answer


# What a bundle should answer


def test_a_bundle_checks_itself_against_its_golden_predictions(pictures, tmp_path):
    for name in IMAGE_MODELS:
        shutil.copytree(pictures / "bundles" / name, tmp_path / name)
        golden = self_test.golden_predictions(Predictor(tmp_path / name))
        rewrite(tmp_path / name, golden=golden)
        self_test.check(Predictor(tmp_path / name))
        golden[2]["probabilities"] = golden[2]["probabilities"] + 2e-4
        rewrite(tmp_path / name, golden=golden)
        with pytest.raises(
            BundleError, match=r"sample_pictures\(\)\[2\] with a probability off by 0\.0002.*at most 0\.0001"
        ):
            self_test.check(Predictor(tmp_path / name))


def test_a_bundle_without_golden_predictions_or_with_one_that_is_no_number_fails_its_check(table, tmp_path):
    shutil.copytree(table / "best", tmp_path / "best")
    with pytest.raises(BundleError, match="has 0 golden predictions; expected 3: run 'dvc repro'"):
        self_test.check(Predictor(tmp_path / "best"))
    rewrite(tmp_path / "best", golden=[{"probabilities": [float("nan"), 1]}] * 3)
    with pytest.raises(BundleError, match="off by nan"):
        self_test.check(Predictor(tmp_path / "best"))


def rewrite(folder, **values):
    """Change keys of bundle.json."""
    content = json.loads((folder / "bundle.json").read_text()) | values
    (folder / "bundle.json").write_text(json.dumps(content, default=lambda array: array.tolist()))


def test_a_bundle_has_a_name_that_leads_to_its_file(pictures):
    loaded = Predictor(pictures / "bundles/near")
    sha256 = hashlib.sha256((pictures / "bundles/near/bundle.json").read_bytes()).hexdigest()
    assert loaded.id == f"near@{sha256[:12]}"


def test_a_model_is_not_loaded_from_a_bundle_that_another_file_does_not_vouch_for(table, tmp_path):
    shutil.copytree(table / "best", tmp_path / "best")
    sha256 = hashlib.sha256((tmp_path / "best/bundle.json").read_bytes()).hexdigest()
    Predictor(tmp_path / "best", sha256)
    (tmp_path / "best/model.joblib").write_bytes(b"code of a stranger")
    rewrite(tmp_path / "best", files={"model.joblib": hashlib.sha256(b"code of a stranger").hexdigest()})
    with pytest.raises(BundleError, match=r"bundle\.json is not the one that selection\.json vouches for"):
        Predictor(tmp_path / "best", sha256)


# Refusal


@pytest.mark.parametrize("name", IMAGE_MODELS)
def test_a_picture_beyond_the_threshold_is_refused_instead_of_classified(pictures, monkeypatch, name):
    monkeypatch.chdir(pictures)
    loaded, data = Predictor(Path("bundles") / name), picture(0)
    loaded.rule = DecisionRule(refusal=1e9)
    assert loaded.predict(data, "a.png")["class"]
    loaded.rule = DecisionRule(refusal=1e-9)
    item = loaded.predict(data, "a.png")
    assert list(item) == KEYS
    assert item["class"] == item["decision"] == ""
    assert item["probabilities"] == {}
    assert item["refused"] is True
    assert re.fullmatch(
        r"unlike the training data: its distance is [\d.]+, and 97.5% of the training data lie within 1e-09",
        item["reason"],
    )


def test_a_network_and_a_head_on_its_embeddings_see_the_same_distance(pictures, monkeypatch):
    monkeypatch.chdir(pictures)
    reasons = []
    for name in ("near", "net"):
        loaded = Predictor(Path("bundles") / name)
        loaded.rule = DecisionRule(refusal=1e-9)
        loaded._arrays["known.npz"] = Predictor(Path("bundles/near"))._arrays["known.npz"]
        reasons.append(loaded.predict(picture(3), "a.png")["reason"])
    assert reasons[0] == reasons[1]


def test_a_bundle_without_a_threshold_refuses_nothing(pictures, monkeypatch):
    monkeypatch.chdir(pictures)
    loaded = Predictor(Path("bundles/near"))
    loaded.rule = DecisionRule()
    assert loaded.predict(picture(0), "a.png")["refused"] is False


def test_a_row_a_little_outside_of_training_is_answered_with_a_word_and_one_far_off_is_not(table, monkeypatch):
    monkeypatch.chdir(table)
    loaded = Predictor("best")
    loaded.rule = DecisionRule(refusal=0.5)
    age = next(field for field in loaded.info.schema if field["name"] == "age")
    row = {"age": age["max"] + 1, "size": 0.2, "site": "arm", "empty": None, "constant": 3}
    near, far = loaded.predict(row, "a"), loaded.predict(row | {"age": 10_000}, "b")
    assert near["class"]
    assert near["reason"].startswith("outside of what training saw: 'age' is ")
    assert (far["class"], far["refused"], far["probabilities"]) == ("", True, {})
    assert far["reason"].startswith("far outside of what training saw: 'age' is 10000, in training ")
    assert near["reason"] in files_module.show([near], loaded.classes, "table")
