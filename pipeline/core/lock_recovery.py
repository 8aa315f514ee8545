"""Set aside what a killed DVC left half written, so that the next `dvc repro` goes on.

DVC 3.67 writes dvc.lock, and its list of who reads and writes what (rwlock), by emptying the file first. A kill or a full disk in
that half second leaves a part of it, which every later `dvc` command refuses. Nothing is lost then: the committed dvc.lock and
the run cache hold all but the stage that was under way. A whole rwlock may name a process that is gone and whose number another
program has now: DVC would wait for that. docs/recovery.md says how to do the same by hand.
"""

import json
import os
import re
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import chain
from pathlib import Path

import psutil
import yaml
from dvc.rwlock import SCHEMA
from dvc.schema import COMPILED_LOCKFILE_SCHEMA
from filelock import FileLock
from voluptuous import Invalid

from pipeline.core import artifacts, params, paths

LOCK, RWLOCK = Path("dvc.lock"), Path(".dvc/tmp/rwlock")
WRITING = 5  # s since the last change, after which no DVC is still writing the file; it takes half a second


def recover() -> list[str]:
    """Set a broken dvc.lock and rwlock of the current folder aside; return what was done, a sentence each.

    Raises UnreadableError where a merge left a conflict in dvc.lock.
    """
    if not is_broken(LOCK, is_lock) and not is_broken(RWLOCK, is_rwlock) and not find_others():
        return []
    paths.CACHE.mkdir(parents=True, exist_ok=True)
    with FileLock(paths.CACHE / "recover.lock"):  # two commands after a kill: the second finds it done
        return set_broken_aside()


def set_broken_aside() -> list[str]:
    """Do what `recover` says, as the only process that does."""
    lines = []
    if is_broken(LOCK, is_lock):
        # Which side of a merge to take is the user's choice
        artifacts.refuse_conflict(LOCK, LOCK.read_text(encoding="utf-8", errors="replace"))
        aside = set_aside(LOCK)
        committed = committed_lock()
        if committed:
            artifacts.write_bytes(LOCK, committed)
            now = "the committed one is used"
        else:
            now = "there is no committed one"
        lines.append(
            f"dvc.lock was half written, as after a kill or on a full disk: it is kept as {aside.as_posix()}, and {now}; "
            "'dvc repro' takes what was finished from the run cache"
        )
    if is_broken(RWLOCK, is_rwlock):
        aside = set_aside(RWLOCK)
        lines.append(
            f"DVC's list of running commands, {RWLOCK.as_posix()}, was half written: it is kept as {aside.as_posix()}"
        )
    elif others := find_others():
        aside = set_aside(RWLOCK)
        lines.append(
            f"DVC's list of running commands, {RWLOCK.as_posix()}, named a DVC that is gone; its number now belongs to "
            f"{', '.join(others)}: it is kept as {aside.as_posix()}"
        )
    return lines


def find_others() -> list[str]:
    """Return the living processes in the rwlock, name and number, if none of them is a DVC; else an empty list."""
    try:
        content, written = RWLOCK.read_bytes(), RWLOCK.stat().st_mtime
    except FileNotFoundError:
        return []
    if not is_rwlock(content):  # a DVC is just writing it
        return []
    lock = SCHEMA(json.loads(content))
    listed = [*lock["write"].values(), *chain.from_iterable(lock["read"].values())]
    others = []
    for number in sorted({info["pid"] for info in listed}):
        with suppress(psutil.NoSuchProcess, ValueError):  # ValueError: a number below 0
            process = psutil.Process(number)
            if may_be_dvc(process, written):
                return []
            others.append(f"{process.name()} (process {number})")
    return others


def may_be_dvc(process: psutil.Process, written: float) -> bool:
    """Return whether a process may have written the rwlock, whose time this is, as DVC or as a Python program that calls it."""
    try:
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        words = [process.name(), *process.cmdline()]
        if any("dvc_program" in word or Path(word).name in ("dvc", "dvc.exe") for word in words):
            return True
        # a script's name is its own, and its first word the Python that runs it
        return any("python" in word.lower() for word in words[:2]) and process.create_time() < written + WRITING
    except psutil.AccessDenied:
        return True


def is_broken(path: Path, is_whole: Callable[[bytes], bool]) -> bool:
    """Return whether there is such a file and DVC would refuse it; one that is just being written is waited for."""
    until = time.monotonic() + WRITING  # however late the file says it is, where the clock was set back
    while path.exists():
        try:
            content, changed = path.read_bytes(), path.stat().st_mtime
        except FileNotFoundError:  # set aside by another command
            return False
        if is_whole(content):
            return False
        left = min(WRITING - (time.time() - changed), until - time.monotonic())
        if left < 0:
            return True
        time.sleep(min(1, left + 0.01))
    return False


class _Loader(params.LOADER):
    """Takes for a number what DVC's parser, of YAML 1.2, does: a hash that is cut to 3362e4 is none."""


_Loader.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(r"\d[\d_]*[eE][-+]?\d+$"), list("0123456789"))


def is_lock(content: bytes) -> bool:
    """Return whether DVC reads these bytes as a dvc.lock. DVC's own parser takes half a second for one, this 30 ms."""
    try:
        COMPILED_LOCKFILE_SCHEMA(yaml.load(content.decode(), _Loader))  # DVC takes no UTF-16, which PyYAML does
    except (yaml.YAMLError, ValueError, Invalid):
        return False
    return True


def is_rwlock(content: bytes) -> bool:
    """Return whether DVC reads these bytes as a rwlock."""
    try:
        SCHEMA(json.loads(content))
    except (ValueError, Invalid):
        return False
    return True


def set_aside(path: Path) -> Path:
    """Move a file to logs/ under a name that is free, and return that."""
    paths.LOGS.mkdir(exist_ok=True)
    number = 1
    while (target := paths.LOGS / f"{path.name}.broken-{number}").exists():
        number += 1
    os.replace(path, target)
    return target


def committed_lock() -> bytes:
    """Return dvc.lock as it was committed last; empty where there is no git, no commit or no such file in it."""
    try:
        done = subprocess.run(["git", "show", f"HEAD:./{LOCK}"], capture_output=True, check=False)
    except OSError:
        return b""
    return done.stdout if done.returncode == 0 and is_lock(done.stdout) else b""
