"""Errors as problem documents (RFC 9457): what was received, what was expected, what to do."""

import json
from http import HTTPStatus
from typing import Any

from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"
MEANINGS = {  # of the statuses that routes answer with
    400: "Not valid HTTP",
    401: "No key, or an unknown key",
    403: "A name or a page that is not permitted, or a server without keys, which accepts no samples",
    404: "No such task",
    408: "The request took too long to arrive",
    413: "Too large or too many",
    415: "Another content type is expected",
    422: "Nothing could be used; the reason is given",
    431: "The headers are too large",
    500: "Internal error",
    507: "The disk is full; samples that were not accepted are not stored",
    503: "Busy, loading or refused: try again after Retry-After seconds",
}


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
