"""Work in parallel: always through joblib, with as many workers as params.yaml says, and one thread for each."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from joblib import Parallel, delayed
from threadpoolctl import threadpool_limits


def run_parallel(function: Callable, items: Iterable[Any], workers: int) -> Iterator[Any]:
    """Yield `function(item)` for every item, in order, over `workers` threads.

    Threads, because what is heavy here (decoding, LiteRT, BLAS, forests) releases the lock and a process would cost
    seconds of imports. BLAS gets one thread per worker: with more, the order of its sums, and so the last bits of a
    result, would depend on the machine. A `joblib.parallel_config` backend set around the call takes precedence.
    """
    with threadpool_limits(limits=1):
        yield from Parallel(n_jobs=workers, prefer="threads", return_as="generator")(
            delayed(function)(item) for item in items
        )
