"""Error responses: unknown paths, invalid parameters, problems raised by a route, bugs, disconnected clients."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from app.problems import Problem


async def unknown_path(request: Request, error: HTTPException) -> Response:
    """Respond to an unknown path or method."""
    detail = {404: "There is nothing at this path.", 405: f"This path does not support {request.method[:20]}."}
    reason = detail.get(error.status_code, str(error.detail))
    return Problem(error.status_code, f"{reason} /docs lists all paths.", dict(error.headers or {})).response()


async def invalid_parameter(request: Request, error: RequestValidationError) -> Response:
    """Respond to an invalid parameter of the URL."""
    first = error.errors()[0]
    return Problem(
        422, f"{first['loc'][-1]}={str(first['input'])[:80]!r}: {first['msg'].lower()}. See /docs."
    ).response()


async def as_document(request: Request, error: Problem) -> Response:
    """Respond with the problem that a route raised."""
    return error.response()


async def internal_error(request: Request, error: Exception) -> Response:
    """Respond to an unexpected exception."""
    return Problem(500, "Internal error. The server's log shows where; please report it.").response()


async def disconnected(request: Request, error: ClientDisconnect) -> Response:
    """Count a request whose client disconnected, with the status that proxies use; nobody reads the response."""
    return Response(status_code=499)


HANDLERS: dict[int | type[Exception], Callable[[Request, Any], Coroutine[Any, Any, Response]]] = {
    HTTPException: unknown_path,
    RequestValidationError: invalid_parameter,
    Problem: as_document,
    Exception: internal_error,  # the guard logs it
    ClientDisconnect: disconnected,
}
