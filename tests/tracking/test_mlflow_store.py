"""The store and its pages: what can go wrong is reported in one line."""

import os

import pytest
from filelock import FileLock

from pipeline.tracking import mirror, mlflow_store
from pipeline.tracking.mlflow_store import TrackError


def test_a_locked_store_is_reported_in_one_line(small, monkeypatch):
    monkeypatch.setattr(mlflow_store, "LOCK_SECONDS", 0.2)
    with FileLock(small / "mlflow/track.lock"), pytest.raises(TrackError, match="wait for it or end it") as caught:
        mirror.track()
    assert "\n" not in str(caught.value)
    assert not (small / "mlflow/tracked.json").exists()


@pytest.mark.parametrize("name", ["my%20project", "study?1", "a'b\"c"])
def test_a_folder_in_which_mlflow_would_write_elsewhere_is_refused(tmp_path, monkeypatch, name):
    (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / name)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    with pytest.raises(TrackError, match=r"has a %, a .+ move the project"), mlflow_store.locked():
        pass
    assert [path.name for path in tmp_path.rglob("*")] == [name]


def test_a_damaged_store_is_reported_with_a_remedy(small):
    (small / "mlflow/mlflow.db").write_bytes(b"this is no database" * 100)
    with pytest.raises(TrackError, match="move the folder away") as caught:
        mirror.track()
    assert "\n" not in str(caught.value)


def test_an_unreachable_server_is_reported_in_one_line(small, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(TrackError, match="check MLFLOW_TRACKING_URI") as caught:
        mirror.track()
    assert "\n" not in str(caught.value)
    assert os.environ["MLFLOW_TRACKING_URI"] == "http://127.0.0.1:9"


def test_pages_are_announced_and_a_taken_port_is_refused(monkeypatch, empty_folder, capsys):
    opened = []
    monkeypatch.setattr(mlflow_store.webbrowser, "open", opened.append)
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://server:1/")
    mlflow_store.show({"rows": "/#/a", "spots": "/#/b"}, 5000)
    assert capsys.readouterr().out == "rows: http://server:1/#/a\nspots: http://server:1/#/b\n"
    assert opened == ["http://server:1/#/a"]
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    with mlflow_store.socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(TrackError, match="make ui PORT="):
            mlflow_store.show({"rows": "/#/a"}, taken.getsockname()[1])
