"""What tests of several modules share: a backbone of a few kilobytes, so that none depends on a downloaded one."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest
from xdist.scheduler import LoadScopeScheduling

from tests.helpers.shared import project_once

# Workers share the cores: with threads that wait for one actively, BLAS and OpenMP take ten times as long.
os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
# A user's Python keeps what it compiles. Where it may not, each worker compiles all tests, and each command the project.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# Untrained, with the same random weights each time. In a process of its own: TensorFlow warns and prints as it likes.
SMALL_BACKBONE = """
import sys, tensorflow as tf
tf.keras.utils.set_random_seed(0)
x = tf.keras.Input((224, 224, 3), batch_size=1, dtype="uint8")
y = tf.keras.layers.Rescaling(1 / 127.5, -1.0)(x)
y = tf.keras.layers.AveragePooling2D(8)(y)
last_map = tf.keras.layers.Conv2D(8, 3, strides=2, activation="relu")(y)
y = tf.keras.layers.GlobalAveragePooling2D()(last_map)
program = tf.lite.TFLiteConverter.from_keras_model(tf.keras.Model(x, [y, last_map])).convert()
with open(sys.argv[1], "wb") as file:
    file.write(program)
"""


TOGETHER = ("tests/estimators/", "tests/e2e/browser/")  # each imports TensorFlow, or starts Chromium and an app, once


class ByFile(LoadScopeScheduling):
    """Keeps a file's tests on one worker, and those of a folder in `TOGETHER`.

    Not by marks, which pytest-xdist 3.8 no longer sees under pytest 9.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::")[0]
        return next((folder for folder in TOGETHER if file.startswith(folder)), file)


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> ByFile:
    """Return what hands the tests out."""
    return ByFile(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put a third of the unit tests between the first end-to-end file, which runs the small graph, and the others.

    So no worker waits for that graph, and what comes last is short: all workers end at about the same time.
    """
    files = list(dict.fromkeys(item.path for item in items))
    browser = [file for file in files if file.parent.name == "browser"]
    first, *others = [*(file for file in files if file.parent.name == "e2e"), *browser] or [None]
    # the longest first: the browser's on one worker, and those that run the whole graph
    others.sort(key=lambda file: (file not in browser, not file.name.startswith("test_repro")))
    unit = [file for file in files if file not in (first, *others)]
    unit.sort(key=lambda file: file.parent.name != "estimators")  # one worker's, so the longest
    third = len(unit) // 3
    turn = {file: n for n, file in enumerate([first, *unit[:third], *others, *unit[third:]])}
    items.sort(key=lambda item: turn[item.path])


@pytest.fixture(scope="session")
def program(pytestconfig: pytest.Config) -> Path:
    """A LiteRT program of 8 numbers and their map, for the embedder's input; made once (8 s), then kept in pytest's cache."""
    kept = pytestconfig.cache.mkdir("backbone") / f"keras-{version('keras')}-with-map.tflite"
    if not kept.exists():
        made = kept.with_suffix(f".{os.getpid()}.part")  # two processes may make it at once
        done = subprocess.run([sys.executable, "-c", SMALL_BACKBONE, made], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        made.replace(kept)
    return kept


@pytest.fixture(scope="session")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project of a table task t whose champion, a logistic regression, came out of the stages: copy it to change it."""
    from tests.helpers.models import score

    return project_once(tmp_path_factory, "scored", lambda: score({"line": {"estimator": "logreg"}}, 200, 60))


@pytest.fixture(scope="session")
def split_task(tmp_path_factory: pytest.TempPathFactory, program: Path) -> Path:
    """A project with the image task `skin`, split: copy it to change it."""
    from tests.helpers.uploads import make_task

    return project_once(tmp_path_factory, "split", lambda: make_task(program))


@pytest.fixture
def work_in_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], Path]:
    """Copy a folder, and make the copy the current folder."""

    def copy(folder: Path) -> Path:
        shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
        monkeypatch.chdir(tmp_path)
        return tmp_path

    return copy


@pytest.fixture
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder as the current one, which is no part of a DVC workspace."""
    monkeypatch.delenv("DVC_ROOT", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def training_project(empty_folder: Path) -> Path:
    """The working folder is a project with a table task `t`, ready to train; the test set is not there."""
    import numpy as np

    from tests.helpers.models import dataset, mixed, write_params

    models = {"floor": {"estimator": "dummy"}, "line": {"estimator": "logreg"}}
    models |= {"near": {"estimator": "knn"}, "trees": {"estimator": "random_forest", "n_estimators": 10}}
    write_params(models)
    X, y = mixed(100)
    dataset(X, y, np.arange(100) // 2).save(Path("data/t/dev.npz"))
    return empty_folder


@pytest.fixture
def scan_project(empty_folder, program) -> Path:
    """The current folder: a project with the small backbone."""
    from pipeline.core import artifacts

    artifacts.write_bytes("models/backbone/embedder.tflite", program.read_bytes())
    return empty_folder
