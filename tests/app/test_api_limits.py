"""What a request may cost, and what the server keeps of it: nothing."""

import logging
import os
import socket
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest

from app import guard, limits
from app.problems import Problem
from app.serving import Served
from tests.serving import BOUNDARY, GOOD, ROW, Client, form, make_project, running, until

MULTIPART = f"multipart/form-data; boundary={BOUNDARY}"
HEAD = f"POST /predict/ HTTP/1.1\r\nHost: x\r\nContent-Type: {MULTIPART}\r\n".encode()
START = b"Content-Length: 1000\r\n\r\n" + form(("a.png", b"half"), field="file")[:90]  # of a request that does not end
written: list[str] = []


def watch(event: str, arguments: tuple) -> None:
    """Note every file that Python opens for writing; an audit hook cannot be taken away again."""
    if event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR):
        written.append(str(arguments[0]))


sys.addaudithook(watch)


@pytest.fixture(scope="module")
def server(tmp_path_factory, program) -> Client:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("limited"))
        make_project(program)
        with running() as client:
            yield client


def status_and_detail(answer: bytes) -> tuple[int, str]:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"application/problem+json" in head, answer[:300]
    return int(head.split()[1]), body.decode()


# Sizes and numbers


def test_an_excessive_content_length_is_refused_before_reading(server):
    size = limits.BODY_BYTES + 1
    data = HEAD + f"Content-Length: {size}\r\nExpect: 100-continue\r\n\r\n".encode()
    status, detail = status_and_detail(server.raw(data, seconds=2))
    assert status == 413
    assert "The request is over 64 MB. Send less at once, or a smaller version of the image." in detail


def test_an_excessive_chunked_body_is_refused_while_reading(server, monkeypatch):
    monkeypatch.setattr(limits, "BODY_BYTES", 100_000)
    chunk = b"2710\r\n" + b"x" * 10_000 + b"\r\n"
    data = HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 30 + b"0\r\n\r\n"
    status, _ = status_and_detail(server.raw(data.replace(b"1.1\r\n", b"1.1\r\nConnection: close\r\n", 1)))
    assert status in (413, 422)
    body = form(("a.png", b"x" * 200_000), field="file")
    chunked = b"".join(f"{len(part):x}\r\n".encode() + part + b"\r\n" for part in (body[:50_000], body[50_000:]))
    data = HEAD + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked + b"0\r\n\r\n"
    assert status_and_detail(server.raw(data))[0] == 413


def test_a_client_that_only_sends_still_gets_its_413(server, monkeypatch):
    monkeypatch.setattr(limits, "FILE_BYTES", 1_000_000)
    status, content, _ = server.send("/predict/", ("a.png", b"x" * 20_000_000), field="file")
    assert (status, content["detail"][:21]) == (413, "A file is over 1 MB. ")


def test_too_many_files_or_rows_are_refused(server):
    files = [("a.png", b"x")] * limits.FILES
    assert server.send("/v1/tasks/skin/predict", *files)[0] == 422
    status, content, _ = server.send("/v1/tasks/skin/predict", *files, ("one more", b"x"))
    assert (status, content["detail"]) == (413, "The form has over 32 parts. Send the files in several requests.")
    assert server.send("/v1/tasks/skin/predict", *files, ("one more", b"x"), field="another")[0] == 413
    status, content, _ = server.rows(*[ROW] * (limits.ROWS + 1))
    assert (status, content["detail"][:20]) == (413, "Found 1001 rows; at ")


def test_too_many_pixels_are_refused_from_the_image_header(server):
    import struct
    import zlib

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    block = b"IHDR" + header
    png = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + block + struct.pack(">I", zlib.crc32(block))
    data = zlib.compress(bytes(10_000_000), 9)
    png += struct.pack(">I", len(data)) + b"IDAT" + data + struct.pack(">I", zlib.crc32(b"IDAT" + data))
    status, content, _ = server.send("/predict/", ("bomb.png", png), field="file")
    assert (status, "over 50 megapixels; scale it down" in content["detail"]) == (422, True)


@pytest.mark.parametrize("size", [limits.HEADER_BYTES, 1_000_000, 20_000_000])
@pytest.mark.parametrize("kind", ["one", "many", "address", "endless name"])
def test_headers_over_the_limit_are_refused_and_the_connection_closed(server, kind, size):
    start = {
        "one": b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Big: " + b"a" * size + b"\r\n\r\n",
        "many": b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + b"X: aaaa\r\n" * (size // 4) + b"\r\n",
        "address": b"GET /" + b"a" * size + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        "endless name": b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + b"a" * size * 2,
    }[kind]
    answer = server.raw(start, seconds=5)
    assert (not answer and size > 100_000) or status_and_detail(answer)[0] == 431  # a reset may overtake the answer
    assert server.get("/healthz")[0] == 200


# Time


def test_a_slow_request_is_a_408_and_frees_its_slot(server, monkeypatch):
    monkeypatch.setattr(guard, "SECONDS", 0.3)
    monkeypatch.setattr(guard, "DRAIN_SECONDS", 0.2)
    start = time.monotonic()
    status, detail = status_and_detail(server.raw(HEAD + START))
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


# The queue


def test_a_full_queue_refuses_at_once_and_recovers(server, monkeypatch):
    leave, real = threading.Event(), Served.predict

    def slow(self, *arguments):
        leave.wait(30)
        return real(self, *arguments)

    monkeypatch.setattr(Served, "predict", slow)
    answers = []
    ask = lambda: answers.append(server.send("/predict/", ("a.png", GOOD), field="file"))  # noqa: E731
    threads = [threading.Thread(target=ask) for _ in range(limits.WAITING + 20)]
    for thread in threads:
        thread.start()
    until(lambda: len(answers) == 20, "20 are turned away")
    for status, content, headers in answers:
        assert (status, headers["retry-after"]) == (503, "1")
        assert content["detail"] == "64 requests are waiting already. Send this one again after a second."
    assert server.get("/healthz")[0] == 200
    leave.set()
    for thread in threads:
        thread.join()
    assert sorted(status for status, _, _ in answers) == [200] * limits.WAITING + [503] * 20
    assert server.send("/predict/", ("a.png", GOOD), field="file")[0] == 200


def test_uploads_stay_within_their_memory_limit_and_release_it():
    gate = limits.Gate(requests=5, held=100)
    with gate.admit() as first, gate.admit() as second:
        first.hold(60)
        second.hold(40)
        with gate.admit() as third, pytest.raises(Problem) as raised:
            third.hold(1)
        assert (raised.value.status, raised.value.headers) == (503, {"Retry-After": "1"})
    assert (gate.requests, gate.held) == (5, 100)


def test_a_disconnected_client_is_only_counted(server, caplog):
    before = server.get("/metrics")[1].count(b'status="499"')
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(HEAD + START)
    until(lambda: server.get("/metrics")[1].count(b'status="499"') > before, "it is counted")
    assert b"assay_waiting_requests 0.0" in server.get("/metrics")[1]
    assert not caplog.records


# Nothing is kept


def test_uploads_and_their_names_reach_neither_disk_nor_log(server, caplog):
    marked = [("a-patients-name.png", GOOD), ("another-name.png", b"not a picture, 3 MB " + b"secret" * 500_000)]
    files = set(Path(tempfile.gettempdir()).iterdir()) | set(Path().rglob("*"))
    del written[:]
    with caplog.at_level(logging.DEBUG):
        assert server.send("/v1/tasks/skin/predict", *marked)[0] == 200
        assert server.send("/v1/tasks/skin/predict?note=a-patients-name", marked[1])[0] == 422
        assert server.rows({"age": "a-patients-name"})[0] == 422
        assert server.get("/a-patients-name")[0] == 404
    assert [name for name in written if "/dev/" not in name] == []
    assert not [path for path in set(Path().rglob("*")) - files if path.is_file()]
    for record in caplog.records:
        text = record.getMessage()
        assert not [said for said in ("a-patients-name", "another-name", "secret") if said in text], text


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
