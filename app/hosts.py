"""The names under which a request may address this server, and the origins of pages that may ask it.

A page elsewhere whose name is made to resolve to this machine (DNS rebinding) would otherwise read what only this machine may
see. A browser sends the name of the page's address as `Host`, so a name that nobody allowed is refused. Addresses in numbers
and `localhost` cannot be made to resolve to another machine. Starlette's TrustedHostMiddleware takes IPv6 addresses apart at
their colons and cannot allow all addresses in numbers.
"""

import argparse
import ipaddress
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.problems import Problem

OPTION = "--allowed-hosts"
Headers = list[tuple[bytes, bytes]]
NOT_FRAMED: Headers = [(b"content-security-policy", b"frame-ancestors 'none'"), (b"x-frame-options", b"DENY")]


def add_option(parser: argparse.ArgumentParser) -> None:
    """Add the option with the permitted names to a command line."""
    names = "comma-separated names under which the server may be addressed, besides localhost and addresses in numbers"
    parser.add_argument(OPTION, type=parse, default=frozenset(), metavar="NAMES", help=names)


def parse(text: str) -> frozenset[str]:
    """Return the names of a comma-separated list, in lower case."""
    return frozenset(name.strip().lower() for name in text.split(",") if name.strip())


def check(allowed: frozenset[str], scope: Scope) -> None:
    """Raise a Problem unless the request addresses this server by a permitted name and comes from no page of another origin.

    400: no or several Host headers. 403: a name that is neither `localhost`, an address in numbers nor one of `allowed`, or
    an Origin other than the server's own.
    """
    hosts = values(scope["headers"], b"host")
    if len(hosts) != 1 and not (not hosts and scope.get("http_version") == "1.0"):
        raise Problem(400, f"Found {len(hosts)} Host headers; expected one. Use an HTTP library to send the request.")
    host = hosts[0] if hosts else "localhost"
    if not is_own(name_of(host), allowed):
        raise Problem(
            403,
            f"This server does not answer to the name {name_of(host)[:100]!r}. Use localhost or the address in numbers, or "
            f"start it with {OPTION} followed by this name.",
        )
    for origin in values(scope["headers"], b"origin"):
        page = netloc_of(origin)
        if page.lower() != host.lower() and name_of(page) not in allowed:
            raise Problem(
                403,
                f"A page of {origin[:100]!r} may not use this server, which is {host[:100]!r} here. If both are its "
                f"addresses, start it with {OPTION} followed by the name of the page.",
            )


def values(headers: Headers, name: bytes) -> list[str]:
    """Return the values of a header, in order."""
    return [value.decode("latin-1") for key, value in headers if key == name]


def netloc_of(origin: str) -> str:
    """Return the `host:port` of an origin; "" if it is not valid."""
    try:
        return urlsplit(origin).netloc
    except ValueError:  # such as "http://["
        return ""


def name_of(host: str) -> str:
    """Return the name or address in `host:port`, in lower case; "" if it is not valid."""
    try:
        parts = urlsplit(f"//{host}")
        return (parts.hostname or "").rstrip(".") if parts.netloc == host and "@" not in host else ""
    except ValueError:
        return ""


def is_own(name: str, allowed: frozenset[str]) -> bool:
    """Return whether a name is `localhost`, an address in numbers or one of `allowed`."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return name == "localhost" or name in allowed
    return True


class OwnHost:
    """ASGI middleware of the app: refuses what `check` refuses, websockets included, and no page may frame the answers."""

    def __init__(self, app: ASGIApp, allowed: frozenset[str]):
        self.app, self.allowed = app, allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            return await self.app(scope, receive, send)

        async def not_framed(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *NOT_FRAMED]
            await send(message)

        try:
            check(self.allowed, scope)
        except Problem as problem:
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008, "reason": problem.detail[:100]})
            else:
                await problem.response()(scope, receive, not_framed)
        else:
            await self.app(scope, receive, not_framed)
