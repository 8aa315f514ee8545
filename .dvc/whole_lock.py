"""Lets DVC write dvc.lock, and its list of who reads and writes what, in one step, and read dvc.lock quickly.

DVC 3.67 empties dvc.lock and writes it anew after every stage, which takes half a second at 80 kB. Killed in that time, or on a
full disk, it leaves a part of the file, and refuses to go on from one part in four. Before that it parses the file with a parser
that keeps comments, of which dvc.lock has none: .6 s a stage, where the C parser takes .12.

`python .dvc/whole_lock.py` copies this file into the environment, with a line that loads it whenever Python starts. It does
nothing before the two modules of DVC that it changes are imported.
"""

import importlib.util
import os
import sys
from collections.abc import Callable
from contextlib import contextmanager
from types import ModuleType

FILES = ("dvc.lock", "rwlock")  # of all that DVC writes, what it does not write beside its place first
NAME = "assay_whole_lock"  # in site-packages


def in_one_step(write: Callable) -> Callable:
    """Return the method `open` of DVC's file system, changed: these files take their place when the block ends well."""

    @contextmanager
    def replacing(self, path, mode, **options):
        folder, name = os.path.split(os.path.realpath(path))
        part, path = os.path.join(folder, f".{name}.part"), os.path.join(folder, name)
        with write(self, part, mode, **options) as file:
            yield file
        os.replace(part, path)

    def open(self, path, mode="r", **options):
        whole = mode[0] == "w" and os.path.basename(path) in FILES
        return replacing(self, path, mode, **options) if whole else write(self, path, mode, **options)

    return open


def write_in_one_step(module: ModuleType) -> None:
    files = module.FsspecLocalFileSystem
    files.open = in_one_step(files.open)


def read_quickly(module: ModuleType) -> None:
    keep_comments = module.parse_yaml_for_update

    def parse_yaml_for_update(text, path):
        return (module.parse_yaml if os.path.basename(path) == "dvc.lock" else keep_comments)(text, path)

    module.parse_yaml_for_update = parse_yaml_for_update


CHANGES = {"dvc_objects.fs.local": write_in_one_step, "dvc.utils.serialize._yaml": read_quickly}


class Finder:
    """Changes one of DVC's modules as it is imported."""

    def __init__(self, name: str, change: Callable):
        self.name, self.change = name, change

    def find_spec(self, name, path=None, target=None):
        if name != self.name:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        execute = spec.loader.exec_module

        def exec_module(module):
            execute(module)
            self.change(module)

        spec.loader.exec_module = exec_module
        return spec


def install() -> None:
    """Copy this file into the environment of the Python that runs it."""
    import shutil
    import sysconfig
    from pathlib import Path

    packages = Path(sysconfig.get_paths()["purelib"])
    shutil.copy(__file__, packages / f"{NAME}.py")
    (packages / f"{NAME}.pth").write_text(f"import {NAME}\n", encoding="utf-8")


if __name__ == "__main__":
    install()
else:
    sys.meta_path[:0] = [Finder(name, change) for name, change in CHANGES.items()]
