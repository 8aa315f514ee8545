"""Python and DVC as processes that are forked from one which has imported the libraries, and none of the project's modules.

A stage works for half a second and imports for one, with a network or MLflow for five; tests/e2e runs hundreds.
"""

import atexit
import gc
import importlib
import marshal
import multiprocessing
import os
import runpy
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import types
from pathlib import Path

from filelock import FileLock

LIBRARIES = """
dvc.cli dvc.commands.checkout dvc.commands.config dvc.commands.repro dvc.commands.status dvc.repo
dvc.repo.experiments dvc.repo.reproduce dvc_data.index dvc_render filelock jinja2 joblib
matplotlib.backends.backend_agg matplotlib.figure pandas PIL.Image pydantic ruamel.yaml scipy.ndimage scipy.optimize
scipy.sparse scipy.stats sklearn.compose sklearn.ensemble sklearn.impute sklearn.linear_model sklearn.metrics
sklearn.model_selection sklearn.neighbors sklearn.pipeline sklearn.preprocessing threadpoolctl yaml
keras keras.applications tensorflow tensorflow.lite.python.lite
mlflow mlflow.pyfunc mlflow.store.model_registry.sqlalchemy_store mlflow.store.tracking.sqlalchemy_store
""".split()
# What libraries read as they are imported: as in estimators/_network.py and tracking/mlflow_store.py
SETTINGS = {"CUDA_VISIBLE_DEVICES": "-1", "KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}
SETTINGS |= {"MLFLOW_DISABLE_TELEMETRY": "true"}
PYTHON = sys.executable

# Hands its streams, folder and environment over, passes on the signals that end a process, and ends as the process does.
CLIENT = """#!{python} -IS
import _socket, array, marshal, os, signal, sys
link = _socket.socket(_socket.AF_UNIX)
link.connect({address!r})
order = marshal.dumps(([{name!r}, *sys.argv[1:]], os.getcwd(), dict(os.environ)))
rights = [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, array.array("i", [0, 1, 2]))]
link.sendmsg([len(order).to_bytes(4, "big")], rights)
link.sendall(order)
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda number, frame: link.sendall(bytes([number])))
end = int.from_bytes(link.recv(2), "big", signed=True)
if end < 0:
    signal.signal(-end, signal.SIG_DFL)
    os.kill(os.getpid(), -end)
os._exit(end)
"""


def programs() -> str:
    """Return the folder with `python` and `dvc` of this kind, one for all workers; without Linux's pidfd there is none."""
    session = os.getppid() if "PYTEST_XDIST_WORKER" in os.environ else os.getpid()
    folder = Path(tempfile.gettempdir(), f"warm-{session}")
    if hasattr(os, "pidfd_open"):
        folder.mkdir(exist_ok=True)
        with FileLock(folder / "lock"):
            if not (folder / "dvc").exists():
                subprocess.run([PYTHON, __file__, str(folder), str(session)], env=os.environ | SETTINGS, check=True)
    return str(folder)


def warm_python() -> str:
    """Return the path of that `python`, or of this one where there is none."""
    return shutil.which("python", path=programs()) or PYTHON


def main(folder: str, session: str) -> None:
    """Go to the background once all is imported, and fork a process for each connection until the process `session` ends."""
    sys.path.pop(0)
    for name in LIBRARIES:
        importlib.import_module(name)
    # What MLflow asks each time a model is registered, and then keeps: which package each module is of
    sys.modules["mlflow.utils.requirements_utils"]._init_packages_to_modules_map()
    address, ended = str(Path(folder, "socket")), os.pidfd_open(int(session))
    sys.executable = str(Path(address).with_name("python"))  # what it starts is warm, too, but for workers of a pool
    multiprocessing.set_executable(PYTHON)
    assert threading.active_count() == 1, "a process with threads cannot be forked"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(address)
        server.listen(64)
        for name in ("python", "dvc"):
            program = Path(folder, name)
            program.write_text(CLIENT.format(python=PYTHON, address=address, name=name))
            program.chmod(0o755)
        if os.fork():
            os._exit(0)
        gc.collect()
        gc.freeze()  # or the first full collection in each process goes through all of this, and copies it: .4 s
        os.setsid()
        for stream in range(3):
            os.dup2(os.open(os.devnull, os.O_RDWR), stream)
        while True:
            ready, _, _ = select.select([server, ended], [], [], 1)
            while any_ended():
                pass
            if ended in ready:
                shutil.rmtree(folder)
                return
            if server in ready:
                link, _ = server.accept()
                if not os.fork():
                    server.close()
                    os._exit(supervise(link))
                link.close()


def any_ended() -> bool:
    """Collect a child that has ended, so that its time counts as this process'."""
    try:
        return os.waitpid(-1, os.WNOHANG)[0] > 0
    except ChildProcessError:
        return False


def supervise(link: socket.socket) -> int:
    """Run what the client orders in a process of its own, which gets its signals and ends with it; report how it ended."""
    size, streams, _, _ = socket.recv_fds(link, 4, 3)
    left, order = int.from_bytes(size, "big"), b""
    while len(order) < left:
        order += link.recv(left - len(order))
    process = os.fork()
    if not process:
        link.close()
        work(*marshal.loads(order), streams)
    for stream in streams:
        os.close(stream)
    ended = os.pidfd_open(process)
    while ended not in (ready := select.select([link, ended], [], [])[0]):
        number = link.recv(1) if ready else b""
        os.kill(process, number[0] if number else signal.SIGKILL)
        if not number:  # the client was killed
            break
    code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    if ended in ready:
        link.sendall(code.to_bytes(2, "big", signed=True))
    return 0


def work(arguments: list[str], folder: str, environment: dict[str, str], streams: list[int]) -> None:
    """Be the program that was called, from a fresh `__main__` on; never return."""
    for own, stream in enumerate(streams):
        os.dup2(stream, own)
        os.close(stream)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    code = 1
    try:
        call(*arguments)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    threading._shutdown()
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)


def call(program: str, *arguments: str) -> None:
    """Run the program in this process as Python's command line would."""
    main_module = sys.modules["__main__"] = types.ModuleType("__main__")
    sys.path[:0] = filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))
    sys.dont_write_bytecode = bool(os.environ.get("PYTHONDONTWRITEBYTECODE"))
    if program == "dvc":
        from dvc.cli import main

        sys.argv = [str(Path(PYTHON).with_name("dvc")), *arguments]
        sys.exit(main())
    kind, what, *rest = arguments
    if kind == "-m":
        sys.argv = [what, *rest]
        sys.path.insert(0, os.getcwd())
        runpy._run_module_as_main(what)
    elif kind == "-c":
        sys.argv = ["-c", *rest]
        sys.path.insert(0, "")
        exec(compile(what, "<string>", "exec"), main_module.__dict__)
    else:
        os.execv(PYTHON, [PYTHON, *arguments])


if __name__ == "__main__":
    main(*sys.argv[1:])
