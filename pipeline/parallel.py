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

SCRATCH = Path(".cache")

# Of a generator that is left because of an error, which is what there is to say
warnings.filterwarnings("ignore", r".*tasks (have been successfully executed|which were still being)", module="joblib")


def run_parallel(function: Callable, items: Iterable[Any], workers: int) -> Iterator[Any]:
    """Yield `function(item)` for every item, in order, over `workers` threads; with one worker, one after the other.

    Threads, because what is heavy here (decoding, LiteRT, BLAS, forests) releases the lock and a process would cost
    seconds of imports. BLAS gets one thread per worker: with more, the order of its sums, and so the last bits of a
    result, would depend on the machine.

    With the address of a Dask scheduler in ASSAY_DASK the cluster's workers do it, with the same results: `function` may be
    a closure, files are named by paths in the project's folder, and with `workers` 1 each process does one at a time.
    """
    cluster = os.environ.get("ASSAY_DASK")
    if cluster:
        from pipeline.cluster import run_on_cluster

        yield from run_on_cluster(function, items, cluster, alone=workers == 1)
        return
    with threadpool_limits(limits=1):
        yield from Parallel(n_jobs=workers, prefer="threads", return_as="generator")(
            delayed(function)(item) for item in items
        )


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Yield a folder for the time of the block; it lies in the project, so that a cluster's workers see it, too."""
    SCRATCH.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=SCRATCH) as folder:
        yield Path(folder)
