"""The link to MLflow."""

import http.server
import json
import threading

import pytest

from app.views import mlflow_page
from tests.helpers.pages import opened, text_of


class Store(http.server.BaseHTTPRequestHandler):
    """Answers as MLflow does for the experiment t."""

    def do_GET(self):
        known = self.path.endswith("experiment_name=t")
        self.send_response(200 if known else 404)
        self.end_headers()
        self.wfile.write(json.dumps({"experiment": {"experiment_id": "17"}} if known else {}).encode())

    def log_message(self, *_):
        pass


@pytest.fixture
def store(monkeypatch):
    """A server at the address where `make ui` would be."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Store) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setattr(mlflow_page, "LOCAL", f"http://127.0.0.1:{server.server_port}")
        yield server
        server.shutdown()


def links(page):
    return [button.proto.url for button in page.get("link_button")]


def test_a_running_mlflow_server_gets_a_link(compared, store, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    (url,) = links(opened("compare", "t"))
    assert url.startswith(f"{mlflow_page.LOCAL}/#/experiments/17/runs?")


def test_without_an_mlflow_server_the_page_shows_the_command(compared, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setattr(mlflow_page, "LOCAL", "http://127.0.0.1:9")
    page = opened("compare", "t")
    assert links(page) == []
    assert "make ui" in text_of(page)


def test_a_server_elsewhere_is_linked_and_never_asked(compared, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://mlflow.example.org/")
    monkeypatch.setattr(mlflow_page, "experiment", lambda task: pytest.fail("asked"))
    assert links(opened("compare", "t")) == ["http://mlflow.example.org/#/experiments"]
