"""Work in threads of this process, each with one thread of BLAS and OpenMP; and a folder for files that it leaves."""

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

# joblib warns about a generator that is abandoned because of an error; the error itself is enough
warnings.filterwarnings("ignore", r".*tasks (have been successfully executed|which were still being)", module="joblib")


def run_here(function: Callable[[Any], Any], items: Iterable[Any], workers: int) -> Iterator[Any]:
    """Yield `function(item)` for every item, in order, over `workers` threads of this process.

    Threads are enough because the expensive work (decoding, LiteRT, BLAS, forests) releases the GIL; a process would spend
    seconds on imports.
    """
    with one_thread():
        yield from Parallel(n_jobs=workers, prefer="threads", return_as="generator")(
            delayed(function)(item) for item in items
        )


def one_thread() -> threadpool_limits:
    """Limit BLAS and OpenMP to one thread per caller, in libraries that are loaded and in those still to be loaded.

    With more threads the order of sums, and so the last bits of a result, would depend on the machine. The limit on loaded
    libraries ends with a `with` block; the one on later libraries, such as scikit-learn's neighbours, stays.
    """
    os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return threadpool_limits(limits=1)


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Yield a temporary folder inside the project, which a cluster's workers can see too."""
    CACHE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        yield Path(folder)
