"""Keys, and addresses that need them."""

import logging

import pytest

from app import keys
from app.problems import Problem
from tests.helpers.serving import GOOD, running


def test_with_keys_every_answer_but_the_probes_needs_one(server, caplog):
    key = "a key with spaces and ü".encode().decode("latin-1")  # as a header carries it
    with caplog.at_level(logging.DEBUG), running("another, a key with spaces and ü ,") as client:
        for path in ("/v1/tasks", "/metrics", "/nowhere", "/v1/tasks/skin"):
            status, content, headers = client.get(path)
            assert (status, headers["www-authenticate"]) == (401, "Bearer"), path
            assert "Authorization: Bearer KEY" in content["detail"]
        for path in ("/healthz", "/readyz", "/openapi.json", "/docs", "/static-offline-docs/swagger-ui.css"):
            assert client.get(path)[0] == 200
        for wrong in ("Bearer a key", "Bearer ", f"Basic {key}", key, "Bearer", "Bearer anothe", "Bearer another,"):
            assert client.send("/predict/", ("a.png", GOOD), field="file", authorization=wrong)[0] == 401, wrong
        for right in (f"Bearer {key}", "bearer another", "Bearer  another "):
            assert client.send("/predict/", ("a.png", GOOD), field="file", authorization=right)[0] == 200, right
    assert "another" not in caplog.text


def test_two_keys_in_one_request_are_none():
    first, other = (b"authorization", b"Bearer a"), (b"authorization", b"Bearer b")
    assert keys.sent([first]) == keys.digest(b"a")
    assert keys.sent([first, other]) == keys.sent([]) == b""
    with pytest.raises(Problem, match="A key is needed"):
        keys.check(keys.parse("a,b"), "/v1/tasks", [first, other])


def test_keys_are_kept_as_hashes_and_none_are_none():
    assert keys.parse("") == keys.parse(" , ,") == []
    assert b"secret" not in keys.parse("secret")[0]
    assert len(keys.parse("a, b,c")) == 3


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("::1", True), ("127.8.8.8", True), ("localhost", True)]
    + [(host, False) for host in ("0.0.0.0", "::", "192.168.1.2", "example.org", "", "127.0.0.1.example.org")],
)
def test_only_this_machine_can_reach_a_loopback_address(host, expected):
    assert keys.is_loopback(host) is expected
