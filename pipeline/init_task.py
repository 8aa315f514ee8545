"""Create a task from a data set with one command; the data are only read and stay where they are.

    python -m pipeline.init_task NAME PATH [--label COLUMN] [--positive CLASS]
        [--group COLUMN | --group-from REGEX | --no-group] [--exclude A,B] [--keep A,B] [--no-header]
        [--images DIR] [--folders LEVELS] [--skip REGEX] [--split hash] [--dry-run] [--json]
    python -m pipeline.init_task --remove NAME

PATH: a folder of images in class folders, with or without a shipped split; a CSV that names images; a zip archive or a MedMNIST
.npz of images; a table of features. Adds the task and a default set of models to params.yaml. docs/data-in.md shows the
output for each.
"""

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any

import yaml

from pipeline.core import artifacts, command_line, params, yaml_edit
from pipeline.core.artifacts import JSON
from pipeline.core.errors import ParamsError
from pipeline.core.params_models import BackboneParams, TaskParams
from pipeline.core.read_params import FOLDERS
from pipeline.core.stage import run
from pipeline.data import uploads
from pipeline.data.tabular.files import Header
from pipeline.tasks import raw_data, validate
from pipeline.tasks.choices import Choices
from pipeline.tasks.inspect_data import InspectedData, inspect
from pipeline.tasks.params_lock import locked
from pipeline.tasks.propose import Proposal, make_task
from pipeline.tasks.remove import remove
from pipeline.tasks.screen import Message, fit, in_columns


def write(name: str, proposal: Proposal) -> None:
    """Add the blocks to params.yaml; raise ParamsError and write nothing if the result is not valid."""
    with locked():
        content = params.load()
        check_name(name, content)
        taken = sorted(set(proposal.models) & set(content["models"]))
        if taken:
            raise ParamsError(f"params.yaml has a model {taken[0]!r} already; choose another name for the task")
        text = params.PARAMS.read_bytes().decode()
        text = yaml_edit.add(text, "tasks", {name: proposal.task}, gap=True)
        text = yaml_edit.add(text, "models", proposal.models)
        validate.check(yaml.safe_load(text))
        artifacts.write_bytes(params.PARAMS, text.encode())


def check_name(name: str, content: JSON) -> None:
    """Raise ParamsError unless this is a valid name of a new task."""
    validate.check_task_name(name)
    if name in content["tasks"]:
        raise ParamsError(
            f"params.yaml has a task {name!r} already; choose another name, or remove it first: "
            f"python -m pipeline.init_task --remove {name}"
        )


def add(name: str, path: str, label: str | None, positive: str | None, choices: Choices, options: Any) -> None:
    """Inspect `path`, describe it, and add a task `name` with its models to params.yaml."""
    content = params.load()
    validate.check(content)
    check_name(name, content)
    data = inspect(path, label, choices.group, content["workers"], choices)
    can_tune = params.parse(BackboneParams, content["backbone"], "backbone").is_default
    proposal = make_task(data, name, positive, content["seed"], choices.split, can_tune)
    warnings = raw_data.check(name, params.parse(TaskParams, proposal.task, f"tasks.{name}"))
    raw_data.check_location(name, data.raw, {**content["tasks"], name: proposal.task})
    if Path(data.raw).is_absolute():
        warnings.append("the data are outside of the project: a clone needs them at the same path")
    if not options.dry_run:
        write(name, proposal)
        uploads.create(name)
    message = describe(name, data, proposal, warnings, options.dry_run)
    print("\n".join(fit(message)), file=sys.stderr if options.json else sys.stdout)
    blocks = {"tasks": {name: proposal.task}, "models": proposal.models}
    if options.json:
        lines = [{"title": title, "text": text} for title, text in message.lines if text]
        answer = {"task": name, "kind": data.kind, "raw": data.raw, "written": not options.dry_run, "lines": lines}
        answer["warnings"] = [f"{title}: {text}" for title, text in message.warnings]
        print(json.dumps(answer | {"params": blocks}, indent=1, ensure_ascii=False))
    elif options.dry_run:
        print(yaml.safe_dump(blocks, sort_keys=False, default_flow_style=None, allow_unicode=True, width=120), end="")


def describe(name: str, data: InspectedData, proposal: Proposal, warnings: list[str], is_dry: bool) -> Message:
    """Return the message about a data set and its task."""
    lines = [*data.lines, *proposal.reasons, *(("note", message) for message in warnings)]
    after = [
        f"Next: assay run {name}   (or: dvc repro report@{name})",
        f"then: data/{name}/audit.json, reports/{name}/report.html, assay leaderboard {name}",
    ]
    added = f"params.yaml: the task {name!r} and its models were added, with values that can be tuned there"
    would = f"params.yaml is unchanged (--dry-run); it would get the task {name!r} and its models"
    return Message(f"{data.raw}: inspected, nothing in it was changed", lines, [would] if is_dry else [added, *after])


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command."""
    examples = ("skin ~/images/skin", "skin ~/images/skin --dry-run", "heart heart.csv --label outcome --group patient")
    parser = command_line.parser("pipeline.init_task", "Create a task from a data set.", *examples)
    parser.add_argument("name", help="name of the task: a-z, 0-9, - and _")
    parser.add_argument(
        "path",
        nargs="?",
        type=command_line.path,
        help="a folder or archive of images, a CSV or another table; only read",
    )
    parser.add_argument("--label", metavar="COLUMN", help="column of the CSV with the class")
    parser.add_argument(
        "--group",
        metavar="COLUMN",
        help="column of the CSV with the group, or A,B; a group is never split",
    )
    parser.add_argument(
        "--group-from", metavar="REGEX", help="images with the same match of (...) in their path form a group"
    )
    parser.add_argument("--no-group", action="store_true", help="each sample is from a different patient")
    parser.add_argument("--exclude", metavar="A,B", default="", help="columns of a table that are not features")
    parser.add_argument(
        "--keep", metavar="A,B", default="", help="columns to use as features although they determine the label"
    )
    parser.add_argument(
        "--positive",
        metavar="CLASS",
        help="the class that sensitivity refers to; default: the one that is not benign, or the rarer",
    )
    parser.add_argument("--no-header", action="store_true", help="the first row of the table is a sample, not a header")
    parser.add_argument(
        "--images", metavar="DIR", type=command_line.path, help="the folder of the images that the CSV names"
    )
    parser.add_argument(
        "--folders", metavar="LEVELS", help="meaning of each folder level: any, split or class, as in split/class"
    )
    parser.add_argument("--skip", metavar="REGEX", help="ignore images whose path matches")
    parser.add_argument("--split", choices=["hash"], help="draw a new test set instead of the shipped one")
    parser.add_argument("--dry-run", action="store_true", help="write nothing, print what would be added")
    parser.add_argument("--json", action="store_true", help="print everything as JSON, and the text to stderr")
    parser.add_argument("--remove", action="store_true", help="remove the task and everything made of its data")
    return parser


def check_patterns(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """End with a message for an option that is no regular expression or no list of levels."""
    for option, text in (("--group-from", options.group_from), ("--skip", options.skip)):
        try:
            n_groups = re.compile(text or "").groups
        except re.error as error:
            parser.error(f"{option} {text}: is not a regular expression ({error})")
        if option == "--group-from" and text and n_groups != 1:
            parser.error(f"{option} {text}: has {n_groups} groups (...); expected one, around what names the patient")
    if options.folders and not re.fullmatch(FOLDERS, options.folders):
        parser.error(f"--folders {options.folders}: expected one word class, with any and split around it: split/class")


def names_in(text: str | None) -> tuple[str, ...]:
    """Return the columns that an option lists; the names that are read from a table have no spaces around them."""
    return tuple(filter(None, map(str.strip, (text or "").split(","))))


def check_roles(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """Exit with the usage where a column is given two roles."""
    roles: dict[str, str] = {}
    for option in ("label", "group", "exclude", "keep"):
        for column in (options.label,) if option == "label" else names_in(getattr(options, option)):
            if column in roles:
                parser.error(f"--{option} {column}: the column is named by --{roles[column]} already; give it one role")
            if column:
                roles[column] = option


def main(*arguments: str) -> None:
    parser = build_parser()
    options = parser.parse_args(arguments)
    if options.remove == bool(options.path):
        parser.error("give NAME and PATH, or --remove and NAME")
    if options.no_group and (options.group or options.group_from):
        parser.error("give --no-group, or --group and --group-from")
    check_patterns(parser, options)
    check_roles(parser, options)
    if options.remove:
        with locked():
            lines = remove(options.name)
        print("\n".join(in_columns(lines)))  # in full, because deleted files cannot be listed later
        return
    header: Header = "none" if options.no_header else "first"
    named = ("group_from", "no_group", "images", "folders", "skip", "split")
    given = {name: getattr(options, name) for name in named}
    group, *group_with = names_in(options.group) or (None,)
    exclude, keep = names_in(options.exclude), names_in(options.keep)
    choices = Choices(group, tuple(filter(None, group_with)), exclude=exclude, keep=keep, header=header, **given)
    add(options.name, options.path, options.label, options.positive, choices, options)


if __name__ == "__main__":
    run(main)
