"""docs/how-to/add-an-estimator.md, followed step by step in a copy of the pipeline."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import yaml

from pipeline.core import code_hashes
from tests.helpers.models import dataset, mixed, write_params

PAGE = (code_hashes.ROOT / "docs/how-to/add-an-estimator.md").read_text(encoding="utf-8")


def block(language):
    return re.search(rf"```{language}\n(.+?)```", PAGE, re.DOTALL).group(1)


def test_the_how_to_page_adds_an_estimator(empty_folder):
    shutil.copytree(code_hashes.ROOT / "pipeline", "pipeline", ignore=shutil.ignore_patterns("__pycache__"))
    Path(re.search(r"^`(pipeline/\S+)`:$", PAGE, re.MULTILINE).group(1)).write_text(block("python"))
    models = yaml.safe_load(block("yaml"))
    write_params(models, metric="roc_auc")
    X, y = mixed(60)
    dataset(X, y).save(Path("data/t/dev.npz"))
    X.assign(label=np.where(y, "malignant", "benign")).to_csv("raw", index=False)
    for stage in (["check"], ["train", *models]):
        done = subprocess.run(
            [sys.executable, "-m", f"pipeline.{stage[0]}", *stage[1:]], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
    assert "pipeline/estimators/naive_bayes.py" in Path("data/.code/train-t-naive_bayes").read_text()
    candidate = json.loads(Path("models/t/candidates/t-naive_bayes/candidate.json").read_text())
    assert candidate["estimator"] == "naive_bayes"
    assert candidate["tuned"]["chosen"]["var_smoothing"] in (1e-9, 0.1)
