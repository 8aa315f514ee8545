"""Make a task of a data set with one command; the data are only read and stay where they are.

    python -m pipeline.init_task NAME PATH [--label COLUMN] [--positive CLASS]
        [--group COLUMN | --group-from REGEX | --no-group] [--exclude A,B] [--keep A,B] [--no-header]
    python -m pipeline.init_task --remove NAME

PATH: a folder of class folders, or of train/ and test/ folders of these; a CSV whose column `path` lists images, or their folder
with the CSV in it; a CSV of features. Adds the task and a default set of models to params.yaml.
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
from pipeline.tasks.choices import Choices
from pipeline.tasks.inspect_data import inspect
from pipeline.tasks.propose import make_task
from pipeline.tasks.remove import remove


def write(name: str, task: dict[str, Any], models: dict[str, dict[str, Any]]) -> None:
    """Add the blocks to params.yaml; raise ParamsError and write nothing if the result is not valid."""
    taken = sorted(set(models) & set(params.load()["models"]))
    if taken:
        raise ParamsError(f"params.yaml has a model {taken[0]!r} already; choose another name for the task")
    text = params.PARAMS.read_bytes().decode()
    text = yaml_edit.add(text, "tasks", {name: task}, gap=True)
    text = yaml_edit.add(text, "models", models)
    validate.check(yaml.safe_load(text))
    artifacts.write_bytes(params.PARAMS, text.encode())


def check_name(name: str, content: dict[str, Any]) -> None:
    """Raise ParamsError unless this is a valid name of a new task."""
    validate.check_task_name(name)
    if name in content["tasks"]:
        raise ParamsError(
            f"params.yaml has a task {name!r} already; choose another name, or remove it first: "
            f"python -m pipeline.init_task --remove {name}"
        )


def show(lines: list[tuple[str, str]]) -> None:
    """Print lines of (title, text) in two columns, those without a text omitted."""
    lines = [(title, text) for title, text in lines if text]
    width = max((len(title) for title, _ in lines), default=0) + 2
    for title, text in lines:
        for start, line in zip(itertools.chain([title], itertools.repeat("")), text.splitlines(), strict=False):
            print(f"  {start:<{width}}{line}")


def add(
    name: str, path: str, label: str | None, group: str | None, positive: str | None, choices: Choices | None = None
) -> None:
    """Inspect `path`, describe it, and add a task `name` with its models to params.yaml."""
    content = params.load()
    validate.check(content)
    check_name(name, content)
    data = inspect(path, label, group, content["workers"], choices)
    print(f"{data.raw}: inspected, nothing in it was changed")
    show(data.lines)
    proposal = make_task(data, name, positive, content["seed"])
    warnings = raw_data.check(name, params.parse(TaskParams, proposal.task, f"tasks.{name}"))
    write(name, proposal.task, proposal.models)
    uploads.create(name)
    print(f"params.yaml: the task {name!r} and its models were added, with values that can be tuned there")
    if not Path(os.path.abspath(data.raw)).is_relative_to(Path.cwd()):
        warnings.append("the data are outside of the project: a clone needs them at the same path")
    show([*proposal.reasons, *(("note", message) for message in warnings)])
    print("Next:")
    show(
        [
            (f"dvc repro report@{name}", "runs this task up to its report; 'dvc repro' runs everything"),
            ("python -m pipeline.leaderboard", "prints the leaderboards"),
            (f"data/{name}/audit.json", "duplicates, contradicting labels, and shortcuts to the class"),
            (f"reports/{name}/", "every figure, and report.html"),
            (f"models/{name}/best/", "the champion"),
        ]
    )


def main(*arguments: str) -> None:
    parser = argparse.ArgumentParser("python -m pipeline.init_task", description="Make a task of a data set.")
    parser.add_argument("name", help="of the task: a-z, 0-9, - and _")
    parser.add_argument("path", nargs="?", help="a folder of images or a CSV; only read")
    parser.add_argument("--label", metavar="COLUMN", help="of the CSV: the class")
    parser.add_argument("--group", metavar="COLUMN", help="of the CSV: samples that share it stay together")
    parser.add_argument("--group-from", metavar="REGEX", help="what (...) finds in an image's path stays together")
    parser.add_argument("--no-group", action="store_true", help="each sample is another patient")
    parser.add_argument("--exclude", metavar="A,B", default="", help="columns of a table that are no features")
    parser.add_argument(
        "--keep", metavar="A,B", default="", help="columns that are features although they say the label"
    )
    parser.add_argument(
        "--positive", metavar="CLASS", help="whose detection rate is the sensitivity; default: the rarer of two"
    )
    parser.add_argument(
        "--no-header", action="store_true", help="the table's first row is a sample, not names of columns"
    )
    parser.add_argument("--remove", action="store_true", help="remove the task and everything made of its data")
    options = parser.parse_args(arguments)
    if options.remove == bool(options.path):
        parser.error("give NAME and PATH, or --remove and NAME")
    if sum(map(bool, (options.group, options.group_from, options.no_group))) > 1:
        parser.error("give one of --group, --group-from and --no-group")
    columns = [tuple(filter(None, text.split(","))) for text in (options.exclude, options.keep)]
    choices = Choices(
        options.group, options.group_from, options.no_group, *columns, "none" if options.no_header else "first"
    )
    if options.remove:
        show(remove(options.name))
    else:
        add(options.name, options.path, options.label, options.group, options.positive, choices)


if __name__ == "__main__":
    run(main)
