"""What a request may cost, and what the server keeps of it: nothing."""

import logging
import os
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from app import limits
from app.problems import Problem
from app.serving import Served
from tests.helpers.samples import png_header
from tests.helpers.serving import FORM_HEAD, GOOD, ROW, form, status_and_detail, until

written: list[str] = []


def watch(event: str, arguments: tuple) -> None:
    """Note every file that Python opens for writing; an audit hook cannot be taken away again."""
    if event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR):
        written.append(str(arguments[0]))


sys.addaudithook(watch)


def test_an_excessive_content_length_is_refused_before_reading(server):
    size = limits.BODY_BYTES + 1
    data = FORM_HEAD + f"Content-Length: {size}\r\nExpect: 100-continue\r\n\r\n".encode()
    status, detail = status_and_detail(server.raw(data, seconds=2))
    assert status == 413
    assert "The request is over 64 MB. Send less at once, or a smaller version of the image." in detail


def test_an_excessive_chunked_body_is_refused_while_reading(server, monkeypatch):
    monkeypatch.setattr(limits, "BODY_BYTES", 100_000)
    chunk = b"2710\r\n" + b"x" * 10_000 + b"\r\n"
    data = FORM_HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 30 + b"0\r\n\r\n"
    status, _ = status_and_detail(server.raw(data.replace(b"1.1\r\n", b"1.1\r\nConnection: close\r\n", 1)))
    assert status in (413, 422)
    body = form(("a.png", b"x" * 200_000), field="file")
    chunked = b"".join(f"{len(part):x}\r\n".encode() + part + b"\r\n" for part in (body[:50_000], body[50_000:]))
    data = FORM_HEAD + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked + b"0\r\n\r\n"
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
    png = png_header(60_000, 60_000, bytes(10_000_000))
    status, content, _ = server.send("/predict/", ("bomb.png", png), field="file")
    assert (status, "over 50 megapixels; scale it down" in content["detail"]) == (422, True)


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
    until(lambda: len(answers) == 20, "20 are refused")
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


def test_uploads_and_their_names_reach_neither_disk_nor_log(server, caplog):
    marked = [("a-patients-name.png", GOOD), ("another-name.png", b"not an image, 3 MB " + b"secret" * 500_000)]
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
        assert not [message for message in ("a-patients-name", "another-name", "secret") if message in text], text
