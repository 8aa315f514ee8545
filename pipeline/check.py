"""Stage `check`: everything in params.yaml is validated before the first stage that costs anything starts.

Writes `data/.code/`, on which every other stage depends (see `core.code_hashes`): nothing starts before params.yaml is valid, and
a changed but valid params.yaml re-runs what uses the changed value. Also writes included.csv (see `data.uploads`) where a
task has none yet.
"""

import sys

from pipeline.core import artifacts, code_hashes, params, paths, yaml_edit
from pipeline.core.stage import run
from pipeline.data import uploads
from pipeline.tasks import raw_data
from pipeline.tasks.validate import check


def remove_reader() -> None:
    """Remove the key `reader` of older projects from params.yaml, and say so."""
    text = params.PARAMS.read_bytes().decode()
    changed = yaml_edit.remove_key(text, "tasks", "reader")
    if changed != text:
        artifacts.write_bytes(params.PARAMS, changed.encode())
        print("check: params.yaml: the key 'reader' of tasks is no longer needed and was taken out", file=sys.stderr)


def main() -> None:
    content = params.load()
    check(content)
    remove_reader()
    for name in content["tasks"]:
        for doubt in raw_data.check(name, params.task(name)):
            print(f"check: {doubt}", file=sys.stderr)
        uploads.create(name)
    code_hashes.write()
    artifacts.write_bytes(paths.READY / "table", b"tables need nothing but the code\n")


if __name__ == "__main__":
    run(main)
