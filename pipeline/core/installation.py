"""The state of an installation: Python, packages, machine, disk, cache, remote and ports."""

import os
import platform
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

import psutil
from packaging.requirements import Requirement

from pipeline.core import lock_recovery, paths
from pipeline.core.artifacts import read_text

GB = 10**9
PYTHONS = ((3, 11), (3, 14))  # from, below: tensorflow has wheels for these
DISK, MEMORY = 5 * GB, 4 * GB  # of which the demo takes 3 and 2
PORTS = {8000: "the API", 8501: "the app", 5000: "MLflow"}
LOCKS = "requirements.txt"


@dataclass(frozen=True)
class Check:
    """One result: `state` is ok, note (works, but worth knowing) or wrong (`text` says what to do)."""

    subject: str
    state: Literal["ok", "note", "wrong"]
    text: str


def check_all() -> list[Check]:
    """Return the results for the project in the current folder."""
    return [python(), packages(), *machine(), disk(), cache(), git(), lock(), backbone(), remote(), *ports()]


def python() -> Check:
    """Check that the lock has wheels for this Python."""
    running = platform.python_version()
    if PYTHONS[0] <= sys.version_info[:2] < PYTHONS[1]:
        return Check("Python", "ok", f"{running}, {platform.system()} {platform.machine()}")
    return Check("Python", "wrong", f"{running}; expected 3.11 to 3.13: make PYTHON=python3.12")


def packages() -> Check:
    """Compare the installed packages with requirements.txt."""
    required = list(locked())
    differing = [f"{name} {own or 'missing'} (locked: {wanted})" for name, wanted, own in required if own != wanted]
    if not differing:
        return Check("packages", "ok", f"all {len(required)} as in {LOCKS}")
    more = f" and {len(differing) - 5} more" if len(differing) > 5 else ""
    remedy = f"'make' or 'pip install --require-hashes -r {LOCKS}'"
    return Check("packages", "wrong", f"{', '.join(differing[:5])}{more}; install them with {remedy}")


def locked() -> Iterator[tuple[str, str, str | None]]:
    """Yield name, locked version and installed version of each package that this system needs."""
    for line in read_text(LOCKS).splitlines():
        if not re.match(r"[a-zA-Z0-9]", line):
            continue
        requirement = Requirement(line.rstrip(" \\"))
        if requirement.marker is None or requirement.marker.evaluate():
            try:
                installed = version(requirement.name)
            except PackageNotFoundError:
                installed = None
            yield requirement.name, str(requirement.specifier).removeprefix("=="), installed


def machine() -> list[Check]:
    """Describe cores, memory and GPU."""
    n_cores, memory = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        psutil.virtual_memory(),
    )
    state: Literal["ok", "note"] = "ok" if memory.total >= MEMORY else "note"
    gpu = "nvidia-smi is there" if shutil.which("nvidia-smi") else "none found"
    return [
        Check("cores", "ok", str(n_cores)),
        Check("memory", state, f"{memory.available / GB:.1f} of {memory.total / GB:.1f} GB free; the demo needs 2"),
        Check("GPU", "ok", f"{gpu}; not needed, and not tried with this project"),
    ]


def disk() -> Check:
    """Check the free space of the project's folder."""
    free = shutil.disk_usage(Path.cwd()).free
    text = f"{free / GB:.1f} GB free"
    if free < DISK:
        return Check(
            "disk", "wrong", f"{text}; the environment and the demo need 5: delete .cache/, or 'dvc gc --workspace'"
        )
    return Check("disk", "ok", text)


def cache() -> Check:
    """Report the size of the feature cache."""
    files = [path for path in paths.FEATURES.rglob("*") if path.is_file()] if paths.FEATURES.exists() else []
    size = sum(path.stat().st_size for path in files)
    return Check("cache", "ok", f"{size / GB:.2f} GB of features in {paths.FEATURES.as_posix()}, which may be deleted")


def git() -> Check:
    """Check that git is there and the folder is a repository, which DVC expects."""
    if not shutil.which("git"):
        return Check("git", "wrong", "not found; install it, or once: dvc config --local core.no_scm true")
    if not Path(".git").exists():
        return Check("git", "note", "this folder is no clone; once: dvc config --local core.no_scm true")
    return Check("git", "ok", "a clone")


def lock() -> Check:
    """Check that DVC can read dvc.lock."""
    if lock_recovery.is_broken(lock_recovery.LOCK, lock_recovery.is_lock):
        return Check("dvc.lock", "wrong", "half written, as after a kill: python -m pipeline.recover")
    return Check("dvc.lock", "ok", "can be read" if lock_recovery.LOCK.exists() else "not there yet")


def backbone() -> Check:
    """Report whether the pretrained network is there."""
    if paths.EMBEDDER.exists():
        return Check("network", "ok", paths.EMBEDDER.as_posix())
    return Check("network", "note", "not fetched yet: 'dvc repro backbone', or 'dvc pull' from your remote")


def remote() -> Check:
    """Name the DVC remotes, without asking them for anything."""
    command = [sys.executable, "-m", "dvc", "remote", "list"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return Check("remote", "wrong", f"'dvc remote list' fails: {done.stderr.strip()[:200]}")
    names = [" ".join(line.split()[:2]) for line in done.stdout.splitlines()]
    return Check("remote", "ok", "; ".join(names) or "none; outputs are kept on this machine alone")


def ports() -> list[Check]:
    """Check that nothing else listens where the servers do by default."""
    return [port_check(port, name) for port, name in PORTS.items()]


def port_check(port: int, name: str) -> Check:
    """Check one port of this machine."""
    with socket.socket() as probe:
        if os.name == "posix":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return Check(f"port {port}", "note", f"taken, perhaps by {name} itself; it can be given another")
    return Check(f"port {port}", "ok", f"free for {name}")
