"""Answers are cut to what a caller needs."""

from app import answers
from tests.helpers.serving import ROW


def test_a_long_reason_is_cut(server):
    _, content, _ = server.rows(ROW | {"x" * 10_000: 1}, ROW)
    assert len(content["predictions"][0]["reason"]) == answers.REASON
