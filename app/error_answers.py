"""Answers where no route answers: unknown paths, wrong parameters, problems that a route raises, bugs, lost clients."""

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from app.problems import Problem


def add(app: FastAPI) -> None:
    """Let the application answer with these."""
    app.add_exception_handler(HTTPException, not_here)
    app.add_exception_handler(RequestValidationError, not_understood)
    app.add_exception_handler(Problem, raised)
    app.add_exception_handler(Exception, a_bug)  # the guard logs it
    app.add_exception_handler(ClientDisconnect, gone)


async def not_here(request: Request, error: HTTPException) -> Response:
    """Answer an unknown path or a method that it does not have."""
    detail = {404: "There is nothing at this path.", 405: f"This path does not take {request.method[:20]}."}
    reason = detail.get(error.status_code, str(error.detail))
    return Problem(error.status_code, f"{reason} /docs shows what there is.", dict(error.headers or {})).response()


async def not_understood(request: Request, error: RequestValidationError) -> Response:
    """Answer a parameter in the address that is not what it should be."""
    first = error.errors()[0]
    return Problem(
        422, f"{first['loc'][-1]}={str(first['input'])[:80]!r}: {first['msg'].lower()}. /docs shows it."
    ).response()


async def raised(request: Request, error: Problem) -> Response:
    """Answer with the problem that a route raised."""
    return error.response()


async def a_bug(request: Request, error: Exception) -> Response:
    """Answer where none was foreseen."""
    return Problem(500, "A bug of ours. The server's log says where; please report it.").response()


async def gone(request: Request, error: ClientDisconnect) -> Response:
    """Count a request whose sender went away, as proxies do it; nobody reads the answer."""
    return Response(status_code=499)
