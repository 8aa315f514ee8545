"""Time limits, clients that leave, and bugs."""

import contextlib
import http.client
import socket
import time

import pytest

from app import guard
from app.serving import Served
from tests.helpers.serving import FORM_HEAD, GOOD, UNFINISHED, status_and_detail, until


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/v1/tasks", "/v1/tasks/nothing", "/openapi.json"])
def test_head_gets_the_headers_of_get_and_no_body(server, path):
    status, _, headers = server.get(path)
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    with contextlib.closing(connection):
        for _ in range(2):  # the connection goes on: nothing was left in it
            connection.request("HEAD", path)
            answer = connection.getresponse()
            assert (answer.status, answer.headers["content-type"]) == (status, headers["content-type"])
            assert int(answer.headers["content-length"]) > 0
            assert answer.read() == b""


def test_a_slow_request_is_a_408_and_frees_its_slot(server, monkeypatch):
    monkeypatch.setattr(guard, "SECONDS", 0.3)
    monkeypatch.setattr(guard, "DRAIN_SECONDS", 0.2)
    start = time.monotonic()
    status, detail = status_and_detail(server.raw(FORM_HEAD + UNFINISHED))
    assert status == 408
    assert "did not arrive within 0.3 s" in detail
    assert time.monotonic() - start < 5
    assert b"assay_waiting_requests 0.0" in server.get("/metrics")[1]


def test_a_slow_answer_is_a_503_with_retry_after(server, monkeypatch):
    monkeypatch.setattr(guard, "SECONDS", 0.3)
    monkeypatch.setattr(Served, "predict", lambda *_: time.sleep(1))
    status, content, headers = server.send("/predict/", ("a.png", GOOD), field="file")
    assert (status, headers["retry-after"]) == (503, "5")
    assert "No answer within 0.3 s" in content["detail"]


def test_a_disconnected_client_is_only_counted(server, caplog):
    before = server.get("/metrics")[1].count(b'status="499"')
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(FORM_HEAD + UNFINISHED)
    until(lambda: server.get("/metrics")[1].count(b'status="499"') > before, "it is counted")
    assert b"assay_waiting_requests 0.0" in server.get("/metrics")[1]
    assert not caplog.records


def test_a_bug_is_a_500_and_its_message_stays_hidden(server, monkeypatch, caplog):
    def fail(*arguments):
        raise KeyError("a-patients-name")

    monkeypatch.setattr(Served, "predict", fail)
    status, content, headers = server.send("/predict/", ("a.png", GOOD), field="file")
    assert (status, headers["content-type"]) == (500, "application/problem+json")
    assert content["detail"] == "Internal error. The server's log shows where; please report it."
    until(lambda: "KeyError while answering /predict/" in caplog.text, "it is logged")
    assert 'raise KeyError("a-patients-name")' in caplog.text  # our line, which names no value of a request
    assert "a-patients-name" not in caplog.text.replace('raise KeyError("a-patients-name")', "")

    monkeypatch.undo()
    assert server.send("/predict/", ("a.png", GOOD), field="file")[0] == 200
