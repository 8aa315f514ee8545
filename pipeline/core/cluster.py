"""Run work on a Dask cluster with the same results as on this machine; if a worker is killed, its work is done again.

The cluster must see the project's folder under the same path and have the packages of requirements.txt. Only items and results
travel over the network. The function, with all its arrays, is a file in the project that each worker reads once: data that Dask
scatters are lost with their workers, and joblib's own Dask backend, which scatters them, then fails or waits forever.
"""

import importlib
import logging
import os
import pickle
import sys
import threading
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cloudpickle
from distributed import Client, Future, KilledWorker, get_worker
from distributed.comm import CommClosedError

from pipeline.core.artifacts import JSON
from pipeline.core.errors import ClusterError
from pipeline.core.threads import scratch_folder

WAIT = 10  # seconds for the scheduler, for its first worker, and for a new one when the last is lost
AHEAD = 4  # items submitted per thread of the cluster; bounds memory
PACKAGES = ("numpy", "scipy", "scikit-learn", "pillow", "opencv-python-headless", "ai-edge-litert", "keras")
# Of code and results: with others a worker crashes on what it is sent.
CARRIERS = ("dask", "distributed", "cloudpickle")


class ClusterFailure(Exception):
    """The cluster cannot do the work; the message says why and what to do."""


def run_on_cluster(function: Callable[[Any], Any], items: Iterable[Any], address: str, alone: bool) -> Iterator[Any]:
    """Yield `function(item)` for every item, in order; with `alone` a worker process runs one item at a time.

    Raises ClusterError if the scheduler or its workers are missing, have other versions, or are lost.
    """
    with cluster_errors(address), connected(address) as client, scratch_folder() as folder:
        file = folder.resolve() / "function.pkl"
        file.write_bytes(cloudpickle.dumps(function))
        check_versions(client)
        check_folder(client, file)
        call = with_code(call_on_worker)
        waiting: deque[Future] = deque()
        for item in items:
            waiting.append(client.submit(call, item, str(Path.cwd()), str(file), alone, pure=False))
            if len(waiting) >= AHEAD * sum(client.nthreads().values()):
                yield result(waiting.popleft(), client)
        while waiting:
            yield result(waiting.popleft(), client)


@contextmanager
def cluster_errors(address: str) -> Iterator[None]:
    """Turn failures of the cluster in the block into a ClusterError that names the address."""
    try:
        yield
    except ClusterFailure as error:
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
    """Yield a client of the scheduler; raise ClusterFailure if it or any worker is missing after WAIT seconds."""
    # It prints a traceback of every exception that it raises.
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    warnings.filterwarnings("ignore", "Mismatched versions found")  # `check_versions` refuses them
    try:
        client = Client(address, timeout=WAIT, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ClusterFailure(
            f"no Dask scheduler answers there ({error}); start it with 'dask scheduler', or unset ASSAY_DASK to work on "
            "this machine"
        ) from None
    with client:
        try:
            client.wait_for_workers(1, timeout=WAIT)
        except TimeoutError:
            raise ClusterFailure(f"the scheduler has no workers; start some with 'dask worker {address}'") from None
        yield client


def check_versions(client: Client) -> None:
    """Raise ClusterFailure if a worker or the scheduler has another Python or other packages, before any code is sent.

    Byte code of another Python ends a worker without a message. The scheduler computes nothing: PACKAGES may differ there.
    """
    answers = client.get_versions(packages=list(PACKAGES))
    here = installed(answers["client"])
    asked: list[tuple[str, Any, tuple[str, ...]]] = [("the scheduler", answers["scheduler"], ("Python", *CARRIERS))]
    asked += [
        (f"the worker {name}", info, ("Python", *CARRIERS, *PACKAGES)) for name, info in answers["workers"].items()
    ]
    for name, info, compared in asked:
        there = installed(info)
        other = [f"{part} {there[part]}, here {here[part]}" for part in compared if there[part] != here[part]]
        if other:
            raise ClusterFailure(
                f"{name} has {'; '.join(other)}; results could differ, or it could crash: install requirements.txt there, with "
                f"Python {here['Python']}"
            )


def installed(info: JSON) -> dict[str, str]:
    """Return the version of Python, as in 3.11, and of each package that `get_versions` names, "none" if it is missing."""
    packages = {name: version or "none" for name, version in info["packages"].items()}
    return packages | {"Python": ".".join(packages["python"].split(".")[:2])}


def check_folder(client: Client, file: Path) -> None:
    """Raise ClusterFailure if a worker does not see `file`, which is new."""
    for worker, is_seen in client.run(os.path.exists, str(file)).items():
        if not is_seen:
            raise ClusterFailure(
                f"the worker {worker} does not see {file.parents[2]}; a cluster has to share the project's folder, under the "
                "same path"
            )


def result(future: Future, client: Client) -> Any:
    """Return or raise the result of a call; raise ClusterFailure if no worker is left."""
    while True:
        try:
            return pickle.loads(future.result(timeout=WAIT))
        except TimeoutError:
            if future.done():
                raise  # a TimeoutError of the call itself
            if not client.nthreads():
                raise ClusterFailure("all workers were lost; start some and run this again") from None


def with_code(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that is pickled with its code: a worker can import the project only after it changed to its folder."""
    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    code = cloudpickle.dumps(function)
    cloudpickle.unregister_pickle_by_value(sys.modules[__name__])
    return lambda *arguments: cloudpickle.loads(code)(*arguments)


def call_on_worker(item: Any, folder: str, file: str, alone: bool) -> bytes:
    """Return, on a worker, the pickled result of the function in `file` for `item`.

    A process serves one such file at a time, because the working folder and imported code belong to the process: a call of
    another stage or project waits until no other call is running.
    """
    state = vars(get_worker()).setdefault("assay", {"file": "", "busy": 0, "free": threading.Condition()})
    with state["free"]:
        state["free"].wait_for(lambda: not state["busy"] or (state["file"] == file and not alone))
        if state["file"] != file:
            state["function"] = load(folder, file, state.get("folder", ""))
            state["file"], state["folder"] = file, folder
        state["busy"] += 1
    try:
        return pickle.dumps(state["function"](item))
    finally:
        with state["free"]:
            state["busy"] -= 1
            state["free"].notify_all()


def load(folder: str, file: str, last: str) -> Callable[..., Any]:
    """Return, on a worker, the function in `file`, with the project's current code from `folder`.

    `last` is the folder of the project before, which may be gone by now.
    """
    for name in [name for name in sys.modules if name.split(".")[0] == "pipeline"]:
        del sys.modules[name]
    os.chdir(folder)
    sys.path[:] = [folder, *(path for path in sys.path if path not in (folder, last))]
    importlib.invalidate_caches()
    from pipeline.core.threads import one_thread

    function = pickle.loads(Path(file).read_bytes())
    one_thread()  # stays: calls share the process, so no single call can end it
    return function
