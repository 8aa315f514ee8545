"""What is written down of a stage's code is what its process really loads."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.core import code_hashes, paths

LOADED = """
import importlib, sys
for stage in sys.argv[1:]:
    for name in stage.split("+"):
        importlib.import_module(name)
    names = [name for name in sys.modules if name.startswith("pipeline")]
    print(*(sys.modules.pop(name).__file__ for name in names))
"""


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A copy of the pipeline's code that a test may change."""
    shutil.copytree(code_hashes.ROOT / "pipeline", tmp_path / "pipeline", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(code_hashes, "ROOT", tmp_path)
    monkeypatch.setattr(code_hashes, "ESTIMATORS", tmp_path / "pipeline" / "estimators")
    monkeypatch.chdir(tmp_path)
    return tmp_path


ESTIMATORS = {name: name for name in ("knn", "logreg", "mean_of_two", "mobilenetv2")}  # of a model of the same name


def written() -> dict[str, bytes]:
    """Write the lists of code and return them by stage."""
    code_hashes.write_lists(ESTIMATORS)
    return {path.name: path.read_bytes() for path in paths.CODE.iterdir()}


def test_list_holds_every_module_that_the_process_loads():
    """One process imports the stages one after the other, the project's modules each time anew."""
    loads = {"scan": "pipeline.scan", "holdout": "pipeline.holdout", "track": "pipeline.track"}
    loads |= {f"train-{name}": f"pipeline.train+pipeline.estimators.{name}" for name in ("knn", "mobilenetv2")}
    command = [sys.executable, "-c", LOADED, *loads.values()]
    done = subprocess.run(command, cwd=code_hashes.ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    written = code_hashes.code_of_stages(ESTIMATORS)
    for name, line in zip(loads, done.stdout.splitlines(), strict=True):
        loaded = {Path(path).relative_to(code_hashes.ROOT).as_posix() for path in line.split()}
        assert len(loaded) > 10
        assert loaded <= {"pipeline/__init__.py", *written[name]}, name


@pytest.mark.parametrize(("name", "most"), [("split", 30), ("leaderboard", 38), ("train", 60), ("backbone", 24)])
def test_a_stage_reaches_few_files(name, most):
    assert len(code_hashes.code_of_stages(ESTIMATORS)[name]) <= most  # a change of one of them runs the stage again


def test_changed_file_changes_only_lists_that_reach_it(copy):
    before = written()
    knn = copy / "pipeline/estimators/knn.py"
    knn.write_text(knn.read_text() + "\nCHANGED = True\n")
    after = written()
    assert {name for name in after if after[name] != before[name]} == {"train-knn", "train-mean_of_two"}
    shared = copy / "pipeline/data/dataset.py"
    shared.write_text(shared.read_text() + "\nCHANGED = True\n")
    changed = {name for name, text in written().items() if text != after[name]}
    assert {"preprocess", "train-knn", "train-logreg", "evaluate", "select_best", "holdout"} <= changed
    assert not changed & {"scan", "audit", "split", "demo", "backbone"}


def test_an_import_inside_a_function_counts(copy):
    (copy / "pipeline/late.py").write_text(
        "def main():\n    from pipeline.data.synthetic import photo\n    import pipeline.data.synthetic.lesion\n"
    )
    files = code_hashes.reached("pipeline/late.py")
    assert {"pipeline/data/synthetic/photo.py", "pipeline/data/synthetic/lesion.py"} <= set(files)


def test_a_circle_of_imports_ends(copy):
    (copy / "pipeline/a.py").write_text("import pipeline.b\n")
    (copy / "pipeline/b.py").write_text("from pipeline import a\n")
    assert code_hashes.reached("pipeline/a.py") == ["pipeline/__init__.py", "pipeline/a.py", "pipeline/b.py"]


def test_modules_of_a_saved_model_count_where_it_is_loaded():
    for name in ("select_best", "holdout", "track"):
        assert "pipeline/estimators/_prepare.py" in code_hashes.code_of_stages(ESTIMATORS)[name], name


def test_lists_have_relative_paths_and_stable_bytes(copy):
    once = written()
    assert once == written()
    for line in b"".join(once.values()).decode().splitlines():
        path, digest = line.split(" ")
        assert path.startswith("pipeline/")
        assert path.endswith(".py")
        assert len(digest) == 64


SOURCE = '''"""What the module is for."""

import os  # why

TEXT = """one

# no comment
"""  # a comment after a string


class A:
    """A class."""

    def f(self, x=f"{os.sep}#"):
        """é: one line, """ """in two."""

        # why
        return [
            x,  # é

            "a # b",
        ]


def g(): "inline"; return 1
'''
CODE = '''import os
TEXT = """one

# no comment
"""
class A:
    def f(self, x=f"{os.sep}#"):
        return [
            x,
            "a # b",
        ]
def g():; return 1
'''


def test_prose_and_blank_lines_are_cut_and_strings_stay():
    assert code_hashes.without_prose(SOURCE) == CODE


def test_rewritten_prose_changes_no_list(copy):
    before = written()
    for path in (copy / "pipeline").rglob("*.py"):
        path.write_text("# A new first line.\n" + path.read_text().replace('"""Return ', '"""Give\n\n    back '))
    assert written() == before


def test_every_python_cuts_alike(copy):
    others = [python for name in ("python3.11", "python3.12", "python3.13") if (python := works(name))]
    if len(others) < 2:
        pytest.skip("needs two versions of Python 3.11 to 3.13")
    show = "from pipeline.core import code_hashes; import pathlib, sys; " + (
        "sys.stdout.buffer.write(code_hashes.without_prose(pathlib.Path(sys.argv[1]).read_text('utf-8')).encode())"
    )
    (copy / "source.py").write_text(SOURCE, encoding="utf-8")
    for python in others:
        for file in ("source.py", "pipeline/stats/metrics.py", "pipeline/core/code_hashes.py"):
            done = subprocess.run([python, "-c", show, file], cwd=copy, capture_output=True, check=True)
            assert done.stdout.decode() == code_hashes.without_prose((copy / file).read_text("utf-8")), (python, file)


def works(name: str) -> str | None:
    """Return the path of that Python if it starts."""
    path = shutil.which(name)
    return path if path and subprocess.run([path, "-c", ""], capture_output=True).returncode == 0 else None
