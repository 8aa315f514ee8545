"""Set aside what a killed DVC left behind, then go on with 'dvc repro': `python -m pipeline.recover`."""

import argparse
from pathlib import Path

from pipeline.core import command_line, lock_recovery
from pipeline.core.errors import StageError
from pipeline.core.stage import run


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command."""
    about = "Set aside what a killed DVC left behind, and print what was done; 'assay run' does it by itself."
    return command_line.parser("pipeline.recover", about)


def main(*arguments: str) -> None:
    build_parser().parse_args(arguments)
    if not Path("dvc.yaml").is_file():
        raise StageError(
            f"{Path.cwd().as_posix()}: has no dvc.yaml, so it is no project: run this in the project's folder"
        )
    for line in lock_recovery.recover() or ["nothing to recover: DVC can read its files"]:
        print(line)


if __name__ == "__main__":
    run(main)
