"""List the files that each stage imports. DVC does not follow imports, so the stage `check` writes these lists for it.

`data/.code/<stage>` has one line per file: its path and the SHA-256 of its source without docstrings and comments. The stage in
dvc.yaml depends on that list, so it runs again when the code it reaches changes, and not when only prose changes. `train` has a
list for each model, by its estimator; a class of an installed package is on it with the package's version.
"""

import ast
import functools
import io
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import cast

from pipeline.core import artifacts, paths
from pipeline.core.installed_class import is_class_name, versions

ROOT = Path(__file__).resolve().parents[2]
ESTIMATORS = ROOT / "pipeline" / "estimators"
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")  # of a statement, in which others stand
STRING = r'''"""(?:[^\\]|\\.)*?"""|\'\'\'(?:[^\\]|\\.)*?\'\'\'|"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\''''
STRING_OR_COMMENT = re.compile(rf"{STRING}|#[^\n]*", re.DOTALL)
STRING_OR_BLANK_LINE = re.compile(rf"{STRING}|^[ \t]*\n", re.DOTALL | re.MULTILINE)


def imported(file: str) -> set[str]:
    """Return the files of the pipeline that `file` imports anywhere, with their packages, as POSIX paths from the root."""
    files = set()
    for name in parsed((ROOT / file).read_text(encoding="utf-8"))[0]:
        parts = name.split(".")
        packages = ["/".join(parts[:depth]) for depth in range(1, len(parts) + 1)]
        files |= {f"{packages[-1]}.py", *(f"{package}/__init__.py" for package in packages)}
    return {file for file in files if (ROOT / file).is_file()}


@functools.cache
def parsed(source: str) -> tuple[list[str], list[ast.Expr]]:
    """Return what Python source imports of the pipeline anywhere, modules and perhaps what is in them, and its docstrings."""
    names: list[str] = []
    docstrings: list[ast.Expr] = []
    for node in statements(source):
        if isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            docstrings.append(cast(ast.Expr, node.body[0]))
    return [name for name in names if name.startswith("pipeline.")], docstrings


def statements(source: str) -> Iterator[ast.AST]:
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

    Text is cut by position: a dumped syntax tree differs between Python versions, and tokens take four times as long.
    """
    spans = [match.span() for match in STRING_OR_COMMENT.finditer(source) if match[0].startswith("#")]
    lines = list(io.StringIO(source))
    begins = list(itertools.accumulate(map(len, lines), initial=0))
    for text in parsed(source)[1]:
        last, end = cast(int, text.end_lineno), cast(int, text.end_col_offset)
        # The tree counts columns in bytes.
        before, inside = lines[text.lineno - 1].encode()[: text.col_offset], lines[last - 1].encode()[:end]
        spans.append((begins[text.lineno - 1] + len(before.decode()), begins[last - 1] + len(inside.decode())))
    for start, end in sorted(spans, reverse=True):
        line = source.rfind("\n", 0, start) + 1
        source = source[:line] + source[line:start].rstrip() + source[end:]
    return STRING_OR_BLANK_LINE.sub(lambda match: match[0] if match[0].strip() else "", source)


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
