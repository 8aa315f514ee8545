"""What a worker is told and asked; what a cluster does is in tests/e2e/test_dask.py."""

import subprocess
import sys
from concurrent.futures import CancelledError

import cloudpickle
import pytest

from pipeline.core import cluster
from pipeline.core.errors import ClusterError


def test_a_worker_runs_code_without_the_project(tmp_path):
    call = cloudpickle.dumps(cluster.with_code(cluster.installed))
    info = {"packages": {"python": "3.11.7.final.0", "numpy": None}}
    code = f"import pickle, sys; print(pickle.load(sys.stdin.buffer)({info}))"
    done = subprocess.run([sys.executable, "-c", code], input=call, cwd=tmp_path, capture_output=True, check=True)
    assert done.stdout.decode().strip() == str({"python": "3.11.7.final.0", "numpy": "none", "Python": "3.11"})


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (CancelledError(), "the scheduler was lost; start it and run this again"),
        (cluster.ClusterFailure("all workers were lost"), "all workers were lost"),
    ],
)
def test_an_error_of_the_cluster_names_its_address(error, message):
    with pytest.raises(ClusterError, match=f"ASSAY_DASK=tcp://x:1: {message}"), cluster.cluster_errors("tcp://x:1"):
        raise error


def test_an_error_of_the_work_stays_as_it_is():
    with pytest.raises(KeyError), cluster.cluster_errors("tcp://x:1"):
        raise KeyError
