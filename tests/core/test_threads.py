"""Threads of this process have one thread of BLAS each; a folder for their files ends with the work."""

import os
import subprocess
import sys

import numpy as np
from threadpoolctl import threadpool_info, threadpool_limits

from pipeline.core.parallel import run_parallel
from pipeline.core.threads import scratch_folder
from tests.helpers.samples import ROOT


def test_blas_has_one_thread_only_during_the_work():
    def threads(_=None):
        np.ones((2, 2)) @ np.ones((2, 2))
        return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]

    with threadpool_limits(2):
        before = threads()
        results = list(run_parallel(threads, range(4), 2))
        assert all(set(some) == {1} for some in results)
        assert threads() == before != results[0]


def test_libraries_loaded_by_the_work_have_one_thread():
    """scikit-learn is imported where a model is built: KNN's last bits were those of the machine's number of cores."""
    work = """
from threadpoolctl import threadpool_info
from pipeline.core.threads import run_here

def work(item):
    import sklearn.neighbors
    return [(pool["user_api"], pool["num_threads"]) for pool in threadpool_info()]

print(sorted(set(next(run_here(work, [0], 1)))))
"""
    env = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    done = subprocess.run([sys.executable, "-c", work], cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    assert done.stdout == "[('blas', 1), ('openmp', 1)]\n"


def test_scratch_folder_is_in_the_project_and_removed_afterwards(empty_folder, tmp_path):
    with scratch_folder() as folder:
        assert folder.resolve().is_relative_to(tmp_path)
        (folder / "some").write_text("x")
    assert not folder.exists()
