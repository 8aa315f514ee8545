"""The graph as dvc.yaml declares it, expanded by DVC itself, against what the code imports and opens."""

import ast
from pathlib import Path

import pytest

from pipeline import params

ROOT = Path(__file__).resolve().parents[1]

# What unpickles a .joblib model reaches the modules that the model is made of, without an import in its text.
UNPICKLES = {"predictor": ["pipeline/estimators/_prepare.py"]}


@pytest.fixture(scope="module")
def stages() -> dict:
    """Return {stage name: DVC's stage} for the graph with every template expanded."""
    from dvc.repo import Repo

    with Repo(str(ROOT)) as repo:
        return {stage.addressing: stage for stage in repo.index.stages}


def imports(path: Path) -> set[str]:
    """Return the pipeline modules, as paths from the root, that a file imports anywhere in its text."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "pipeline":
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        files = [f"{name.replace('.', '/')}.py" for name in names]
        found |= {file for file in files if (ROOT / file).is_file()}
    return found


def reached(start: set[str]) -> set[str]:
    """Return every pipeline file that the files in `start` reach by import, themselves included."""
    seen, todo = set(), set(start)
    while todo:
        file = todo.pop()
        seen.add(file)
        todo |= (imports(ROOT / file) | set(UNPICKLES.get(Path(file).stem, []))) - seen
    return seen


def modules_of(stage: object) -> set[str]:
    """Return the files that the stage's command starts with: its module, and the estimators that it loads by name."""
    _, _, module, *key = stage.cmd.split()
    start = {module.replace(".", "/") + ".py"}
    if module == "pipeline.check":
        start |= {file.relative_to(ROOT).as_posix() for file in (ROOT / "pipeline/estimators").glob("*.py")}
    if module == "pipeline.train":
        start.add(f"pipeline/estimators/{params.load(ROOT / 'params.yaml')['models'][key[0]]['estimator']}.py")
    return start


def declared(stage: object) -> set[str]:
    """Return the Python files among the stage's dependencies; a folder stands for all files in it."""
    found = set()
    for dep in stage.deps:
        path = ROOT / dep.def_path
        if path.is_dir() and dep.def_path.startswith("pipeline"):
            found |= {file.relative_to(ROOT).as_posix() for file in path.glob("*.py")}
        elif path.suffix == ".py":
            found.add(dep.def_path)
    return found


def test_every_stage_lists_every_module_it_reaches_by_import(stages):
    missing = {name: sorted(reached(modules_of(stage)) - declared(stage)) for name, stage in stages.items()}
    assert {name: files for name, files in missing.items() if files} == {}


def test_no_stage_lists_a_module_that_none_of_its_kind_reaches(stages):
    needed: dict[str, set[str]] = {}
    for name, stage in stages.items():
        needed.setdefault(name.split("@")[0], set()).update(
            reached(modules_of(stage)) | {"pipeline/estimators/__init__.py"}
        )
    extra = {name: sorted(declared(stage) - needed[name.split("@")[0]]) for name, stage in stages.items()}
    assert {name: files for name, files in extra.items() if files} == {}


def test_everything_depends_on_the_check_of_params(stages):
    for name, stage in stages.items():
        assert name == "check" or "data/.checked" in [dep.def_path for dep in stage.deps], name


def test_nothing_before_the_selection_can_open_the_test_set(stages):
    """train, evaluate and select_best see neither test.npz nor anything else that holds a test sample."""
    for name, stage in stages.items():
        kind, _, key = name.partition("@")
        if kind not in ("train", "evaluate", "select_best"):
            continue
        task = key if kind == "select_best" else params.load(ROOT / "params.yaml")["models"][key]["task"]
        raw = params.load(ROOT / "params.yaml")["tasks"][task]["raw"]
        closed = [raw, f"data/{task}/scan", f"data/{task}/split.csv", f"data/{task}/test.npz", f"reports/{task}/test"]
        for dep in stage.deps:
            opened = [path for path in closed if is_within(path, dep.def_path) or is_within(dep.def_path, path)]
            assert not opened, f"{name} depends on {dep.def_path}"


def test_the_test_set_is_opened_by_holdout_alone_and_after_the_selection(stages):
    readers = {n.split("@")[0] for n, s in stages.items() for d in s.deps if d.def_path.endswith("test.npz")}
    assert readers == {"holdout"}
    for name, stage in stages.items():
        if name.startswith("holdout@"):
            deps = [dep.def_path for dep in stage.deps]
            assert f"reports/{name.split('@')[1]}/selection.json" in deps


def test_no_stage_before_the_selection_names_the_test_file_in_its_code():
    """The code agrees with the graph: of the modules that these stages reach, none speaks of test.npz."""
    for module in ("train", "evaluate", "select_best"):
        for file in reached({f"pipeline/{module}.py"}):
            tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
            texts = [
                node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
            ]
            docs = {ast.get_docstring(node, clean=False) for node in ast.walk(tree) if isinstance(node, DOCUMENTED)}
            assert not [text for text in texts if "test.npz" in text and text not in docs], file


DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef)


def is_within(path: str, folder: str) -> bool:
    """Return whether `path` is `folder` or lies in it."""
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def test_only_track_imports_mlflow_and_serving_reaches_no_tensorflow():
    for file in (ROOT / "pipeline").rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        tree = ast.parse(text)
        roots = {
            alias.name.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
        }
        roots |= {
            (node.module or "").split(".")[0]
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and not node.level
        }
        assert "mlflow" not in roots or file.name == "track.py", file.name
    served = reached({"pipeline/predictor.py"})
    assert not [file for file in served if "import tensorflow" in (ROOT / file).read_text(encoding="utf-8")]
