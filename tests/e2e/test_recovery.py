"""A dvc.lock that a killed DVC left half written: the project goes on, and nothing is trained again."""

import os
import shutil
import sys
import time
from pathlib import Path

from tests.helpers.projects import ROOT, ran


def cut(lock: Path) -> bytes:
    """Leave a part of dvc.lock that DVC refuses, as after a kill some time ago; return the whole."""
    whole = lock.read_bytes()
    lock.write_bytes(whole[: whole.index(b"train@")] + b"train@lesions-logreg:\n    cm")
    os.utime(lock, (time.time() - 60,) * 2)
    return whole


def test_make_demo_goes_on_and_says_so(clone):
    shutil.copy(ROOT / "Makefile", clone.folder)
    (clone.folder / ".venv").symlink_to(Path(sys.executable).parents[1])
    whole = cut(clone.folder / "dvc.lock")
    refused = clone.run("dvc", "status", ok=False)
    assert refused.returncode
    assert "'./dvc.lock' validation failed" in refused.stderr
    done = clone.run("make", "--old-file=.venv/.installed", "demo")
    assert "dvc.lock was half written" in done.stdout
    assert ran(done.stdout) == []
    assert clone.read("dvc.lock") == whole


def test_what_ran_since_the_commit_comes_from_the_run_cache(clone):
    clone.change(**{"models__breast-knn__n_neighbors": 5})
    clone.repro("evaluate@breast")
    whole = cut(clone.folder / "dvc.lock")
    clone.run("python", "-m", "pipeline.recover")
    assert not [name for name in clone.repro("evaluate@breast") if name.startswith(("train", "evaluate", "scan"))]
    assert clone.read("dvc.lock") == whole
