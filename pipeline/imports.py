"""Which files a stage reaches by import. DVC does not follow imports, so the stage `check` writes them down for it.

`data/.code/<stage>` has a line for each file, its path and SHA-256, and is what the stage in dvc.yaml depends on: a stage runs
again when a file changes that it reaches, and nobody keeps lists. For `train` there is a file for each estimator.
"""

import ast
from pathlib import Path

from pipeline import artifacts

ROOT = Path(__file__).resolve().parents[1]
ESTIMATORS = ROOT / "pipeline" / "estimators"
FOLDER = Path("data/.code")


def imported(file: str) -> set[str]:
    """Return the files of the pipeline, as POSIX paths from the root, that `file` imports anywhere in its text."""
    names: list[str] = []
    for node in ast.walk(ast.parse((ROOT / file).read_bytes())):
        if isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
    files = [f"{name.replace('.', '/')}.py" for name in names if name.startswith("pipeline.")]
    return {file for file in files if (ROOT / file).is_file()}


def reached(*start: str, known: dict[str, set[str]] | None = None) -> list[str]:
    """Return every file that the files in `start` reach by import, themselves included, sorted.

    `known` keeps what was found of each file, for the next call.
    """
    known = {} if known is None else known
    seen, todo = set(), set(start)
    while todo:
        file = todo.pop()
        seen.add(file)
        if file not in known:
            known[file] = imported(file)
        todo |= known[file] - seen
    return sorted(seen)


def estimators() -> list[str]:
    """Return the names of the estimators there are: a file of `pipeline/estimators/` each."""
    return sorted(path.stem for path in ESTIMATORS.glob("*.py") if not path.stem.startswith("_"))


def code_of_stages() -> dict[str, list[str]]:
    """Return the files that each module with a `main()` reaches, and `train` with each estimator, which it loads by name."""
    modules = sorted((ROOT / "pipeline").glob("*.py"))
    names = [path.stem for path in modules if '\nif __name__ == "__main__":\n' in path.read_text(encoding="utf-8")]
    known: dict[str, set[str]] = {}  # each file is parsed once
    found = {name: reached(f"pipeline/{name}.py", known=known) for name in names}
    for name in estimators():
        found[f"train-{name}"] = reached("pipeline/train.py", f"pipeline/estimators/{name}.py", known=known)
    return found


def write(folder: Path = FOLDER) -> None:
    """Write the list of each stage's files."""
    stages = code_of_stages()
    digest = {file: artifacts.sha256((ROOT / file).read_bytes()) for file in set().union(*stages.values())}
    for name, files in stages.items():
        lines = [f"{file} {digest[file]}\n" for file in files]
        artifacts.write_bytes(folder / name, "".join(lines).encode())
