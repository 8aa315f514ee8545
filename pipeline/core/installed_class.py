"""Classes of installed packages by name, `package.module:Class`, and what a change of their code is noticed by.

Nothing is imported here: only the installation is looked at.
"""

import re
import sysconfig
from importlib.metadata import packages_distributions, version
from importlib.util import find_spec
from pathlib import Path

from pipeline.core import artifacts

CLASS_NAME = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")


def is_class_name(estimator: str) -> bool:
    """Return whether an estimator is named as `package.module:Class`."""
    return ":" in estimator


def versions(estimator: str) -> dict[str, str]:
    """Return the installed distributions that hold the class, each with its version.

    A package that is no installed distribution, for instance a file of the project or an editable installation, has the SHA-256
    of its Python files.
    """
    package = estimator.partition(":")[0].partition(".")[0]
    spec = find_spec(package) if package.isidentifier() else None
    if spec is None:
        return {}
    folders = [Path(folder) for folder in spec.submodule_search_locations or []]
    files = sorted(file for folder in folders for file in folder.rglob("*.py")) or [Path(spec.origin or "")]
    installed = {Path(sysconfig.get_path(name)) for name in ("purelib", "platlib")}
    names = sorted(set(packages_distributions().get(package, [])))
    if names and installed & set(files[0].parents):
        return {name: version(name) for name in names}
    code = b"".join(file.name.encode() + b"\n" + file.read_bytes() for file in files if file.is_file())
    return {package: f"sha256:{artifacts.sha256(code)[:16]}"}
