"""Lets DVC write dvc.lock, and its list of who reads and writes what, in one step.

DVC 3.67 empties dvc.lock and writes it anew after every stage, which takes half a second at 80 kB. Killed in that time, or on a
full disk, it leaves a part of the file, and refuses to go on from one part in four.

`python .dvc/whole_lock.py` copies this file into the environment, with a line that loads it whenever Python starts. It does
nothing before DVC's file module is imported.
"""

import importlib.util
import os
import sys
from collections.abc import Callable
from contextlib import contextmanager

FILES = ("dvc.lock", "rwlock")  # of all that DVC writes, what it does not write beside its place first
MODULE = "dvc_objects.fs.local"
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


class Finder:
    """Changes DVC's file module as it is imported."""

    def find_spec(self, name, path=None, target=None):
        if name != MODULE:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        execute = spec.loader.exec_module

        def exec_module(module):
            execute(module)
            files = module.FsspecLocalFileSystem
            files.open = in_one_step(files.open)

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
    sys.meta_path.insert(0, Finder())
