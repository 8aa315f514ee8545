"""A bundle is whole or it is refused."""

import json
import os
from pathlib import Path

import pytest

from pipeline.core import artifacts, paths
from pipeline.core.errors import BundleError, StageError
from pipeline.data.tabular.formats import Field
from pipeline.prediction import bundle
from pipeline.prediction.decision_rule import DecisionRule
from tests.helpers.models import describe, write_candidate

RULE = DecisionRule(0.3)
GOLDEN = bundle.GoldenPrediction(1, [0.2, 0.8])


def make_candidate(folder, content=b"a model", features="columns", extra=()):
    return write_candidate(folder, {"model.joblib": content} | dict(extra), features=features)


@pytest.fixture
def candidate(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return make_candidate(Path("candidate"))


@pytest.fixture
def best(candidate):
    """A whole bundle."""
    bundle.write(Path("models/t/best"), candidate, RULE, {"roc_auc": 0.9}, [GOLDEN])
    return Path("models/t/best")


def change(folder, **values):
    """Change keys of bundle.json as a hand would."""
    content = json.loads((folder / "bundle.json").read_text()) | values
    (folder / "bundle.json").write_text(json.dumps(content))


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_what_is_written_is_read(best):
    loaded = bundle.read(best)
    assert loaded.files == {"model.joblib": b"a model"}
    assert loaded.info.rule == RULE
    written = {
        "format": 1,
        "decision": RULE.to_json(),
        "metrics": {"roc_auc": 0.9},
        "golden": [vars(GOLDEN)],
        "warning": "",
    }
    described = describe(files={"model.joblib": artifacts.sha256(b"a model")}).to_json()
    assert artifacts.read_json(best / "bundle.json") == described | written
    assert names(best) == ["bundle.json", "model.joblib"]


def test_writing_twice_gives_the_same_bytes(best, candidate):
    before = {path.name: path.read_bytes() for path in best.iterdir()}
    bundle.write(best, candidate, RULE, {"roc_auc": 0.9}, [GOLDEN])
    assert {path.name: path.read_bytes() for path in best.iterdir()} == before


def test_a_model_on_embeddings_brings_its_embedder(empty_folder):
    artifacts.write_bytes(paths.EMBEDDER, b"a program")
    bundle.write(Path("best"), make_candidate(Path("c"), features="embedding"), RULE, {})
    assert bundle.read(Path("best")).files == {"model.joblib": b"a model", "embedder.tflite": b"a program"}


def test_a_missing_embedder_names_the_stage_that_makes_it(empty_folder):
    with pytest.raises(StageError, match=r"embedder\.tflite is missing: run 'dvc repro backbone'"):
        bundle.write(Path("best"), make_candidate(Path("c"), features="embedding"), RULE, {})


def test_old_files_are_removed_and_folders_left_alone(best):
    (best / "model.keras").write_bytes(b"of another model")
    (best / ".model.keras.part").write_bytes(b"of an interrupted copy")
    (best / "notes").mkdir()
    bundle.write(best, make_candidate(Path("other"), b"another"), RULE, {})
    assert names(best) == ["bundle.json", "model.joblib", "notes"]
    assert bundle.read(best).files == {"model.joblib": b"another"}


@pytest.mark.parametrize("damage", ["missing", "altered"])
def test_an_altered_candidate_is_refused_and_the_old_bundle_stays(best, damage):
    broken = make_candidate(Path("broken"), b"another", extra={"model.tflite": b"its twin"})
    (broken / "model.tflite").unlink() if damage == "missing" else (broken / "model.tflite").write_bytes(b"cut")
    message = {"missing": r"broken/model\.tflite is missing", "altered": r"does not match candidate\.json"}[damage]
    with pytest.raises(BundleError, match=message):
        bundle.write(best, broken, RULE, {})
    assert bundle.read(best).files == {"model.joblib": b"a model"}
    assert names(best) == ["bundle.json", "model.joblib"]


@pytest.mark.parametrize("name", ["model.joblib", "model.tflite"])
def test_a_copy_that_fails_leaves_the_old_bundle_whole(best, name):
    """A folder where a file should be written makes writing that file fail, as a full disk would."""
    other = make_candidate(Path("other"), b"another", extra={"model.tflite": b"its twin"})
    (best / f".{name}.part").mkdir()
    with pytest.raises(OSError):
        bundle.write(best, other, RULE, {})
    assert bundle.read(best).files == {"model.joblib": b"a model"}


def test_files_are_replaced_after_all_are_written_bundle_json_last(best, monkeypatch):
    order, replace = [], os.replace
    other = make_candidate(Path("other"), b"another", extra={"model.tflite": b"its twin"})

    def watch(source, target):
        if Path(target).parent == best and Path(target).suffix != ".part":
            order.append(Path(target).name)
            assert {".model.joblib.part", ".model.tflite.part"} <= {*names(best), *(f".{done}.part" for done in order)}
        replace(source, target)

    monkeypatch.setattr(os, "replace", watch)
    bundle.write(best, other, RULE, {})
    assert sorted(order[:-1]) == ["model.joblib", "model.tflite"]
    assert order[-1] == "bundle.json"


def test_a_write_killed_between_two_files_is_refused_by_readers(best):
    (best / "model.joblib").write_bytes(b"another")  # in place, and bundle.json still the old one
    with pytest.raises(BundleError, match="does not match"):
        bundle.read(best)


@pytest.mark.parametrize("data", [b"", b"a mode", b"A model", b"a model "], ids=["empty", "cut", "changed", "longer"])
def test_a_file_that_differs_from_bundle_json_is_refused(best, data):
    (best / "model.joblib").write_bytes(data)
    message = r"^models/t/best/model\.joblib does not match bundle\.json \(sha256 differs\): "
    with pytest.raises(BundleError, match=message + "restore it with 'dvc checkout models/t/best'$"):
        bundle.read(best)


def test_a_missing_file_is_refused(best):
    (best / "model.joblib").unlink()
    with pytest.raises(BundleError, match=r"best/model\.joblib is missing: restore it with 'dvc checkout"):
        bundle.read(best)


@pytest.mark.parametrize(
    "name", ["../x", "..", ".", "", "/etc/hostname", "a/b", "a\\b", "..\\x", "a\0b", ".hidden", "C:x"]
)
def test_a_name_that_leads_elsewhere_is_refused(best, name):
    Path("models/t/x").write_bytes(b"outside")
    change(best, files={name: artifacts.sha256(b"outside")})
    with pytest.raises(BundleError, match="which is not a file of its own folder: do not use it"):
        bundle.read(best)


def test_a_folder_in_place_of_a_file_is_refused(best):
    (best / "model.joblib").unlink()
    (best / "model.joblib").mkdir()
    with pytest.raises(BundleError, match=r"model\.joblib cannot be opened"):
        bundle.read(best)


def test_half_a_bundle_json_is_refused(best):
    whole = (best / "bundle.json").read_bytes()
    (best / "bundle.json").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BundleError, match=r"bundle\.json is not JSON: restore it with 'dvc checkout models/t/best'"):
        bundle.read(best)


@pytest.mark.parametrize("data", [b"", b"\xff\xfe\x00", b"{'format': 1}"], ids=["empty", "not UTF-8", "Python"])
def test_a_bundle_json_that_is_not_json_is_refused(best, data):
    (best / "bundle.json").write_bytes(data)
    with pytest.raises(BundleError, match="is not JSON"):
        bundle.read(best)


@pytest.mark.parametrize("content", [[], "a text", None, {}, {"format": 2}, {"format": "1"}])
def test_another_format_is_refused(best, content):
    (best / "bundle.json").write_text(json.dumps(content))
    with pytest.raises(BundleError, match=r"is not of format 1: run 'dvc repro' with this version of Assay"):
        bundle.read(best)


@pytest.mark.parametrize("key", ["kind", "classes", "features", "decision", "files"])
@pytest.mark.parametrize("value", [None, 3])
def test_a_bundle_json_without_what_readers_need_is_refused(best, key, value):
    change(best, **{key: value})
    with pytest.raises(BundleError, match=rf"bundle\.json lacks {key}"):
        bundle.read(best)


def test_a_folder_without_bundle_json_is_refused(tmp_path):
    with pytest.raises(BundleError, match=r"has no bundle\.json: run 'dvc repro', or restore it with 'dvc checkout"):
        bundle.read(tmp_path / "nowhere")


def test_a_file_in_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "best").write_bytes(b"")
    with pytest.raises(BundleError, match="is no bundle"):
        bundle.read(tmp_path / "best")


def test_the_selection_names_the_hash_of_one_bundle(best):
    artifacts.write_json("reports/t/selection.json", {"bundle": "abc"})
    assert bundle.expected_sha256("t") == "abc"
    loaded = bundle.read(best)
    assert bundle.read(best, loaded.sha256) == loaded
    with pytest.raises(BundleError, match=r"is not the one that selection\.json names \(sha256 differs\)"):
        bundle.read(best, "abc")


@pytest.mark.parametrize("text", [None, "", "[]", "{}", "3", "{"])
def test_a_selection_without_a_bundle_hash_names_the_command(best, text):
    if text is not None:
        artifacts.write_bytes("reports/t/selection.json", text.encode())
    with pytest.raises(
        BundleError, match=r"^reports/t/selection\.json, which names the hash .*run 'dvc repro select_best@t'"
    ):
        bundle.expected_sha256("t")


def test_a_bundle_of_an_older_version_still_loads(best):
    content = json.loads((best / "bundle.json").read_text()) | {"decision": {"threshold": 0.3}, "of_tomorrow": 1}
    for key in ("positive", "golden", "metrics"):
        del content[key]
    (best / "bundle.json").write_text(json.dumps(content))
    info = bundle.read(best).info
    assert info.rule == RULE
    assert (info.positive, info.golden, info.metrics) == (None, [], {})


@pytest.mark.parametrize(("features", "columns"), [("embedding+columns", ["age"]), ("columns", [])])
def test_clinical_columns_are_those_given_with_an_image(features, columns):
    info = bundle.BundleInfo("image", ["a", "b"], features, {}, {}, schema=[Field("age", "number")])
    assert info.clinical_columns == columns
