"""Add a block of `external` to params.yaml: data of another source that a champion is tried on."""

from pathlib import Path

import yaml

from pipeline.core import artifacts, params, yaml_edit
from pipeline.core.errors import DataError, ParamsError
from pipeline.tasks import validate
from pipeline.tasks.choices import Choices
from pipeline.tasks.inspect_data import inspect
from pipeline.tasks.params_lock import locked


def read_words(path: str | None) -> dict[str, str]:
    """Return the label map in a file of lines "theirs: ours"; raise DataError for anything else."""
    if path is None:
        return {}
    file = Path(path)
    try:
        words = yaml.load(file.read_text(encoding="utf-8"), yaml.BaseLoader)  # BaseLoader: YES stays a word
    except OSError as error:
        raise DataError(f"{file.as_posix()}: cannot be opened ({error.strerror})") from None
    except (yaml.YAMLError, UnicodeDecodeError):
        words = None
    if not isinstance(words, dict) or not all(isinstance(word, str) for pair in words.items() for word in pair):
        raise DataError(f"{file.as_posix()}: expected lines such as 'melanoma: malignant', their label and ours")
    return words


def add(name: str, task: str, path: str, words: dict[str, str], label: str | None, group_by: str | None) -> None:
    """Write the external data set into params.yaml; raise ParamsError or DataError, and write nothing, where it does not fit."""
    content = params.load()
    validate.check(content)
    if name in (content.get("external") or {}):
        raise ParamsError(f"params.yaml has external.{name} already; choose another name, or delete that block")
    kind, own = params.task(task).kind, params.task(task).read.label
    data = inspect(path, label, group_by, content["workers"], Choices(expected_label=own))
    if data.kind != kind:
        raise DataError(f"{path}: holds data of kind {data.kind}; the task {task!r} is of kind {kind}")
    read = {key: value for key, value in data.read.items() if key != "intensity"}  # the task's holds for its model
    block = {"task": task, "raw": data.raw, "read": read} | ({"labels": words} if words else {})
    with locked():
        text = yaml_edit.add(params.PARAMS.read_bytes().decode(), "external", {name: block})
        validate.check(yaml.safe_load(text))
        artifacts.write_bytes(params.PARAMS, text.encode())
    print(f"params.yaml: external.{name} is added: {len(data.samples)} samples, nothing of them is changed")
