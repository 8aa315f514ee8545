"""DVC, with what `.dvc/whole_lock.py` changes of it, leaves dvc.lock whole whatever happens, and reads it quickly."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / ".dvc/whole_lock.py"
BEFORE = "schema: '2.0'\nstages: {}\n"

WRITE = """
import sys
{load}
from dvc.fs import localfs
from dvc.utils.serialize import _common

def half(data, stream):
    stream.write("schema: '2.0'\\nstages:\\n  check:\\n    de")
    stream.flush()
    {end}

_common._dump_data(sys.argv[1], {{}}, half, fs=localfs)
"""


def write(
    folder: Path, end: str, name: str = "dvc.lock", load: str = "import whole_lock"
) -> subprocess.CompletedProcess:
    """Let DVC write a file in `folder`, where something happens in the middle."""
    (folder / name).write_text(BEFORE)
    command = [sys.executable, "-c", WRITE.format(end=end, load=load), str(folder / name)]
    env = os.environ | {"PYTHONPATH": str(SOURCE.parent), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, env=env, capture_output=True, text=True)


KILL, FULL = "import os; os.kill(os.getpid(), 9)", "raise OSError(28, 'No space left on device')"


@pytest.mark.parametrize("name", ["dvc.lock", "rwlock"])
@pytest.mark.parametrize("end", [KILL, FULL])
def test_killed_dvc_leaves_the_file_unchanged(tmp_path, end, name):
    assert write(tmp_path, end, name).returncode != 0
    assert (tmp_path / name).read_text() == BEFORE


def test_complete_file_replaces_the_old_one(tmp_path):
    done = write(tmp_path, "stream.write('ps: {}\\n')")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "dvc.lock").read_text().endswith("deps: {}\n")
    assert [path.name for path in tmp_path.iterdir()] == ["dvc.lock"]


def test_without_it_dvc_leaves_half_a_file(tmp_path):
    """Should this fail, DVC writes its files in one step itself: delete .dvc/whole_lock.py."""
    without = "sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__name__ != 'Finder']"
    assert write(tmp_path, KILL, load=without).returncode != 0
    assert (tmp_path / "dvc.lock").read_text().endswith("    de")


QUICK = """
import sys
import whole_lock
from dvc.utils.serialize import _yaml
with _yaml.modify_yaml(sys.argv[1]) as content:
    print(type(content).__name__)
"""


@pytest.mark.parametrize(("name", "kind"), [("dvc.lock", "dict"), ("dvc.yaml", "CommentedMap")])
def test_lock_keeps_its_bytes_and_dvc_yaml_its_comments(tmp_path, name, kind):
    text = (SOURCE.parents[1] / name).read_text(encoding="utf-8")
    if name == "dvc.lock":
        text += "  odd:\n    md5: '12345e67'\n    params:\n      params.yaml:\n"
        text += "        rate: 1e-05\n        C: 0.001\n        none:\n"
    (tmp_path / name).write_text(text, encoding="utf-8")
    env = os.environ | {"PYTHONPATH": str(SOURCE.parent), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", QUICK, str(tmp_path / name)]
    assert subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout == f"{kind}\n"
    after = (tmp_path / name).read_text(encoding="utf-8")
    assert after == text if name == "dvc.lock" else after.count("#") == text.count("#") > 1


def test_it_is_loaded_whenever_the_environments_python_starts(tmp_path):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    python = next(path for path in (tmp_path / "venv").glob("*/python*") if path.stem == "python")
    subprocess.run([python, SOURCE], check=True)
    done = subprocess.run(
        [python, "-c", "import sys; print('assay_whole_lock' in sys.modules)"], capture_output=True, text=True
    )
    assert done.stdout == "True\n"
