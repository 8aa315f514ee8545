"""Say what is wrong with this installation: `python -m pipeline.doctor`. It changes nothing; exit code 2: something is wrong."""

import argparse
import sys

from pipeline.core import command_line, installation
from pipeline.core.errors import StageError
from pipeline.core.stage import run

MARK = {"ok": " ", "note": "-", "wrong": "!"}


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command."""
    return command_line.parser("pipeline.doctor", "Say what is wrong with this installation.", "")


def main(*arguments: str) -> None:
    build_parser().parse_args(arguments)
    results = installation.check_all()
    width = max(len(result.subject) for result in results)
    for result in results:
        print(f"{MARK[result.state]} {result.subject.ljust(width)}  {result.text}")
    sys.stdout.flush()
    wrong = [result.subject for result in results if result.state == "wrong"]
    if wrong:
        raise StageError(f"to be mended: {', '.join(wrong)}; the lines marked ! say how")


if __name__ == "__main__":
    run(main)
