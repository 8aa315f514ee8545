"""What one request, and all of them together, may cost. Everything here is enforced before the memory is spent.

The number of pixels is limited in `data.images`, from a picture's header.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

from starlette.requests import Request

from app.problems import Problem, busy

MB = 1_000_000
FILE_BYTES = 32 * MB
FILES = 32  # pictures in one request
VALUE_BYTES = 1000  # of a form's field beside the pictures
PAGE_FILES = 200  # pictures that a page of the app answers at once
BODY_BYTES = 64 * MB  # of a request with pictures
JSON_BYTES = 2 * MB  # of a request with rows
EXPLAINED = 100  # rows in one request that asks for explanations: of a forest 10 to 30 ms each
ROWS = 1000
HEADER_BYTES = 32_768  # of one request; browsers and proxies send some kilobytes
SECONDS = 30  # from a request's first byte to its answer
WAITING = 64  # requests at work or in the queue: a third of a second of work at 200 a second
HELD_BYTES = 128 * MB  # of all their bodies


class Gate:
    """The bounded queue before the predictors: who does not fit in is told to come back instead of waiting."""

    def __init__(self, requests: int = WAITING, held: int = HELD_BYTES):
        self.requests, self.held = requests, held  # what is still free

    @contextmanager
    def admit(self) -> Iterator["Ticket"]:
        """Take a place for as long as the block lasts; raise a 503 where there is none."""
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
    """A place in the queue, and how many bytes are kept for it."""

    def __init__(self, gate: Gate):
        self.gate, self.size = gate, 0

    def hold(self, size: int) -> None:
        """Count `size` bytes more; raise a 503 where all requests together would hold too many."""
        if size > self.gate.held:
            raise busy("Other requests hold the memory for uploads. Send this one again after a second.")
        self.gate.held -= size
        self.size += size


async def chunks(request: Request, ticket: Ticket, limit: int) -> AsyncIterator[bytes]:
    """Yield the body as it comes; raise a 413 as soon as it says, or shows, that it is over `limit` bytes."""
    encoding = request.headers.get("content-encoding", "identity")
    if encoding.lower() != "identity":
        raise Problem(415, f"The body is encoded ({encoding[:40]}). Send it as it is, without Content-Encoding.")
    said, size = request.headers.get("content-length", ""), 0
    if said.isdecimal() and int(said[:20]) > limit:
        raise too_large("The request", limit)
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise too_large("The request", limit)
        ticket.hold(len(chunk))
        yield chunk


def too_large(what: str, limit: int) -> Problem:
    """Return the 413 for `what`."""
    return Problem(413, f"{what} is over {limit // MB} MB. Send less at once, or a smaller version of the picture.")
