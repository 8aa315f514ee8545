"""One writer of params.yaml at a time: two commands that read, change and write it would lose what one of them added."""

from collections.abc import Iterator
from contextlib import contextmanager

from filelock import FileLock, Timeout

from pipeline.core.errors import ParamsError
from pipeline.core.paths import CACHE

LOCK = CACHE / "params.lock"
WAIT = 60  # seconds


@contextmanager
def locked() -> Iterator[None]:
    """Hold params.yaml; raise ParamsError where another command does not let go of it."""
    LOCK.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(LOCK, timeout=WAIT):
            yield
    except Timeout:
        raise ParamsError(
            f"params.yaml is being changed by another command for {WAIT} s; wait for it, then try again"
        ) from None
