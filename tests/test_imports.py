"""What is written down of a stage's code is what its process really loads."""

import shutil
import subprocess
import sys

import pytest

from pipeline import imports

LOADED = """
import importlib, sys
for name in sys.argv[1:]:
    importlib.import_module(name)
print(*(module.__file__ for name, module in sys.modules.items() if name.startswith("pipeline.")))
"""


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A copy of the pipeline's code that a test may change."""
    shutil.copytree(imports.ROOT / "pipeline", tmp_path / "pipeline", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(imports, "ROOT", tmp_path)
    monkeypatch.setattr(imports, "ESTIMATORS", tmp_path / "pipeline" / "estimators")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written() -> dict[str, bytes]:
    """Write the lists of code and return them by stage."""
    imports.write()
    return {path.name: path.read_bytes() for path in imports.FOLDER.iterdir()}


@pytest.mark.parametrize(
    ("name", "modules"),
    [
        ("scan", ["pipeline.scan"]),
        ("train-knn", ["pipeline.train", "pipeline.estimators.knn"]),
        ("train-mobilenetv2", ["pipeline.train", "pipeline.estimators.mobilenetv2"]),
        ("holdout", ["pipeline.holdout"]),
        ("track", ["pipeline.track"]),
    ],
)
def test_the_list_of_a_stage_holds_every_module_that_its_process_loads(name, modules):
    done = subprocess.run([sys.executable, "-c", LOADED, *modules], cwd=imports.ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    packages = {"pipeline/__init__.py", "pipeline/estimators/__init__.py"}
    loaded = {path.removeprefix(f"{imports.ROOT.as_posix()}/") for path in done.stdout.split()}
    assert loaded - packages <= set(imports.code_of_stages()[name])


def test_a_changed_file_changes_the_lists_of_the_stages_that_reach_it_and_of_no_other(copy):
    before = written()
    knn = copy / "pipeline/estimators/knn.py"
    knn.write_text(knn.read_text() + "\n# changed\n")
    after = written()
    assert {name for name in after if after[name] != before[name]} == {"train-knn"}
    shared = copy / "pipeline/dataset.py"
    shared.write_text(shared.read_text() + "\n# changed\n")
    changed = {name for name, text in written().items() if text != after[name]}
    assert {"preprocess", "train-knn", "train-logreg", "evaluate", "select_best", "holdout"} <= changed
    assert not changed & {"scan", "audit", "split", "demo", "backbone"}


def test_an_import_inside_a_function_counts(copy):
    (copy / "pipeline/late.py").write_text(
        "def main():\n    from pipeline import camera\n    import pipeline.drawing\n"
    )
    assert imports.reached("pipeline/late.py")[:1] == ["pipeline/camera.py"]
    assert "pipeline/drawing.py" in imports.reached("pipeline/late.py")


def test_a_circle_of_imports_ends(copy):
    (copy / "pipeline/a.py").write_text("import pipeline.b\n")
    (copy / "pipeline/b.py").write_text("from pipeline import a\n")
    assert imports.reached("pipeline/a.py") == ["pipeline/a.py", "pipeline/b.py"]


def test_what_a_saved_model_is_made_of_counts_where_it_is_loaded():
    for name in ("select_best", "holdout", "track"):
        assert "pipeline/estimators/_prepare.py" in imports.code_of_stages()[name], name


def test_the_lists_name_files_from_the_project_and_are_the_same_every_time(copy):
    once = written()
    assert once == written()
    for line in b"".join(once.values()).decode().splitlines():
        path, digest = line.split(" ")
        assert path.startswith("pipeline/")
        assert path.endswith(".py")
        assert len(digest) == 64
