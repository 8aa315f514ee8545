"""What the parsers of all commands share: the name they are called by, examples, and paths as the caller means them.

Every command runs as `python -m pipeline.<command>` in the project's folder, and as `assay <command>` from any folder in it.
The latter says through the environment where it was called, and under which name.
"""

import argparse
import getpass
import os
from pathlib import Path

CALLED = CALLED_AS, CALLED_FROM = "ASSAY_CALLED_AS", "ASSAY_CALLED_FROM"


def parser(module: str, description: str, *examples: str) -> argparse.ArgumentParser:
    """Return the parser of `python -m <module>`; `examples` are arguments, shown under the help."""
    program = os.environ.get(CALLED_AS, f"python -m {module}")
    shown = "".join(f"\n  {program} {example}".rstrip() for example in examples)
    return argparse.ArgumentParser(
        program,
        description=description,
        epilog=f"examples:{shown}" if examples else None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def path(text: str) -> str:
    """Return a path of the command line as seen from the project's folder, the current one.

    It is looked for in the folder where `assay` was called, then in the project's; one that is in neither belongs to the former.
    """
    called_from = os.environ.get(CALLED_FROM, "")
    there = Path(called_from, text)
    if not called_from or (not there.exists() and Path(text).exists()):
        return text
    return os.path.relpath(there)


def user() -> str:
    """Return who calls: the name, or the number where the system knows no name, as in a container with `--user 1234`."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"
