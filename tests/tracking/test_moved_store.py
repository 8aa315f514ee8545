"""A moved or copied project keeps its MLflow store, with all that people put into it."""

import shutil
import sqlite3

import pytest

from pipeline.tracking import mirror, moved_store
from tests.helpers.tracked import client_of, make_project, runs_of, state, track_in

NOTE = "Ask Dr. Meier before this one is used: file:///old/is only text"


@pytest.fixture
def used(small):
    """A tracked project whose store a person has used: a run of their own with a file, a note, and descriptions."""
    mirror.track()
    client = client_of(small)
    experiment = client.get_experiment_by_name("rows").experiment_id
    run = client.create_run(experiment, run_name="my own trial").info.run_id
    client.log_text(run, "seen by eye", "notes/trial.txt")
    client.log_metric(run, "trial", 0.5)
    client.set_terminated(run)
    client.set_experiment_tag(experiment, "mlflow.note.content", NOTE)
    client.update_registered_model("rows", "What we show the board")
    client.update_model_version("rows", "1", "Approved on Monday")
    return small


def mine(folder):
    """Return what the person put into a store, the file's text read by MLflow."""
    from mlflow import artifacts

    client = client_of(folder)
    experiment = client.get_experiment_by_name("rows")
    (run,) = [run for run in runs_of(folder) if run.info.run_name == "my own trial"]
    file = artifacts.download_artifacts(
        run_id=run.info.run_id, artifact_path="notes/trial.txt", tracking_uri=client.tracking_uri
    )
    with open(file, encoding="utf-8") as text:
        kept = text.read()
    return {
        "metric": run.data.metrics["trial"],
        "text": kept,
        "note": experiment.tags["mlflow.note.content"],
        "model": client.get_registered_model("rows").description,
        "version": client.get_model_version("rows", "1").description,
    }


PUT = {
    "metric": 0.5,
    "text": "seen by eye",
    "note": NOTE,
    "model": "What we show the board",
    "version": "Approved on Monday",
}


@pytest.mark.parametrize("how", [shutil.move, shutil.copytree])
def test_a_persons_work_survives_a_move(used, tmp_path, capsys, monkeypatch, how):
    from mlflow import pyfunc

    before, there = state(used), tmp_path / "a new place, (2)"
    how(used, there)
    monkeypatch.chdir(there)
    mirror.track()
    printed = capsys.readouterr().err
    assert f"track: the project was in {used} and is now in {there}: " in printed
    assert "0 runs created" in printed
    shutil.rmtree(used, ignore_errors=True)
    assert mine(there) == PUT
    assert [run for run in state(there) if run[0] != "my own trial"] == [
        run for run in before if run[0] != "my own trial"
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", client_of(there).tracking_uri)
        assert pyfunc.load_model("models:/rows@champion").predict([{"age": 40.0, "site": "arm"}]).shape[0] == 1
    mirror.track()
    assert "is now in" not in capsys.readouterr().err


def test_a_copy_and_its_original_go_separate_ways(used, tmp_path):
    copy = shutil.copytree(used, tmp_path / "copy")
    track_in(copy)
    assert all(str(copy) in run.info.artifact_uri for run in runs_of(copy))
    assert not any(str(copy) in run.info.artifact_uri for run in runs_of(used))
    shutil.rmtree(copy)
    assert mine(used) == PUT


def test_tracking_again_leaves_a_persons_text_alone(used):
    track_in(used)
    assert mine(used) == PUT
    version = client_of(used).get_model_version("rows", "1")
    assert version.tags["reason"] == "rows-a wins"
    experiment = client_of(used).get_experiment_by_name("rows")
    assert experiment.tags["champion_rule"] == "The best."


def test_an_interrupted_move_is_completed(used, tmp_path, monkeypatch):
    there = tmp_path / "there"
    shutil.move(used, there)
    monkeypatch.chdir(there)
    n_paths = moved_store.rewrite(there / "mlflow/mlflow.db", used, there)
    assert n_paths > 0
    assert moved_store.rewrite(there / "mlflow/mlflow.db", used, there) == 0
    mirror.track()  # killed before the marker was written
    assert mine(there) == PUT


def test_traces_follow_and_their_tags_stay(used):
    location, text = used.as_uri() + "/mlflow/artifacts/traces/tr-1", used.as_uri() + "/notes"
    database = used / "mlflow/mlflow.db"
    with sqlite3.connect(database) as connection:
        connection.execute("PRAGMA foreign_keys = off")
        rows = [("mlflow.artifactLocation", location, "tr-1"), ("mine", text, "tr-1")]
        connection.executemany("INSERT INTO trace_tags (key, value, request_id) VALUES (?, ?, ?)", rows)
    moved_store.rewrite(database, used, used.parent / "there")
    tags = dict(connection.execute("SELECT key, value FROM trace_tags"))
    connection.close()
    assert tags["mlflow.artifactLocation"] == (used.parent / "there/mlflow/artifacts/traces/tr-1").as_uri()
    assert tags["mine"] == text


def test_an_unmarked_store_is_set_aside_and_announced(used, tmp_path, capsys):
    there = shutil.copytree(used, tmp_path / "there")
    for number in (1, 2):
        (there / "mlflow/made_for.txt").unlink()
        moved_store.follow(there / "mlflow")
        aside = there / f"mlflow/set-aside-{number}"
        assert f"The store is kept in {aside}" in capsys.readouterr().err
        assert not (there / "mlflow/mlflow.db").exists()
        with sqlite3.connect(aside / "mlflow.db") as database:
            assert database.execute("SELECT count(*) FROM runs WHERE name = 'my own trial'").fetchone() == (1,)
        database.close()
        assert list((aside / "artifacts").rglob("trial.txt"))
        shutil.copytree(used / "mlflow", there / "mlflow", dirs_exist_ok=True)


def test_a_copied_damaged_store_is_an_error_and_is_kept(tmp_path, monkeypatch):
    there = make_project(tmp_path / "there")
    (there / "mlflow").mkdir()
    (there / "mlflow/mlflow.db").write_bytes(b"this is no database" * 100)
    (there / "mlflow/made_for.txt").write_text("/elsewhere/mlflow")
    monkeypatch.chdir(there)
    with pytest.raises(mirror.mlflow_store.TrackError, match="file is not a database"):
        mirror.track()
    assert (there / "mlflow/mlflow.db").read_bytes().startswith(b"this is no")
