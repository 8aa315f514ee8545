"""Which bundle answers: a new one when it is whole, the expected one and right, otherwise the old one."""

import asyncio
import contextlib
import json
import os
import shutil
from pathlib import Path

import joblib
import pytest

from app import serving
from app.problems import Problem
from app.serving import Models
from pipeline.core import artifacts
from tests.helpers.serving import GOOD, ROW, crown, make_project, select_bundle

BEST = Path("models/skin/best")


def check(models: Models, times: int = 2) -> Models:
    """Let `models` check the files, by default until unchanged files are loaded."""
    for _ in range(times):
        asyncio.run(models.check())
    return models


def change(**values):
    """Change keys of the bundle.json of `skin`, and name its hash in selection.json."""
    content = json.loads((BEST / "bundle.json").read_text()) | values
    (BEST / "bundle.json").write_text(json.dumps(content))
    select_bundle("skin")


def test_the_champions_are_taken_up_at_the_first_check(project):
    models = Models(2)
    assert not models.is_checked
    check(models, 1)
    assert (set(models.served), models.refused, models.is_checked) == ({"skin", "patients", "whole"}, {}, True)
    samples = [("a.png", GOOD)] * 5
    items = asyncio.run(models.predict(models.champion(None), samples))
    assert [item["class"] for item in items] == ["malignant"] * 5
    assert asyncio.run(models.predict(models.champion("patients"), [("row 1", ROW)]))[0]["class"]


def test_the_default_is_the_first_image_task_by_name(project):
    models = check(Models(1), 1)
    models.served["a-table"] = models.served["patients"]
    models.served["another"] = models.served["skin"]
    assert models.champion(None) is models.served["another"]


def test_nothing_is_loaded_again_while_nothing_changes(project, monkeypatch):
    models = check(Models(1))
    monkeypatch.setattr(serving, "Served", None)
    check(models, 5)
    assert models.refused == {}


def test_a_new_champion_is_loaded_once_its_files_settle(project, caplog):
    caplog.set_level("INFO")
    models = check(Models(2))
    old = models.champion("skin").id
    new = crown("skin", Path("candidates/other"))
    check(models, 1)
    assert models.champion("skin").id == old
    check(models, 1)
    assert models.champion("skin").id == new != old
    assert caplog.messages[-1] == f"skin: now served by {new}"


def test_running_requests_keep_the_bundle_they_started_with(project):
    models = check(Models(1))
    old = models.champion("skin")
    crown("skin", Path("candidates/other"))
    check(models)
    assert asyncio.run(models.predict(old, [("a", GOOD)]))[0]["class"]
    assert models.champion("skin") is not old


def damage_model():
    (BEST / "model.joblib").write_bytes(b"damaged")


def lose_model():
    (BEST / "model.joblib").unlink()


def replace_model_and_hash():
    """What somebody does who can write to models/ but not to git."""
    joblib.dump("code of a stranger", BEST / "model.joblib")
    content = json.loads((BEST / "bundle.json").read_text())
    content["files"]["model.joblib"] = artifacts.sha256((BEST / "model.joblib").read_bytes())
    (BEST / "bundle.json").write_text(json.dumps(content))


def lie_about_golden():
    golden = json.loads((BEST / "bundle.json").read_text())["golden"]
    golden[1]["probabilities"] = [0.5, 0.5]
    change(golden=golden)


def another_format():
    (BEST / "bundle.json").write_text('{"format": 2}')
    artifacts.write_json("reports/skin/selection.json", {"bundle": "x"})


def no_estimator():
    joblib.dump("not an estimator", BEST / "model.joblib")
    content = json.loads((BEST / "bundle.json").read_text())
    change(files=content["files"] | {"model.joblib": artifacts.sha256((BEST / "model.joblib").read_bytes())})


def half_a_bundle_json():
    (BEST / "bundle.json").write_bytes((BEST / "bundle.json").read_bytes()[:200])


DAMAGES = {
    damage_model: "model.joblib does not match bundle.json (sha256 differs): restore it with 'dvc checkout",
    lose_model: "model.joblib is missing: restore it with 'dvc checkout models/skin/best'",
    replace_model_and_hash: "bundle.json is not the one that selection.json names",
    lie_about_golden: "images.sample_pictures()[1] with a probability off by",
    another_format: "bundle.json is not of format 1",
    no_estimator: "cannot be loaded (AttributeError: 'str' object has no attribute 'predict_proba')",
    half_a_bundle_json: "bundle.json is not JSON",
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_bad_bundle_is_refused_and_the_old_one_serves(project, caplog, damage):
    models = check(Models(2))
    old = models.champion("skin")
    damage()
    check(models)
    assert models.champion("skin") is old
    assert DAMAGES[damage] in models.refused["skin"]
    assert caplog.messages[-1].startswith(f"skin: new bundle refused, {old.id} stays in use: ")
    assert asyncio.run(models.predict(old, [("a", GOOD)]))[0]["class"] == "malignant"
    n_messages = len(caplog.messages)
    check(models, 4)
    assert len(caplog.messages) == n_messages  # once, not at every check
    new = crown("skin", Path("candidates/other"))
    check(models)
    assert (models.champion("skin").id, models.refused) == (new, {})


def test_a_model_with_an_unexpected_hash_is_never_unpickled(project, monkeypatch):
    replace_model_and_hash()
    for task in ("patients", "whole"):
        shutil.rmtree(f"models/{task}")
    monkeypatch.setattr(joblib, "load", lambda *_: pytest.fail("unpickled"))
    models = check(Models(1), 1)
    assert "is not the one that selection.json names" in models.refused["skin"]
    Path("reports/skin/selection.json").unlink()
    models = check(Models(1), 1)
    assert "selection.json, which names the hash of models/skin/best, is missing" in models.refused["skin"]


def test_a_bundle_refused_at_startup_is_a_503_with_reason(project):
    damage_model()
    models = check(Models(1), 1)
    with pytest.raises(
        Problem, match=r"The bundle of task skin was refused: models/skin/best/model\.joblib does not"
    ) as e:
        models.champion("skin")
    assert (e.value.status, e.value.headers) == (503, {"Retry-After": "60"})
    assert models.champion("patients").info.kind == "table"


def test_requests_are_told_to_retry_until_models_are_loaded(project):
    for task in ("skin", None):
        with pytest.raises(Problem, match="being loaded") as raised:
            Models(1).champion(task)
        assert (raised.value.status, raised.value.headers) == (503, {"Retry-After": "1"})


def test_the_old_champion_serves_silently_during_a_new_selection(project, caplog):
    models = check(Models(1))
    old, n_messages = models.champion("skin"), len(caplog.messages)
    Path("reports/skin/selection.json").unlink()
    check(models, 3)
    (BEST / "bundle.json").unlink()
    check(models, 3)
    assert (models.champion("skin"), models.refused, len(caplog.messages)) == (old, {}, n_messages)


def test_an_empty_project_loads_its_first_champion_when_it_appears(tmp_path, program, monkeypatch):
    monkeypatch.chdir(tmp_path)
    models = check(Models(1), 1)
    assert models.is_checked
    with pytest.raises(Problem, match="There is no image task; there are: none"):
        models.champion(None)
    make_project(program)
    check(models, 1)
    assert set(models.served) == {"skin", "patients", "whole"}


def test_an_unreadable_folder_does_not_stop_the_watch(project, monkeypatch, caplog):
    monkeypatch.setattr(serving, "POLL", 0.01)
    bundles, fails = serving.bundles, [OSError(5, os.strerror(5))]
    monkeypatch.setattr(serving, "bundles", lambda: (_ for _ in ()).throw(fails.pop()) if fails else bundles())
    models, called = Models(1), []

    async def watch():
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(20):
                task = asyncio.create_task(models.watch(ready=lambda: called.append(models.is_checked)))
                while not models.is_checked:
                    await asyncio.sleep(0.01)
                task.cancel()

    asyncio.run(watch())
    assert called == [True]
    assert "models/ cannot be read (Input/output error); trying again" in caplog.text
    assert "skin" in models.served


@pytest.mark.parametrize(
    ("folder", "lost"), [("models", "models/skin/best"), ("reports", "reports/skin/selection.json")]
)
def test_a_folder_moved_away_and_back_is_noticed(project, monkeypatch, folder, lost):
    models = check(Models(1))
    monkeypatch.setattr(serving, "GRACE", 0)
    Path(folder).rename("elsewhere")
    check(models, 2)
    assert set(models.missing) == {"skin", "patients", "whole"}
    assert models.missing["skin"].startswith(f"{lost} is missing")
    Path("elsewhere").rename(folder)
    check(models, 1)
    assert (models.missing, models.refused) == ({}, {})


def test_files_that_are_being_selected_are_not_missed(project, monkeypatch):
    models = check(Models(1))
    monkeypatch.setattr(serving, "GRACE", 0)
    artifacts.write_json(".dvc/tmp/rwlock", {str(BEST.absolute()): {"write": {"pid": 1}}})
    Path("reports/skin/selection.json").unlink()
    check(models, 3)
    assert models.missing == {}


def test_a_refused_bundle_that_is_gone_is_forgotten(project, monkeypatch):
    (BEST / "model.joblib").write_bytes(b"damaged")
    models = check(Models(1))
    assert set(models.refused) == {"skin"}
    monkeypatch.setattr(serving, "GRACE", 0)
    shutil.rmtree(BEST)
    check(models)
    assert (models.refused, models.missing) == ({}, {})
