"""Two commands at once in one workspace."""

import subprocess
import time

import numpy as np
import pandas as pd

RETRAIN = ("python", "-m", "pipeline.retrain", "breast", "--batch", "june")


def test_repro_and_a_challenge_run_side_by_side(clone):
    rows = pd.read_csv(clone.folder / "data/demo/breast.csv")[:12]
    numbers = rows.select_dtypes("number").columns
    rows[numbers] *= np.random.default_rng(3).uniform(0.8, 1.2, (12, len(numbers)))  # other patients
    rows.to_csv(clone.folder / "june.csv", index=False)
    clone.run("python", "-m", "pipeline.collect", "breast", "june.csv", "--batch", "june")
    n_runs = 0
    with subprocess.Popen(
        RETRAIN, cwd=clone.folder, env=clone.environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as challenge:
        while challenge.poll() is None:
            if n_runs < 3:  # as it starts, and while its stages run
                assert clone.repro() == []
                n_runs += 1
            time.sleep(1)
        printed = challenge.stdout.read()
    assert challenge.returncode == 0, printed
    assert n_runs > 1
