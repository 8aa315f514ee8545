"""`dvc` as a process that ends with the one that started it: a command that is killed leaves nothing behind that goes on."""

import os
import sys
import threading
from pathlib import Path

from pipeline.core.command_line import user
from pipeline.core.stage import end_with_parent


def command(nice: int = 0) -> tuple[str, ...]:
    """Return what starts `dvc`, without its arguments; `nice`: its priority, lower than usual for 1 to 19."""
    return sys.executable, "-c", f"from pipeline.core.dvc_program import run; run({nice})"


def lower_priority(nice: int) -> None:
    """Give this process, and what it starts, low priority: whatever serves goes first."""
    if nice and hasattr(os, "nice"):
        os.setpriority(os.PRIO_PROCESS, 0, max(nice, os.getpriority(os.PRIO_PROCESS, 0)))


def run(nice: int) -> None:
    """Be `dvc` with this process' arguments, until it is done or the process that started this one is gone.

    The stages' `python` is this one, also where its environment is not active.
    """
    lower_priority(nice)
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    os.environ["LOGNAME"] = user()  # DVC asks for a name; in a container with --user 1234 there is none
    threading.Thread(target=end_with_parent, args=[os.getppid()], daemon=True).start()
    from dvc.cli import main

    sys.exit(main(sys.argv[1:]))
