"""The decision curve against the package dcurves, in an environment of this test's own."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.figures import Figure, save
from pipeline.data.dataset import Dataset
from pipeline.evaluation.usefulness.decision_curve import curve

N = 2000
CODE = """
import sys
import pandas as pd
from dcurves import dca

frame = pd.read_csv("samples.csv")
thresholds = pd.read_csv("thresholds.csv")["threshold"].tolist()
table = dca(frame, "y", ["p"], thresholds=thresholds)
table[["model", "threshold", "net_benefit"]].to_csv("dcurves.csv", index=False)
"""


def by_dcurves(folder: Path, y: np.ndarray, p: np.ndarray, thresholds: np.ndarray) -> pd.DataFrame:
    """Return the net benefit by threshold, columns p and all; skip the test where dcurves cannot be installed."""
    subprocess.run([sys.executable, "-m", "venv", folder / "env"], check=True)
    python = folder / "env/bin/python"
    done = subprocess.run(
        [python, "-m", "pip", "install", "-q", "dcurves"], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip(f"dcurves cannot be installed: {done.stderr.strip()[-200:]}")
    pd.DataFrame({"y": y, "p": p}).to_csv(folder / "samples.csv", index=False)
    pd.DataFrame({"threshold": thresholds}).to_csv(folder / "thresholds.csv", index=False)
    subprocess.run([python, "-c", CODE], cwd=folder, check=True, capture_output=True)
    table = pd.read_csv(folder / "dcurves.csv")
    return table.pivot_table(index="threshold", columns="model", values="net_benefit").loc[thresholds]


def test_the_decision_curve_is_that_of_dcurves(tmp_path):
    rng = np.random.default_rng(3)
    p = rng.beta(1, 4, N).round(4)
    y = (rng.random(N) < p**1.3).astype(int)
    names = np.arange(N).astype(str)
    own = curve(Dataset(names, names, names, y, np.zeros(N, int), ["benign", "malignant"], {}), p)
    own = own[own["threshold"] > 0]
    theirs = by_dcurves(tmp_path, y, p, own["threshold"].to_numpy())
    largest = max(np.abs(own[a].to_numpy() - theirs[b].to_numpy()).max() for a, b in (("model", "p"), ("all", "all")))
    how = f"{len(own)} thresholds, {N} samples; of the model and of treating all"
    figures = [Figure("net benefit: largest difference to dcurves, in billionths", 1e9 * largest, how, at_most=1)]
    save("soak_dcurves", "The decision curve against dcurves", figures, command="make soak")
    assert figures[0].passed
