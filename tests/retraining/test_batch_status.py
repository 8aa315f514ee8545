"""The status of a batch, and the lock of the workspace."""

import pytest
from filelock import FileLock

from pipeline.retraining import batch_status, decide
from pipeline.retraining.batch_status import RetrainError


def test_a_batch_without_status_has_no_state(uploaded):
    assert batch_status.status("skin", "b") == batch_status.Status()


def test_the_work_of_a_killed_process_is_interrupted(uploaded):
    batch_status.write("skin", "b", "running", stage="scan@skin", done=1, total=9, seconds_left=5)
    assert batch_status.status("skin", "b").state == "interrupted"
    with FileLock(batch_status.LOCK):
        assert batch_status.status("skin", "b").state == "running"
        assert decide.batches("skin")[0].says == "scan@skin, 1 of 9, about 5 s left"
        with pytest.raises(RetrainError, match="another challenge or decision runs"):
            decide.reject("skin", "b", "me")
