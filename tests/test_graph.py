"""The graph as dvc.yaml declares it, expanded by DVC itself, against what the code imports and opens."""

import ast
import shutil
from pathlib import Path

import pytest

from pipeline.core import params
from pipeline.core.code_hashes import code_of_stages, reached

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def stages(tmp_path_factory) -> dict:
    """Return {stage name: DVC's stage} for the graph with every template expanded; not of dvc.lock, which takes 15 s to read."""
    from dvc.repo import Repo

    folder = tmp_path_factory.mktemp("graph")
    for name in ("dvc.yaml", "params.yaml"):
        shutil.copy(ROOT / name, folder)
    with Repo.init(str(folder), no_scm=True) as repo:
        return {stage.name: stage for stage in repo.index.stages}


def test_every_stage_depends_on_the_code_it_reaches(stages):
    models = params.load(ROOT / "params.yaml")["models"]
    lists = code_of_stages({name: block["estimator"] for name, block in models.items()})
    for name, stage in stages.items():
        kind, _, key = name.partition("@")
        if kind == "check":
            continue
        _, _, module, *keys = stage.cmd.split()
        assert (module, keys) == (f"pipeline.{kind}", [key] if key else [])
        code = f"data/.code/train-{key}" if kind == "train" else f"data/.code/{kind}"
        assert [dep.def_path for dep in stage.deps if dep.def_path.startswith("data/.code")] == [code]
        assert code.rsplit("/", 1)[1] in lists


def test_nothing_before_the_selection_can_open_the_test_set(stages):
    """train, evaluate and select_best see neither test.npz nor anything else that holds a test sample."""
    for name, stage in stages.items():
        kind, _, key = name.partition("@")
        if kind not in ("train", "evaluate", "select_best"):
            continue
        task = key if kind != "train" else params.load(ROOT / "params.yaml")["models"][key]["task"]
        raw = params.load(ROOT / "params.yaml")["tasks"][task]["raw"]
        closed = [raw, f"data/{task}/scan", f"data/{task}/split.csv", f"data/{task}/test.npz", f"reports/{task}/test"]
        closed += [f"data/{task}/test_columns.csv"]
        for dep in stage.deps:
            opened = [path for path in closed if is_within(path, dep.def_path) or is_within(dep.def_path, path)]
            assert not opened, f"{name} depends on {dep.def_path}"


def test_holdout_alone_opens_the_test_set_after_the_selection(stages):
    readers = {n.split("@")[0] for n, s in stages.items() for d in s.deps if d.def_path.endswith("test.npz")}
    assert readers == {"holdout"}
    readers = {n.split("@")[0] for n, s in stages.items() for d in s.deps if d.def_path.endswith("test_columns.csv")}
    assert readers == {"holdout"}
    for name, stage in stages.items():
        if name.startswith("holdout@"):
            deps = [dep.def_path for dep in stage.deps]
            assert f"reports/{name.split('@')[1]}/selection.json" in deps


def test_no_code_before_the_selection_names_the_test_file():
    """The code agrees with the graph: of the modules that these stages reach, none names test.npz."""
    for module in ("train", "evaluate", "select_best"):
        for file in reached(f"pipeline/{module}.py"):
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


def test_only_tracking_imports_mlflow_and_serving_no_tensorflow():
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
        assert "mlflow" not in roots or file.parent.name == "tracking", file
    served = reached("pipeline/prediction/predictor.py")
    assert not [file for file in served if "import tensorflow" in (ROOT / file).read_text(encoding="utf-8")]
