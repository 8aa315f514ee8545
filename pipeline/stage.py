"""How every stage starts and ends: errors become one line and an exit code, its duration goes to a log."""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

TIMINGS = Path("logs/timings.jsonl")  # git-ignored: a duration is never part of an output


class AssayError(Exception):
    """Something that the user can mend: shown as one line, without a traceback."""

    exit_code = 2


class ParamsError(AssayError):
    """params.yaml says something that cannot be done."""


class DataError(AssayError):
    """The raw data are not as expected."""


class SplitError(AssayError):
    """The samples cannot be divided as params.yaml asks."""


class BackboneError(AssayError):
    """The pretrained network cannot be had."""


class BundleError(AssayError):
    """A bundle's files are missing or are not what its bundle.json says."""


class StageError(AssayError):
    """A stage's input is missing, because an earlier stage has not run."""


def run(main: Callable[..., None]) -> None:
    """Call `main(*argv)` as a process: exit 0, or 2 with one line on stderr where the user can mend it.

    A missing input file of the project becomes such a line too; any other exception is a bug of ours and keeps its
    traceback (exit 1). The duration is appended to `logs/timings.jsonl`.
    """
    module = main.__globals__["__spec__"].name.removeprefix("pipeline.")
    start = time.perf_counter()
    try:
        main(*sys.argv[1:])
    except AssayError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print(f"{module}: stopped by the keyboard; nothing half-written is kept", file=sys.stderr)
        sys.exit(130)
    TIMINGS.parent.mkdir(exist_ok=True)
    with TIMINGS.open("a", encoding="utf-8") as log:
        entry = {"stage": module, "key": " ".join(sys.argv[1:]), "seconds": round(time.perf_counter() - start, 3)}
        log.write(json.dumps(entry) + "\n")


def require(path: str | Path, stage: str) -> Path:
    """Return `path`; raise StageError, naming the stage that writes it, where it does not exist."""
    path = Path(path)
    if not path.exists():
        raise StageError(f"{path.as_posix()} is missing: run 'dvc repro {stage}', which writes it")
    return path
