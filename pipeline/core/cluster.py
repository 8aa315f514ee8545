"""Work on a Dask cluster, with the same results as on this machine; a worker that is killed costs time only.

The cluster has to see the project's folder under the same path, and to have the packages of requirements.txt. Only items and
results travel over the network. The function, with all the arrays it carries, is a file in the project, which every worker reads
once: data that Dask spreads over workers itself are lost with them, and joblib's Dask backend then fails, or waits for ever.
"""

import importlib
import logging
import os
import pickle
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import cloudpickle
from distributed import Client, Future, KilledWorker, get_worker
from distributed.comm import CommClosedError

from pipeline.core.errors import ClusterError
from pipeline.core.parallel import scratch_folder

WAIT = 10  # seconds for the scheduler, then for its first worker, and for another one when the last is lost
AHEAD = 4  # pieces of work handed out for each of the cluster's threads: what is kept in memory
PACKAGES = ("numpy", "scipy", "scikit-learn", "pillow", "opencv-python-headless", "ai-edge-litert", "keras")


class Lost(Exception):
    """The cluster cannot do the work; the text says why, and what to do."""


def run_on_cluster(function: Callable[[Any], Any], items: Iterable[Any], address: str, alone: bool) -> Iterator[Any]:
    """Yield `function(item)` for every item, in order; with `alone` no worker process does two at a time.

    Raises ClusterError where the scheduler or its workers are not there, differ, or are lost on the way.
    """
    with explained(address), connected(address) as client, scratch_folder() as folder:
        file = folder.resolve() / "function.pkl"
        file.write_bytes(cloudpickle.dumps(function))
        check_workers(client, file)
        call = by_value(call_on_worker)
        waiting: deque[Future] = deque()
        for item in items:
            waiting.append(client.submit(call, item, str(Path.cwd()), str(file), alone, pure=False))
            if len(waiting) >= AHEAD * sum(client.nthreads().values()):
                yield result(waiting.popleft(), client)
        while waiting:
            yield result(waiting.popleft(), client)


@contextmanager
def explained(address: str) -> Iterator[None]:
    """Raise ClusterError, naming the address, for what the cluster does in the block."""
    try:
        yield
    except Lost as error:
        raise ClusterError(f"ASSAY_DASK={address}: {error}") from None
    except KilledWorker as error:
        raise ClusterError(
            f"ASSAY_DASK={address}: {error.allowed_failures + 1} workers died on the same piece of work, the last was "
            f"{error.last_worker.address}; their logs say why, most often that memory was short"
        ) from None
    except (CancelledError, CommClosedError):
        raise ClusterError(f"ASSAY_DASK={address}: the scheduler was lost; start it and run this again") from None


@contextmanager
def connected(address: str) -> Iterator[Client]:
    """Yield a client of the scheduler; raise Lost where it, or any worker, is not there after WAIT seconds."""
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # it prints the traceback of what it raises
    try:
        client = Client(address, timeout=WAIT, set_as_default=False)
    except (OSError, ValueError) as error:
        raise Lost(
            f"no Dask scheduler answers there ({error}); start it with 'dask scheduler', or unset ASSAY_DASK to work on "
            "this machine"
        ) from None
    with client:
        try:
            client.wait_for_workers(1, timeout=WAIT)
        except TimeoutError:
            raise Lost(f"the scheduler has no workers; start some with 'dask worker {address}'") from None
        yield client


def check_workers(client: Client, file: Path) -> None:
    """Raise Lost for a worker that does not see `file`, which is new, or has other versions of PACKAGES."""
    for worker, found in client.run(by_value(look_around), str(file), PACKAGES).items():
        if found is None:
            raise Lost(
                f"the worker {worker} does not see {file.parents[2]}; a cluster has to share the project's folder, under the "
                "same path"
            )
        here = versions(PACKAGES)
        other = [f"{name} {found[name]}, here {here[name]}" for name in PACKAGES if found[name] != here[name]]
        if other:
            raise Lost(
                f"the worker {worker} has {'; '.join(other)}; results could differ: install requirements.txt there"
            )


def result(future: Future, client: Client) -> Any:
    """Return what a call returned, or raise what it raised; raise Lost where no worker is left to do it."""
    while True:
        try:
            return pickle.loads(future.result(timeout=WAIT))
        except TimeoutError:
            if future.done():
                raise  # the call's own
            if not client.nthreads():
                raise Lost("all workers were lost; start some and run this again") from None


def by_value(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that takes its code along: a worker can import the project only once it is in its folder."""
    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    code = cloudpickle.dumps(function)
    cloudpickle.unregister_pickle_by_value(sys.modules[__name__])
    return lambda *arguments: cloudpickle.loads(code)(*arguments)


def versions(packages: tuple[str, ...]) -> dict[str, str]:
    """Return the packages' versions, empty text for one that is not installed."""
    found = dict.fromkeys(packages, "")
    for name in packages:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def look_around(file: str, packages: tuple[str, ...]) -> dict[str, str] | None:
    """Runs on a worker: return the versions it has, or None where it does not see the file."""
    return versions(packages) if os.path.exists(file) else None


def call_on_worker(item: Any, folder: str, file: str, alone: bool) -> bytes:
    """Runs on a worker: return, pickled, what the function in `file` returns for `item`.

    A process serves one such file at a time, because folder and imported code belong to the process: another stage's or
    project's call waits until nothing else is going on here.
    """
    desk = vars(get_worker()).setdefault("assay", {"file": "", "busy": 0, "free": threading.Condition()})
    with desk["free"]:
        desk["free"].wait_for(lambda: not desk["busy"] or (desk["file"] == file and not alone))
        if desk["file"] != file:
            desk["function"], desk["file"] = load(folder, file), file
        desk["busy"] += 1
    try:
        return pickle.dumps(desk["function"](item))
    finally:
        with desk["free"]:
            desk["busy"] -= 1
            desk["free"].notify_all()


def load(folder: str, file: str) -> Callable[..., Any]:
    """Runs on a worker: return the function in `file`, with the project's code as it is in `folder` now."""
    for name in [name for name in sys.modules if name.split(".")[0] == "pipeline"]:
        del sys.modules[name]
    others = {folder, os.getcwd()}  # the second is the last project's
    os.chdir(folder)
    sys.path[:] = [folder, *(path for path in sys.path if path not in others)]
    importlib.invalidate_caches()
    from pipeline.core.parallel import one_thread

    function = pickle.loads(Path(file).read_bytes())
    one_thread()  # for good: with several calls in one process nobody could tell when to end it
    return function
