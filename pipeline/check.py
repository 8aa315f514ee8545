"""Stage `check`: validate params.yaml before the first expensive stage.

Writes `data/.code/`, on which every other stage depends (see `core.code_hashes`): no stage starts before params.yaml is valid,
and a changed but valid params.yaml re-runs only what uses the changed value. Also writes included.csv (see `data.uploads`)
for tasks that have none.
"""

import sys
from pathlib import Path
from typing import Any

from pipeline.core import artifacts, code_hashes, copies, params, paths, yaml_edit
from pipeline.core.errors import ParamsError
from pipeline.core.params_models import BackboneParams
from pipeline.core.paths import TaskPaths
from pipeline.core.stage import run
from pipeline.data import uploads
from pipeline.tasks import raw_data
from pipeline.tasks.params_lock import locked
from pipeline.tasks.validate import check


def remove_reader() -> None:
    """Remove the key `reader` of older projects from params.yaml, with a note."""
    with locked():
        text = params.PARAMS.read_bytes().decode()
        changed = yaml_edit.remove_key(text, "tasks", "reader")
        if changed != text:
            artifacts.write_bytes(params.PARAMS, changed.encode())
            print("check: params.yaml: the key 'reader' of tasks is no longer needed and was removed", file=sys.stderr)


def link_data(content: dict[str, Any]) -> None:
    """In DVC's copy for an experiment, let raw data and uploads that git ignores lead to the original's."""
    for block in [*content["tasks"].values(), *(content.get("external") or {}).values()]:
        if not Path(block["raw"]).is_relative_to(paths.DEMO):
            copies.link_from_home(block["raw"])
    for name in content["tasks"]:
        for folder, _ in uploads.FOLDERS.values():
            copies.link_from_home(TaskPaths(name).uploads / folder)


def check_folder(folder: Path) -> None:
    """Raise ParamsError for a folder of the project that DVC 3.67 takes for a template, after which it ends in a KeyError."""
    if set(str(folder)) & set("{}"):
        raise ParamsError(f"{folder}: has a brace, and DVC cannot work there: move the project to a folder without one")


def main() -> None:
    check_folder(Path.cwd())
    content = params.load()
    check(content)
    remove_reader()
    if copies.in_copy():
        link_data(content)
    for name in content["tasks"]:
        for warning in raw_data.check(name, params.task(name)):
            print(f"check: {warning}", file=sys.stderr)
        uploads.create(name)
    backbone = params.parse(BackboneParams, content["backbone"], "backbone")
    code_hashes.write_lists({name: block["estimator"] for name, block in content["models"].items()}, backbone.files)
    artifacts.write_bytes(paths.READY / "table", b"tables need nothing but the code\n")


if __name__ == "__main__":
    run(main)
