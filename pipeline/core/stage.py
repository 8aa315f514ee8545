"""Run a stage or command as a process: an error becomes one line and an exit code; the duration is logged."""

import errno
import importlib
import inspect
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from pipeline.core import artifacts
from pipeline.core.errors import AssayError, StageError
from pipeline.core.paths import TIMINGS

T = TypeVar("T")
# Errors of the operating system with causes outside the project: full disk, missing permissions.
REFUSALS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM)


def run(main: Callable[..., None]) -> None:
    """Call `main(*argv)` as a process: exit 0, or 2 with one line on stderr for an error that the user can fix.

    Wrong arguments, a full disk and missing permissions are such errors too; any other exception is a bug and keeps
    its traceback (exit 1). The duration is appended to `logs/timings.jsonl`.
    """
    name = main.__globals__["__spec__"].name
    main = importlib.import_module(
        name
    ).main  # instead of __main__'s: workers of a cluster import functions by module name
    module = name.removeprefix("pipeline.")
    start = time.perf_counter()
    if "DVC_STAGE" in os.environ:
        threading.Thread(target=end_with_parent, args=[os.getppid()], daemon=True).start()
    check_arguments(main, module)
    try:
        main(*sys.argv[1:])
        # A stage has at most one key; further arguments are names of files, which may identify patients
        if len(sys.argv) <= 2:
            with unless_read_only():
                log_duration(module, time.perf_counter() - start)
    except AssayError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print(f"{module}: interrupted; no half-written file is kept", file=sys.stderr)
        sys.exit(130)
    except OSError as error:
        if error.errno not in REFUSALS:
            raise
        where = f" ({error.filename})" if error.filename else ""
        print(
            f"{module}: {error.strerror}{where}; free disk space or change the permissions, then run it again",
            file=sys.stderr,
        )
        sys.exit(2)


def end_with_parent(parent: int) -> None:
    """End this process when `parent`, which is DVC, was killed: its outputs must not mix with those of the next run."""
    while os.getppid() == parent:
        time.sleep(0.2)
    os._exit(137)


def check_arguments(main: Callable[..., None], module: str) -> None:
    """Exit 2 with the usage unless `main` accepts the arguments of this process."""
    try:
        inspect.signature(main).bind(*sys.argv[1:])
    except TypeError:
        names = " ".join(name.upper() for name in inspect.signature(main).parameters)
        print(f"usage: python -m pipeline.{module} {names}".rstrip(), file=sys.stderr)
        sys.exit(2)


def log_duration(module: str, seconds: float) -> None:
    """Append the duration to the log."""
    TIMINGS.parent.mkdir(exist_ok=True)
    entry = {"stage": module, "key": " ".join(sys.argv[1:]), "seconds": round(seconds, 3)}
    with TIMINGS.open("a", encoding="utf-8") as log:
        log.write(json.dumps(entry) + "\n")


@contextmanager
def unless_read_only() -> Iterator[None]:
    """Do without what a project that may only be read does not take: the command itself has succeeded."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.EROFS, errno.EACCES, errno.EPERM):
            raise


def durations() -> dict[str, float]:
    """Return how long each stage took last in this workspace, in s."""
    if not TIMINGS.exists():
        return {}
    lines = [json.loads(line) for line in TIMINGS.read_text(encoding="utf-8").splitlines() if line.endswith("}")]
    return {f"{line['stage']}@{line['key']}".rstrip("@"): line["seconds"] for line in lines}


def read_result(kind: type[T], path: Path, stage: str) -> T:
    """Return what `stage` wrote to `path`, as the dataclass `kind`; raise StageError if it has not run."""
    return artifacts.from_json(kind, artifacts.read_json(require(path, stage)))


def require(path: str | Path, stage: str) -> Path:
    """Return `path`; raise StageError with the stage that writes it if it does not exist."""
    path = Path(path)
    if not path.exists():
        raise StageError(f"{path.as_posix()} is missing: run 'dvc repro {stage}', which writes it")
    return path
