"""Middleware of every route: permitted hosts, authentication, time limit, problem documents for errors, metrics."""

import asyncio
import logging
import time
import traceback

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import hosts, keys
from app.limits import BODY_BYTES, SECONDS
from app.metrics import Metrics
from app.problems import Problem

DRAIN_SECONDS = 5
log = logging.getLogger("assay.api")


class Guard:
    """An ASGI application that wraps another one."""

    def __init__(self, app: ASGIApp, metrics: Metrics, known: list[bytes], allowed: frozenset[str] = frozenset()):
        self.app, self.metrics, self.known, self.allowed = app, metrics, known, allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        # A HEAD is handled as a GET; the server, which has its own scope, omits the body.
        if scope["method"] == "HEAD":
            scope = {**scope, "method": "GET"}
        start, exchange = time.perf_counter(), Exchange(scope, receive, send)
        try:
            hosts.check(self.allowed, scope)
            keys.check(self.known, scope["path"], scope["headers"])
            async with asyncio.timeout(SECONDS):
                await self.app(scope, exchange.receive, exchange.send)
        except Problem as problem:
            await exchange.refuse(problem)
        except TimeoutError:
            await exchange.refuse(exchange.too_slow())
        except Exception as error:  # log the traceback without the message, which may contain submitted data
            frames = "".join(traceback.format_tb(error.__traceback__)[-3:])
            log.error("%s while answering %s:\n%s", type(error).__name__, route_of(scope), frames)
        finally:
            self.metrics.requests.labels(route_of(scope), exchange.status).inc()
            self.metrics.seconds.labels(route_of(scope)).observe(time.perf_counter() - start)


class Exchange:
    """One request and its response, and the progress of both."""

    def __init__(self, scope: Scope, receive: Receive, send: Send):
        self.scope, self._receive, self._send = scope, receive, send
        self.status, self.read = 0, False

    async def receive(self) -> Message:
        message = await self._receive()
        self.read = message["type"] == "http.disconnect" or not message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            if not self.read and self.status >= 400 and not await self._drain():
                message["headers"] = [*message["headers"], (b"connection", b"close")]
            message["headers"] = [*message["headers"], *hosts.NOT_FRAMED]
        await self._send(message)

    async def _drain(self) -> bool:
        """Read and discard the rest of the request, so that the client reads the response; return whether it ended."""
        headers = dict(self.scope["headers"])
        if b"expect" in headers:  # the client waits for permission to send
            return False
        remaining = BODY_BYTES
        try:
            async with asyncio.timeout(DRAIN_SECONDS):
                while remaining > 0 and not self.read:
                    remaining -= len((await self.receive()).get("body", b""))
        except TimeoutError:
            pass
        return self.read

    async def refuse(self, problem: Problem) -> None:
        """Respond with a problem, unless a response has started already."""
        if not self.status:
            await problem.response()(self.scope, self.receive, self.send)

    def too_slow(self) -> Problem:
        """Return the problem of a request over the time limit: 503 if it was received in full, else 408."""
        if self.read:
            return Problem(
                503, f"No answer within {SECONDS} s. Send less at once, or try again later.", {"Retry-After": "5"}
            )
        return Problem(408, f"The request did not arrive within {SECONDS} s. Send it again, over a faster connection.")


def route_of(scope: Scope) -> str:
    """Return the route's pattern, never the requested path."""
    return getattr(scope.get("route"), "path", "other")
