"""Bring everything, or single tasks, up to date: `dvc repro` by the names of tasks, then their leaderboards.

    python -m pipeline.repro              all tasks
    python -m pipeline.repro skin         the task skin, up to its report
    python -m pipeline.repro skin --dry   further options are those of `dvc repro`

A dvc.lock that a killed DVC left half written is set aside first (docs/recovery.md). Afterwards the pixels of development images,
the largest files that stages write, are links into DVC's cache where the file system allows it, so that they are kept once.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from pipeline.core import command_line, dvc_program, lock_recovery, params
from pipeline.core.errors import StageError
from pipeline.core.paths import CACHE, DATA
from pipeline.core.stage import run

SMALL = 1_000_000  # bytes, of which two copies do not matter


@contextmanager
def alone() -> Iterator[None]:
    """Let one 'assay run' work at a time: DVC waits for its lock, but not for the files that another DVC is writing."""
    CACHE.mkdir(parents=True, exist_ok=True)
    lock = FileLock(CACHE / "run.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        print("another 'assay run' is under way in this project; this one starts when it has ended", file=sys.stderr)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command."""
    about = "Bring everything up to date with DVC; further options are those of 'dvc repro'."
    parser = command_line.parser("pipeline.repro", about, "", "skin", "skin --dry")
    parser.add_argument("tasks", nargs="*", metavar="TASK", help="a task of params.yaml; default: all")
    return parser


def link_pixels() -> None:
    """Make each dev_pixels.npy in `data` a link to its copy in DVC's cache; it is read-only then.

    Other outputs stay copies: whoever writes into a linked file changes the cache, and no stage writes into this one.
    """
    alone = [
        path for path in DATA.glob("*/dev_pixels.npy") if path.stat().st_size > SMALL and path.stat().st_nlink == 1
    ]
    if not alone:
        return
    from dvc.exceptions import DvcException
    from dvc.repo import Repo  # takes a second

    with Repo(config={"cache": {"type": ["reflink", "hardlink", "copy"]}}) as repo:
        cache = Path(repo.cache.local.path)
        if cache.exists() and cache.stat().st_dev == DATA.stat().st_dev:
            for path in alone:
                with suppress(DvcException):  # of a task that is gone, or not in the cache any more: it stays as it is
                    repo.checkout([str(path)], relink=True)


def main(*arguments: str) -> None:
    given, options = build_parser().parse_known_args(arguments)
    params.load()  # names what is wrong before DVC does
    for task in given.tasks:
        params.task(task)  # raises for a task that there is not
    stages = [f"report@{task}" for task in given.tasks]
    clean = {name: value for name, value in os.environ.items() if name not in command_line.CALLED}
    with alone():
        for line in lock_recovery.recover():
            print(line)
        if subprocess.run(
            [*dvc_program.command(), "--wait-for-lock", "repro", *stages, *options], env=clean, check=False
        ).returncode:
            raise StageError(
                "dvc repro failed, see above; fix the cause and run the same again: what is finished is kept"
            )
        if "--dry" not in options:
            link_pixels()
    subprocess.run([sys.executable, "-m", "pipeline.leaderboard", *given.tasks], check=True)


if __name__ == "__main__":
    run(main)
