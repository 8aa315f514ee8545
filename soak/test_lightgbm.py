"""A class of a package that is installed beside the project: LightGBM from `check` to an answer. It needs the network."""

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import numpy as np
import pytest

from pipeline.core import artifacts, params
from pipeline.core.errors import BundleError
from pipeline.prediction.predictor import Predictor
from tests.estimators.test_installed import export, make_task


@pytest.fixture(scope="module")
def lightgbm_python(tmp_path_factory):
    """The Python of an environment that has LightGBM in addition to what is installed here."""
    folder = tmp_path_factory.mktemp("lightgbm")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", "--retries", "0"]
    done = subprocess.run([*pip, "lightgbm==4.7.0"], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"needs LightGBM, which cannot be installed: {done.stderr.strip().splitlines()[-1]}")
    (next(folder.glob("**/site-packages")) / "here.pth").write_text(sysconfig.get_path("purelib"))
    return python


def run(python, *arguments):
    root = str(Path(params.__file__).parents[2])
    done = subprocess.run([python, *arguments], capture_output=True, text=True, env=os.environ | {"PYTHONPATH": root})
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_lightgbm_of_an_environment_of_its_own(lightgbm_python, tmp_path, monkeypatch):
    monkeypatch.delenv("DVC_ROOT", raising=False)
    monkeypatch.chdir(tmp_path)
    X = make_task(120, estimator="lightgbm:LGBMClassifier", n_estimators=20, min_child_samples=5, verbosity=-1)
    for stage in (["check"], ["train", "t-own"], ["evaluate", "t"]):
        run(lightgbm_python, "-m", f"pipeline.{stage[0]}", *stage[1:])
    assert "lightgbm 4.7.0" in Path("data/.code/train-t-own").read_text()
    assert artifacts.read_json(Path("reports/t/cv/t-own.json"))["roc_auc"] > 0.6
    export()
    X.iloc[:1].to_csv("row.csv", index=False)
    answer = json.loads(run(lightgbm_python, "-m", "pipeline.predict", "out", "row.csv", "--format", "json"))
    assert np.isfinite(list(answer[0]["probabilities"].values())).all()
    with pytest.raises(BundleError, match=r"needs the package lightgbm, .+ training had .+lightgbm 4\.7\.0"):
        Predictor("out")
