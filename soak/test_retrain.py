"""Challenges that take long: one with wrong labels, which is compared and not promoted, one cancelled, one killed."""

import os
import signal
import subprocess
import time

from tests.e2e.test_retrain import RETRAIN, hand_in, outcome
from tests.projects import environment


def test_a_batch_with_wrong_labels_is_trained_and_compared_but_not_promoted(clone):
    clone.repro()
    before = outcome(clone)
    hand_in(clone, 4321, 40, "bad", wrong=0.9)
    done = clone.run(*RETRAIN, "--batch", "bad")
    assert done.stdout.startswith("Do not promote: it may be worse by more than 0.02 ")
    done = clone.run(*RETRAIN, "--promote", "bad", ok=False)
    assert done.returncode == 3
    assert "The champion stays" in done.stderr
    clone.run(*RETRAIN, "--reject", "bad")
    assert not (clone.folder / ".cache/challenge").exists()
    assert outcome(clone) == before
    assert clone.repro() == []
    assert "rejected" in clone.run(*RETRAIN, "--status").stdout
    assert clone.run(*RETRAIN, "--promote", "bad", ok=False).returncode == 2
    # the same pictures under their right labels are welcome
    assert hand_in(clone, 4321, 10, "mended") >= 7


def test_one_challenge_runs_at_a_time_and_it_can_be_cancelled_or_killed(clone):
    clone.repro()
    before = outcome(clone)
    hand_in(clone, 77, 6, "b")

    def started() -> subprocess.Popen:
        running = subprocess.Popen(
            [*RETRAIN, "--batch", "b"], cwd=clone.folder, env=environment(), stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 120
        while "running" not in clone.run(*RETRAIN, "--status", "--json").stdout:
            assert time.monotonic() < deadline
            assert running.poll() is None
        return running

    running = started()
    other = clone.run(*RETRAIN, "--batch", "b", ok=False)
    assert (other.returncode, "another challenge or decision runs" in other.stderr) == (2, True)
    clone.run(*RETRAIN, "--cancel", "b")
    assert running.wait(30) == 2
    assert '"state": "cancelled"' in clone.run(*RETRAIN, "--status", "--json").stdout

    running = started()
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    deadline = time.monotonic() + 20
    while '"state": "interrupted"' not in clone.run(*RETRAIN, "--status", "--json").stdout:
        assert time.monotonic() < deadline
    time.sleep(1)  # DVC notices that nobody waits for it
    clone.run(*RETRAIN, "--batch", "b")
    assert '"state": "compared"' in clone.run(*RETRAIN, "--status", "--json").stdout
    assert outcome(clone) == before
