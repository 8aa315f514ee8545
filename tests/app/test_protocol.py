"""Headers have a limit."""

import pytest

from app import limits
from tests.serving import status_and_detail


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
