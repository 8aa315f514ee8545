"""A task out of any data set, in one command; the data are only read, and stay where they are.

    python -m pipeline.init_task NAME PATH [--label COLUMN] [--group COLUMN] [--positive CLASS]
    python -m pipeline.init_task --remove NAME

PATH: a folder of class folders, or of train/ and test/ folders of these; a CSV whose column `path` names pictures, or their
folder with the CSV in it; a CSV of features. Writes the task and a default set of models into params.yaml.
"""

import argparse
import itertools
import os
from pathlib import Path
from typing import Any

import yaml

from pipeline.core import artifacts, params, yaml_edit
from pipeline.core.errors import ParamsError
from pipeline.core.params_models import TaskParams
from pipeline.core.stage import run
from pipeline.data import uploads
from pipeline.tasks import raw_data, validate
from pipeline.tasks.inspect_data import look
from pipeline.tasks.propose import make_task
from pipeline.tasks.remove import remove


def write(name: str, task: dict[str, Any], models: dict[str, dict[str, Any]]) -> None:
    """Add the blocks to params.yaml; raise ParamsError, and write nothing, unless the whole file is valid then."""
    taken = sorted(set(models) & set(params.load()["models"]))
    if taken:
        raise ParamsError(f"params.yaml has a model {taken[0]!r} already; choose another name for the task")
    text = params.PARAMS.read_bytes().decode()
    text = yaml_edit.add(text, "tasks", {name: task}, gap=True)
    text = yaml_edit.add(text, "models", models)
    validate.check(yaml.safe_load(text))
    artifacts.write_bytes(params.PARAMS, text.encode())


def check_name(name: str, content: dict[str, Any]) -> None:
    """Raise ParamsError unless a new task can bear that name."""
    validate.check_task_name(name)
    if name in content["tasks"]:
        raise ParamsError(
            f"params.yaml has a task {name!r} already; choose another name, or take it away first: "
            f"python -m pipeline.init_task --remove {name}"
        )


def show(lines: list[tuple[str, str]]) -> None:
    """Print lines of (title, text) in two columns; what has no text is left out."""
    lines = [(title, text) for title, text in lines if text]
    width = max((len(title) for title, _ in lines), default=0) + 2
    for title, text in lines:
        for start, line in zip(itertools.chain([title], itertools.repeat("")), text.splitlines(), strict=False):
            print(f"  {start:<{width}}{line}")


def add(name: str, path: str, label: str | None, group: str | None, positive: str | None) -> None:
    """Look at `path`, tell what it is, and write a task `name` with its models into params.yaml."""
    content = params.load()
    validate.check(content)
    check_name(name, content)
    found = look(path, label, group, content["workers"])
    print(f"{found.raw}: looked at, nothing in it is changed")
    show(found.lines)
    proposal = make_task(found, name, positive, content["seed"])
    doubts = raw_data.check(name, params.parse(TaskParams, proposal.task, f"tasks.{name}"))
    write(name, proposal.task, proposal.models)
    uploads.create(name)
    print(f"params.yaml: the task {name!r} and its models are added, with values that can be tuned there")
    if not Path(os.path.abspath(found.raw)).is_relative_to(Path.cwd()):
        doubts.append("the data lie outside of the project: whoever clones it needs them in the same place")
    show([*proposal.reasons, *(("note", doubt) for doubt in doubts)])
    print("Next:")
    show(
        [
            (f"dvc repro report@{name}", "runs this task up to its report; 'dvc repro' runs everything"),
            ("python -m pipeline.leaderboard", "prints the leaderboards"),
            (f"data/{name}/audit.json", "copies, contradicting labels, and what betrays the class"),
            (f"reports/{name}/", "every figure, and report.html to hand over"),
            (f"models/{name}/best/", "the champion"),
        ]
    )


def main(*arguments: str) -> None:
    parser = argparse.ArgumentParser("python -m pipeline.init_task", description="Make a task of a data set.")
    parser.add_argument("name", help="of the task: a-z, 0-9, - and _")
    parser.add_argument("path", nargs="?", help="a folder of pictures or a CSV; only read")
    parser.add_argument("--label", metavar="COLUMN", help="of the CSV: the class")
    parser.add_argument("--group", metavar="COLUMN", help="of the CSV: samples that share it stay together")
    parser.add_argument("--positive", metavar="CLASS", help="what sensitivity speaks of; the rarer of two if left out")
    parser.add_argument("--remove", action="store_true", help="take the task away with all that was made of its data")
    given = parser.parse_args(arguments)
    if given.remove == bool(given.path):
        parser.error("give NAME and PATH, or --remove and NAME")
    if given.remove:
        show(remove(given.name))
    else:
        add(given.name, given.path, given.label, given.group, given.positive)


if __name__ == "__main__":
    run(main)
