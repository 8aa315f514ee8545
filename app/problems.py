"""Errors as problem documents (RFC 9457): what was received, what was expected, what to do."""

import json
from http import HTTPStatus
from typing import Any

from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"


class Problem(Exception):
    """An error response. `more` are members of the document in addition to the standard ones."""

    def __init__(self, status: int, detail: str, headers: dict[str, str] | None = None, **more: Any):
        super().__init__(detail)
        self.status, self.detail, self.headers, self.more = status, detail, headers or {}, more

    def response(self) -> Response:
        """Return the document as a response."""
        title = HTTPStatus(self.status).phrase
        content = {"type": "about:blank", "title": title, "status": self.status, "detail": self.detail} | self.more
        return Response(to_json(content), self.status, self.headers, MEDIA_TYPE)


def busy(detail: str) -> Problem:
    """Return a 503 that asks the client to try again after a second."""
    return Problem(503, detail, {"Retry-After": "1"})


def to_json(content: Any) -> bytes:
    """Return JSON in UTF-8; a lone surrogate that a client sent becomes a question mark."""
    return json.dumps(content, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace")
