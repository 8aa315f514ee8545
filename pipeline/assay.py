"""The command `assay`: every command of the project under one name, from any of its folders.

It starts the module that does the work in the project's folder, with the project's own code: `assay predict` is
`python -m pipeline.predict`.
"""

import difflib
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from pipeline.core.command_line import CALLED_AS, CALLED_FROM


@dataclass(frozen=True)
class Command:
    """What a word after `assay` does: `starts`, the arguments of Python, and `help`, one line."""

    starts: tuple[str, ...]
    help: str


COMMANDS = {
    "init": Command(("-m", "pipeline.init_task"), "add a task for a folder of images or a table"),
    "audit": Command(("-m", "pipeline.audit"), "find copies in a folder or table, without a task"),
    "run": Command(("-m", "pipeline.repro"), "bring everything, or one task, up to date with DVC"),
    "leaderboard": Command(("-m", "pipeline.leaderboard"), "print the models and the champion of each task"),
    "predict": Command(("-m", "pipeline.predict"), "predict files with a champion"),
    "report": Command(("-m", "pipeline.report"), "write a task's report"),
    "external": Command(("-m", "pipeline.external"), "try a champion on data of another source"),
    "next": Command(("-m", "pipeline.label_next"), "choose which images of a folder to label next"),
    "collect": Command(("-m", "pipeline.collect"), "hand in labelled samples for a later training"),
    "retrain": Command(("-m", "pipeline.retrain"), "try, promote or reject a batch of samples"),
    "app": Command(("-m", "streamlit", "run", "app/main.py"), "predict and compare in the browser"),
    "api": Command(("-m", "app.api"), "answer over HTTP"),
    "ui": Command(("-m", "pipeline.track", "--ui"), "compare all runs in MLflow"),
    "recover": Command(("-m", "pipeline.recover"), "go on after a kill, a crash or a full disk"),
    "doctor": Command(("-m", "pipeline.doctor"), "say what is wrong with this installation"),
    "completion": Command(("-m", "pipeline.completion"), "print the completion for bash, zsh or tcsh"),
}
EXAMPLES = """examples:
  assay init skin ~/images/skin     look at the data, and add the task skin
  assay run skin                      train, compare and select; prints the leaderboard
  assay predict models/skin/best photo.jpg
  assay app                           the same in the browser
'assay COMMAND --help' has more."""


def usage() -> str:
    """Return the help."""
    lines = [f"  {name.ljust(12)}{command.help}" for name, command in COMMANDS.items()]
    return "\n".join(["usage: assay COMMAND ...", "", *lines, "", EXAMPLES])


def project(folder: Path) -> Path | None:
    """Return the project that `folder` lies in: the nearest folder upwards with params.yaml, dvc.yaml and pipeline/."""
    needed = ("params.yaml", "dvc.yaml", "pipeline")
    return next((up for up in (folder, *folder.parents) if all((up / name).exists() for name in needed)), None)


def fail(message: str) -> NoReturn:
    """End with exit code 2 and a message."""
    print(message, file=sys.stderr)
    sys.exit(2)


def main() -> None:
    name, *arguments = sys.argv[1:] or ["--help"]
    if name in ("-h", "--help", "help"):
        print(usage())
        return
    if name not in COMMANDS:
        close = difflib.get_close_matches(name, COMMANDS, 1)
        hint = f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(COMMANDS)}"
        fail(f"assay: no command {name[:40]!r}; {hint}")
    here = Path.cwd()
    root = project(here)
    if root is None:
        fail(
            f"assay: neither {here} nor a folder above it has params.yaml, dvc.yaml and pipeline/; go to your project first"
        )
    environment = os.environ | {CALLED_AS: f"assay {name}", CALLED_FROM: "" if here == root else str(here)}
    command = [sys.executable, *COMMANDS[name].starts, *arguments]
    os.chdir(root)
    if os.name == "posix":  # one process, which gets the signals
        sys.stdout.flush()
        os.execve(command[0], command, environment)
    sys.exit(subprocess.run(command, env=environment, check=False).returncode)


if __name__ == "__main__":
    main()
