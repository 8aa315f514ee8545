"""Headers have a limit, and valid requests before an invalid one are answered."""

import pytest

from app import limits
from tests.helpers.serving import status_and_detail


@pytest.mark.parametrize("size", [limits.HEADER_BYTES, 1_000_000, 20_000_000])
@pytest.mark.parametrize("kind", ["one", "many", "address", "endless name"])
def test_headers_over_the_limit_are_refused_and_the_connection_closed(server, kind, size):
    start = {
        "one": b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Big: " + b"a" * size + b"\r\n\r\n",
        "many": b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n" + b"X: aaaa\r\n" * (size // 4) + b"\r\n",
        "address": b"GET /" + b"a" * size + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "endless name": b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n" + b"a" * size * 2,
    }[kind]
    answer = server.raw(start, seconds=5)
    assert (not answer and size > 100_000) or status_and_detail(answer)[0] == 431  # a reset may overtake the answer
    assert server.get("/healthz")[0] == 200


def test_a_large_body_is_no_header_and_the_connection_stays(server):
    body = b"x" * (limits.HEADER_BYTES + 10_000)
    post = b"POST /v1/tasks/none/predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    answers = server.raw(post + post + GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), seconds=5)
    assert [answer[:3] for answer in answers.split(b"HTTP/1.1 ")[1:]] == [b"404", b"404", b"200"]


GET = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
CHUNKED = b"POST /predict/ HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
BAD = {
    "no HTTP": b"\x16\x03\x01\r\n\r\n",
    "bad header": b"GET / HTTP/1.1\r\nHost: localhost\r\nBad Header\r\n\r\n",
    "large header": b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * limits.HEADER_BYTES + b"\r\n\r\n",
    "bad chunk": CHUNKED + b"zz\r\n",
}


@pytest.mark.parametrize("before", [0, 1, 5])
@pytest.mark.parametrize("bad", BAD)
def test_requests_before_an_invalid_one_are_answered(server, bad, before, caplog):
    answers = server.raw(GET * before + BAD[bad] + GET, seconds=10)
    assert answers.count(b"HTTP/1.1 200 OK") == before
    assert status_and_detail(b"HTTP/1.1 " + answers.split(b"HTTP/1.1 ")[-1])[0] == (
        431 if bad == "large header" else 400
    )
    assert answers.count(b"HTTP/1.1 ") == before + 1
    assert not caplog.records
