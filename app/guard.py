"""What stands around every route: the key, the time limit, problem documents for whatever goes wrong, the figures."""

import asyncio
import logging
import time
import traceback
from typing import Any

from app import keys
from app.limits import BODY_BYTES, SECONDS
from app.metrics import Metrics
from app.problems import Problem

DRAIN_SECONDS = 5
log = logging.getLogger("assay.api")


class Guard:
    """An ASGI application around another one."""

    def __init__(self, app: Any, metrics: Metrics, known: list[bytes]):
        self.app, self.metrics, self.known = app, metrics, known

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        if (
            scope["method"] == "HEAD"
        ):  # answered as a GET; the server, which has a scope of its own, leaves the body out
            scope = scope | {"method": "GET"}
        start, exchange = time.perf_counter(), Exchange(scope, receive, send)
        try:
            keys.check(self.known, scope["path"], scope["headers"])
            async with asyncio.timeout(SECONDS):
                await self.app(scope, exchange.receive, exchange.send)
        except Problem as problem:
            await exchange.refuse(problem)
        except TimeoutError:
            await exchange.refuse(exchange.too_slow())
        except Exception as error:  # a bug of ours: its place is logged, not its message, which may hold what was sent
            place = "".join(traceback.format_tb(error.__traceback__)[-3:])
            log.error("%s while answering %s:\n%s", type(error).__name__, route_of(scope), place)
        finally:
            self.metrics.requests.labels(route_of(scope), exchange.status).inc()
            self.metrics.seconds.labels(route_of(scope)).observe(time.perf_counter() - start)


class Exchange:
    """One request and its answer, and how far both have come."""

    def __init__(self, scope: dict[str, Any], receive: Any, send: Any):
        self.scope, self._receive, self._send = scope, receive, send
        self.status, self.read = 0, False

    async def receive(self) -> dict[str, Any]:
        message = await self._receive()
        self.read = message["type"] == "http.disconnect" or not message.get("more_body", False)
        return message

    async def send(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            if not self.read and self.status >= 400 and not await self._drain():
                message["headers"] = [*message["headers"], (b"connection", b"close")]
        await self._send(message)

    async def _drain(self) -> bool:
        """Read on, keeping nothing, so that a client that only sends finds the answer; return whether it ended."""
        headers = dict(self.scope["headers"])
        if b"expect" in headers:  # it waits for leave to send
            return False
        left = BODY_BYTES
        try:
            async with asyncio.timeout(DRAIN_SECONDS):
                while left > 0 and not self.read:
                    left -= len((await self.receive()).get("body", b""))
        except TimeoutError:
            pass
        return self.read

    async def refuse(self, problem: Problem) -> None:
        """Answer with a problem, unless an answer is under way already."""
        if not self.status:
            await problem.response()(self.scope, self.receive, self.send)

    def too_slow(self) -> Problem:
        """Return the problem of a request that took over the time limit: its sender's fault, or ours."""
        if self.read:
            return Problem(503, f"No answer within {SECONDS} s. Send less at once, or later.", {"Retry-After": "5"})
        return Problem(408, f"The request did not arrive within {SECONDS} s. Send it again, over a faster connection.")


def route_of(scope: dict[str, Any]) -> str:
    """Return the route's pattern, never the path that was asked for."""
    return getattr(scope.get("route"), "path", "other")
