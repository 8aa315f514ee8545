"""Keep the output of C++ libraries, often hundreds of lines, off the screen."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet() -> Iterator[None]:
    """Discard everything that the block prints to the process's stdout and stderr, unless the block fails."""
    with tempfile.TemporaryFile() as kept:
        sys.stdout.flush(), sys.stderr.flush()
        before = os.dup(1), os.dup(2)
        os.dup2(kept.fileno(), 1), os.dup2(kept.fileno(), 2)
        try:
            yield
        except BaseException:
            kept.seek(0)
            os.write(before[1], kept.read())
            raise
        finally:
            sys.stdout.flush(), sys.stderr.flush()
            os.dup2(before[0], 1), os.dup2(before[1], 2)
            for copy in before:
                os.close(copy)
