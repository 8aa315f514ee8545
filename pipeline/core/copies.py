"""The copies of the project in which DVC runs queued and temporary experiments (`dvc exp run --queue`, `--temp`).

A copy holds what git tracks. DVC_ROOT names the original, whose caches, MLflow store and git-ignored data it shares.
"""

import os
from contextlib import suppress
from pathlib import Path

from pipeline.core.errors import ParamsError


def home() -> Path:
    """Return the project's folder, for a copy the original's."""
    return Path(os.environ.get("DVC_ROOT") or ".").resolve()


def in_copy() -> bool:
    """Return whether this is a copy: its results are not the project's state."""
    return home() != Path.cwd().resolve()


def link_from_home(path: str | Path) -> None:
    """Let a relative path that only the original has lead there; do nothing in the original, or if it exists.

    A path outside of the project becomes a link next to the copy, in DVC's temporary folder. Raises ParamsError if it would
    lie outside of that.
    """
    target, original = Path(os.path.abspath(path)), Path(os.path.normpath(home() / path))
    if not in_copy() or Path(path).is_absolute() or target.exists() or not original.exists():
        return
    if not target.is_relative_to(home() / ".dvc/tmp"):
        raise ParamsError(
            f"{Path(path).as_posix()}: an experiment that is queued, or run with --temp, does not see it; name it by its "
            f"absolute path in params.yaml: {original.as_posix()}"
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):  # an experiment that runs at the same time made it
        target.symlink_to(original, target_is_directory=original.is_dir())
