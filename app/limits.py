"""Limits for one request and for all requests together, enforced before memory is allocated.

`data.images` limits the number of pixels, from an image's header.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

from starlette.requests import Request

from app.problems import Problem, busy

MB = 1_000_000
FILE_BYTES = 32 * MB
FILES = 32  # images in one request
TOGETHER = 200  # images of one patient in one request, which get one answer
VALUE_BYTES = 1000  # of a form field other than the images
PAGE_FILES = 200  # images that a page of the app predicts at once
BODY_BYTES = 64 * MB  # of a request with images
JSON_BYTES = 2 * MB  # of a request with rows
EXPLAINED = 100  # rows in one request with explanations, which take 10 to 30 ms each for a forest
ROWS = 1000
HEADER_BYTES = 32_768  # of one request; browsers and proxies send a few kilobytes
SECONDS = 30  # from a request's first byte to its response
WAITING = 64  # requests in progress or in the queue: a third of a second of work at 200 requests per second
HELD_BYTES = 128 * MB  # of all their bodies


class Gate:
    """The bounded queue before the predictors: requests beyond it get a 503 instead of waiting."""

    def __init__(self, requests: int = WAITING, held: int = HELD_BYTES):
        self.requests, self.held = requests, held  # free capacity

    @contextmanager
    def admit(self) -> Iterator["Ticket"]:
        """Take a slot for the duration of the block; raise a 503 if none is free."""
        if self.requests < 1:
            raise busy(f"{WAITING} requests are waiting already. Send this one again after a second.")
        ticket = Ticket(self)
        self.requests -= 1
        try:
            yield ticket
        finally:
            self.requests += 1
            self.held += ticket.size


class Ticket:
    """A slot in the queue, and the number of bytes held for it."""

    def __init__(self, gate: Gate):
        self.gate, self.size = gate, 0

    def hold(self, size: int) -> None:
        """Count `size` more bytes; raise a 503 if all requests together would hold too many."""
        if size > self.gate.held:
            raise busy("Other requests hold the memory for uploads. Send this one again after a second.")
        self.gate.held -= size
        self.size += size


async def chunks(request: Request, ticket: Ticket, limit: int) -> AsyncIterator[bytes]:
    """Yield the body in chunks; raise a 413 once its declared or actual size exceeds `limit` bytes."""
    encoding = request.headers.get("content-encoding", "identity")
    if encoding.lower() != "identity":
        raise Problem(415, f"The body is encoded ({encoding[:40]}). Send it as it is, without Content-Encoding.")
    declared, size = request.headers.get("content-length", ""), 0
    if declared.isdecimal() and int(declared[:20]) > limit:
        raise too_large("The request", limit)
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise too_large("The request", limit)
        ticket.hold(len(chunk))
        yield chunk


def too_large(what: str, limit: int) -> Problem:
    """Return the 413 for `what`."""
    return Problem(413, f"{what} is over {limit // MB} MB. Send less at once, or a smaller version of the image.")
