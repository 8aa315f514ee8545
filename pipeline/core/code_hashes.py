"""List the files that each stage imports. DVC does not follow imports, so the stage `check` writes these lists for it.

`data/.code/<stage>` has one line per file: its path and the SHA-256 of its source without docstrings and comments. The stage in
dvc.yaml depends on that list, so it runs again when the code it reaches changes, and not when only prose changes. `train` has a
list for each model, by its estimator; a class of an installed package is on it with the package's version.
"""

import ast
import functools
import io
import tokenize
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import cast

from pipeline.core import artifacts, paths
from pipeline.core.installed_class import is_class_name, versions

ROOT = Path(__file__).resolve().parents[2]
ESTIMATORS = ROOT / "pipeline" / "estimators"
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")  # of a statement, in which others stand
NO_CODE = (*(tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE), *(tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER))


def imported(file: str) -> set[str]:
    """Return the files of the pipeline that `file` imports anywhere, with their packages, as POSIX paths from the root."""
    files = set()
    for name in names_imported((ROOT / file).read_bytes()):
        parts = name.split(".")
        packages = ["/".join(parts[:depth]) for depth in range(1, len(parts) + 1)]
        files |= {f"{packages[-1]}.py", *(f"{package}/__init__.py" for package in packages)}
    return {file for file in files if (ROOT / file).is_file()}


@functools.cache
def names_imported(source: bytes) -> list[str]:
    """Return what Python source imports of the pipeline anywhere: modules, and perhaps what is in them."""
    names: list[str] = []
    for node in statements(source):
        if isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
    return [name for name in names if name.startswith("pipeline.")]


def statements(source: str | bytes) -> Iterator[ast.AST]:
    """Yield the module and every statement in Python source, without their expressions, which are five times as many."""
    todo: list[ast.AST] = [ast.parse(source)]
    while todo:
        node = todo.pop()
        yield node
        for part in BLOCKS:
            inner = getattr(node, part, [])
            todo += inner if isinstance(inner, list) else []


def reached(*start: str, cache: dict[str, set[str]] | None = None) -> list[str]:
    """Return every file that the files in `start` reach by import, themselves included, sorted.

    `cache` keeps the imports of each file for the next call.
    """
    cache = {} if cache is None else cache
    seen, todo = set(), set(start)
    while todo:
        file = todo.pop()
        seen.add(file)
        if file not in cache:
            cache[file] = imported(file)
        todo |= cache[file] - seen
    return sorted(seen)


@functools.cache
def without_prose(source: str) -> str:
    """Return Python source without docstrings, comments and blank lines.

    Text is cut by position: a dumped syntax tree differs between Python versions.
    """
    lines = list(io.StringIO(source))
    spans = [(*token.start, *token.end) for token in tokens(source) if token.type == tokenize.COMMENT]
    for node in statements(source):
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            text = cast(ast.Expr, node.body[0]).value
            # The tree counts columns in bytes, the tokens in characters.
            start = len(lines[text.lineno - 1].encode()[: text.col_offset].decode())
            last = cast(int, text.end_lineno)
            end = len(lines[last - 1].encode()[: text.end_col_offset].decode())
            spans.append((text.lineno, start, last, end))
    for first, start, last, end in sorted(spans, reverse=True):
        lines[first - 1 : last] = [lines[first - 1][:start].rstrip() + lines[last - 1][end:]]
    cut = "".join(lines)
    code = [token for token in tokens(cut) if token.type not in NO_CODE]
    kept = {row for token in code for row in range(token.start[0], token.end[0] + 1)}
    return "".join(line for row, line in enumerate(io.StringIO(cut), 1) if row in kept)


def tokens(source: str) -> Iterator[tokenize.TokenInfo]:
    """Yield the tokens of Python source."""
    return tokenize.generate_tokens(io.StringIO(source).readline)


def estimator_names() -> list[str]:
    """Return the names of the estimators, which are files of `pipeline/estimators/`."""
    return sorted(path.stem for path in ESTIMATORS.glob("*.py") if not path.stem.startswith("_"))


def code_of_stages(estimators: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the files that each stage and command reaches; `train` once per model, whose estimator it loads by name."""
    modules = sorted((ROOT / "pipeline").glob("*.py"))
    names = [path.stem for path in modules if '\nif __name__ == "__main__":\n' in path.read_text(encoding="utf-8")]
    cache: dict[str, set[str]] = {}  # each file is parsed once
    files = {name: reached(f"pipeline/{name}.py", cache=cache) for name in names}
    for model, name in estimators.items():
        file = "_installed" if is_class_name(name) else name
        files[f"train-{model}"] = reached("pipeline/train.py", f"pipeline/estimators/{file}.py", cache=cache)
    return files


def write_lists(estimators: Mapping[str, str], networks: Iterable[Path] = (), folder: Path = paths.CODE) -> None:
    """Write the list of each stage's files with the hashes of their code.

    `estimators` has that of each model; `networks` are files that `backbone` reads, whose paths params.yaml names.
    """
    stages = code_of_stages(estimators)
    files = set().union(*stages.values())
    code = {file: without_prose((ROOT / file).read_text(encoding="utf-8")) for file in files}
    digest = {file: artifacts.sha256(text.encode()) for file, text in code.items()}
    for name, reached_files in stages.items():
        lines = [f"{file} {digest[file]}\n" for file in reached_files]
        estimator = estimators.get(name.removeprefix("train-"), "")
        if is_class_name(estimator):
            lines += [f"{package} {version}\n" for package, version in versions(estimator).items()]
        if name == "backbone":
            lines += [f"{file.as_posix()} {artifacts.sha256(file.read_bytes())}\n" for file in networks]
        artifacts.write_bytes(folder / name, "".join(lines).encode())
