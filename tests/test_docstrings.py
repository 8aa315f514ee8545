"""What docstrings and comments of the pipeline refer to exists: `module.name` in backticks is a name of that module."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
REFERENCE = re.compile(r"`([a-z_][\w.]*)\.(\w+)(?:\(\))?`")


def names_of(path: Path) -> set[str]:
    """Return the names that a module or room defines or imports at its top level, and the modules in a room."""
    names = {other.stem for other in path.parent.iterdir()} if path.stem == "__init__" else set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.ImportFrom):
            names |= {alias.asname or alias.name for alias in node.names}
    return names


def test_docstrings_refer_to_names_that_exist():
    files = sorted([*(ROOT / "pipeline").rglob("*.py"), *(ROOT / "app").rglob("*.py")])
    defined: dict[str, set[str]] = {}
    for path in files:
        name = path.parent.name if path.stem == "__init__" else path.stem
        defined[name] = defined.get(name, set()) | names_of(path)
    wrong = []
    for path in files:
        text = path.read_text(encoding="utf-8")
        for match in REFERENCE.finditer(text):
            module = match[1].rsplit(".", 1)[-1]
            # Keys of params.yaml, files.
            known = defined.get(module, {match[2]}) | defined["params_models"] | {"csv", "json"}
            if match[2] not in known:
                line = text.count("\n", 0, match.start()) + 1
                wrong.append(f"{path.relative_to(ROOT).as_posix()}:{line}: {match[0]}")
    assert not wrong, "\n".join(wrong)
