"""Which names and origins a request may use."""

import asyncio

import pytest

from app import hosts
from app.hosts import OwnHost
from app.problems import Problem

NAMES = hosts.parse("assay.example.org, Other")


def scope(*headers: tuple[str, str], version: str = "1.1", kind: str = "http") -> dict:
    """Return a request with these headers."""
    return {
        "type": kind,
        "http_version": version,
        "method": "GET",
        "headers": [(a.encode(), b.encode()) for a, b in headers],
    }


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:8000", "127.0.0.1:1", "[::1]:8000", "10.0.0.7", "other:80", "assay.example.org."]
)
def test_own_names_and_addresses_in_numbers_are_served(host):
    hosts.check(NAMES, scope(("host", host)))
    hosts.check(NAMES, scope(("host", host), ("origin", f"http://{host}")))


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8000",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "",
        "[::1",
        "a@b",
        "a@localhost",
        "localhost/a",
    ],
)
def test_other_names_are_a_403_with_the_remedy(host):
    with pytest.raises(Problem, match="start it with --allowed-hosts followed by this name") as caught:
        hosts.check(NAMES, scope(("host", host)))
    assert caught.value.status == 403


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "null", "http://localhost:3000", "https://localhost:8000.evil.example", "x", "http://["],
)
def test_a_page_of_another_origin_is_refused(origin):
    with pytest.raises(Problem, match="may not use this server") as caught:
        hosts.check(NAMES, scope(("host", "localhost:8000"), ("origin", origin)))
    assert caught.value.status == 403


def test_a_proxy_may_change_the_host_of_a_permitted_page():
    hosts.check(NAMES, scope(("host", "127.0.0.1:8000"), ("origin", "https://assay.example.org")))


def test_none_and_two_host_headers_are_a_400():
    for headers in ([], [("host", "localhost"), ("host", "localhost")]):
        with pytest.raises(Problem, match=f"Found {len(headers)} Host headers; expected one"):
            hosts.check(NAMES, scope(*headers))
    hosts.check(NAMES, scope(version="1.0"))


def sent(kind: str, *headers: tuple[str, str]) -> list[dict]:
    """Return what the middleware sends for a request, with an app that answers 200 or accepts."""
    messages: list[dict] = []

    async def answer(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def send(message):
        messages.append(message)

    asyncio.run(OwnHost(answer, NAMES)(scope(*headers, kind=kind), None, send))
    return messages


def test_answers_may_not_be_framed_and_foreign_names_get_none():
    (answer,) = sent("http", ("host", "localhost"))
    assert answer["status"] == 200
    assert (b"content-security-policy", b"frame-ancestors 'none'") in answer["headers"]
    refused, _ = sent("http", ("host", "evil.example"))
    assert refused["status"] == 403
    assert (b"x-frame-options", b"DENY") in refused["headers"]
    (closed,) = sent("websocket", ("host", "localhost"), ("origin", "http://evil.example"))
    assert (closed["type"], closed["code"]) == ("websocket.close", 1008)
