"""Work in parallel: through joblib on this machine, or on the Dask cluster that ASSAY_DASK names; one thread for each piece."""

import os
import tempfile
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from joblib import Parallel, delayed
from threadpoolctl import threadpool_limits

from pipeline.core.paths import CACHE

# Of a generator that is left because of an error, which is what there is to say
warnings.filterwarnings("ignore", r".*tasks (have been successfully executed|which were still being)", module="joblib")


def run_parallel(function: Callable[[Any], Any], items: Iterable[Any], workers: int) -> Iterator[Any]:
    """Yield `function(item)` for every item, in order, `workers` side by side; with one worker, one after the other.

    With the address of a Dask scheduler in ASSAY_DASK the cluster's workers do it, with the same results: `function` may be
    a closure, files are named by paths in the project's folder, and with `workers` 1 each process does one at a time.
    """
    if on_cluster():
        from pipeline.core.cluster import run_on_cluster

        return run_on_cluster(function, items, os.environ["ASSAY_DASK"], alone=workers == 1)
    return run_here(function, items, workers)


def on_cluster() -> bool:
    """Return whether work in parallel goes to a cluster."""
    return bool(os.environ.get("ASSAY_DASK"))


def run_here(function: Callable[[Any], Any], items: Iterable[Any], workers: int) -> Iterator[Any]:
    """Yield `function(item)` for every item, in order, over `workers` threads of this process.

    Threads, because what is heavy here (decoding, LiteRT, BLAS, forests) releases the lock and a process would cost
    seconds of imports.
    """
    with one_thread():
        yield from Parallel(n_jobs=workers, prefer="threads", return_as="generator")(
            delayed(function)(item) for item in items
        )


def one_thread() -> threadpool_limits:
    """Let BLAS and OpenMP use one thread for each that calls them, in libraries that are loaded and in those still to come.

    With more, the order of their sums, and so the last bits of a result, would depend on the machine. What is set for the
    former ends with a `with` block; scikit-learn's neighbours are among the latter.
    """
    os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return threadpool_limits(limits=1)


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Yield a folder for the time of the block; it lies in the project, so that a cluster's workers see it, too."""
    CACHE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        yield Path(folder)
