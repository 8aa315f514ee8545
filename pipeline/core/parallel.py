"""Run work in parallel: with joblib on this machine, or on the Dask cluster in ASSAY_DASK; each item uses one thread."""

import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from pipeline.core.threads import run_here


def run_parallel(function: Callable[[Any], Any], items: Iterable[Any], workers: int) -> Iterator[Any]:
    """Yield `function(item)` for every item, in order, `workers` at a time.

    With the address of a Dask scheduler in ASSAY_DASK the cluster does the work, with the same results: `function` may be a
    closure, it names files by paths relative to the project, and with `workers` 1 each process runs one item at a time.
    """
    if on_cluster():
        from pipeline.core.cluster import run_on_cluster  # Dask takes a second to load

        return run_on_cluster(function, items, os.environ["ASSAY_DASK"], alone=workers == 1)
    return run_here(function, items, workers)


def on_cluster() -> bool:
    """Return whether parallel work goes to a cluster."""
    return bool(os.environ.get("ASSAY_DASK"))
