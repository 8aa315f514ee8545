"""Work in parallel on this machine; tests/e2e/test_dask.py does the same on a cluster."""

import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from pipeline.core.parallel import run_parallel
from pipeline.core.threads import scratch_folder
from tests.helpers.samples import ROOT


def test_results_keep_the_order_of_items():
    def work(item):
        time.sleep(0.05 * (item == 0))
        return item * 2

    assert list(run_parallel(work, iter(range(20)), 3)) == list(range(0, 40, 2))


def test_results_come_before_the_last_item_is_asked_for():
    asked = []

    def items():
        for item in range(1000):
            asked.append(item)
            yield item

    results = run_parallel(lambda item: time.sleep(0.001), items(), 2)
    next(results)
    assert len(asked) < 100
    assert len(list(results)) == 999


def test_number_of_workers_bounds_parallel_items():
    def busiest(workers):
        now, most, lock = [0], [0], threading.Lock()

        def work(item):
            with lock:
                now[0] += 1
                most[0] = max(most[0], now[0])
            time.sleep(0.02)
            with lock:
                now[0] -= 1

        list(run_parallel(work, range(12), workers))
        return most[0]

    assert (busiest(1), busiest(3)) == (1, 3)


def test_blas_has_one_thread_only_during_the_work():
    def threads(_=None):
        np.ones((2, 2)) @ np.ones((2, 2))
        return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]

    before = threads()
    results = list(run_parallel(threads, range(4), 2))
    assert all(set(some) == {1} for some in results)
    assert threads() == before


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
    done = subprocess.run([sys.executable, "-c", work], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[('blas', 1), ('openmp', 1)]\n"


def test_errors_reach_the_caller_unchanged():
    def work(item):
        raise ValueError(f"item {item}")

    with pytest.raises(ValueError, match="item 3"):
        list(run_parallel(work, [3], 2))


def test_scratch_folder_is_in_the_project_and_removed_afterwards(empty_folder, tmp_path):
    with scratch_folder() as folder:
        assert folder.resolve().is_relative_to(tmp_path)
        (folder / "some").write_text("x")
    assert not folder.exists()
