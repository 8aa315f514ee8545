"""Print the shell completion of `assay`: `python -m pipeline.completion bash`, or zsh, or tcsh.

For bash: assay completion bash > ~/.local/share/bash-completion/completions/assay
"""

import argparse
import importlib

import shtab

from pipeline.assay import COMMANDS
from pipeline.core import command_line
from pipeline.core.stage import run


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command."""
    parser = command_line.parser("pipeline.completion", "Print the shell completion of assay.", "bash", "zsh")
    parser.add_argument("shell", choices=shtab.SUPPORTED_SHELLS)
    return parser


def whole_parser() -> argparse.ArgumentParser:
    """Return the parser of `assay` with those of its commands, whose options and files are completed."""
    whole = argparse.ArgumentParser("assay")
    words = whole.add_subparsers()
    for name, command in COMMANDS.items():
        module = importlib.import_module(command.starts[1]) if command.starts[1].startswith("pipeline.") else None
        own = module.build_parser() if module else argparse.ArgumentParser()
        for action in own._actions:  # argparse has no public list of them; shtab reads the same
            if action.type is command_line.path:
                setattr(action, "complete", shtab.FILE)  # noqa: B010  an attribute that only shtab knows
        words.add_parser(name, help=command.help, parents=[own], add_help=False)
    return whole


def main(*arguments: str) -> None:
    shell = build_parser().parse_args(arguments).shell
    print(shtab.complete(whole_parser(), shell))


if __name__ == "__main__":
    run(main)
