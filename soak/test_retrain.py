"""From an upload to a challenger, a promotion and back, on the small graph; and what must not be promoted is not."""

import json
import os
import signal
import subprocess
import sys
import time

from pipeline.data.synthetic.demo_set import lesion_photos
from tests.helpers.projects import environment

OUTCOME = (
    "models/lesions/best/bundle.json", "data/lesions/dev.npz", "data/lesions/test.npz", "data/lesions/split.csv",
    "data/lesions/audit.json", "reports/lesions/selection.json", "data/uploads/lesions/included.csv",
)  # fmt: skip
RETRAIN = (sys.executable, "-m", "pipeline.retrain", "lesions")


def outcome(project) -> dict[str, bytes]:
    """Return the bytes that a decision changes, or must not change."""
    return {path: project.read(path) for path in OUTCOME}


def hand_in(project, seed: int, n: int, batch: str, wrong: float = 0.0) -> int:
    """Hand in photos of n lesions that the demo has not, a share of them under the wrong label; return how many are taken."""
    files: dict[str, list[str]] = {"benign": [], "malignant": []}
    for index in range(n):
        photo = lesion_photos(seed, index)[0]
        label = {"benign": "malignant", "malignant": "benign"}[photo.label] if index < wrong * n else photo.label
        path = project.folder / ".cache" / f"{batch}-{index}{photo.suffix}"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(photo.data)
        files[label].append(str(path))
    for label, paths in files.items():
        command = (sys.executable, "-m", "pipeline.collect", "lesions", *paths, "--label", label, "--batch", batch)
        assert project.run(*command, ok=False).returncode in (0, 2)
    lines = project.read("data/uploads/lesions/ledger.jsonl").decode().splitlines()
    return sum(json.loads(line)["batch"] == batch for line in lines)


def test_a_promoted_batch_rolls_back_to_the_old_bytes(clone):
    # sixty images and an untrained network tell little apart
    clone.change(retrain={"margin": 0.5, "guarded": ["roc_auc"]})
    clone.repro()
    before = outcome(clone)
    n = hand_in(clone, 1234, 20, "good")
    assert n >= 15
    assert clone.run("dvc", "status", "--quiet", ok=False).returncode == 0  # an upload alone changes nothing
    done = clone.run(*RETRAIN, "--batch", "good", "--json")
    content = json.loads(done.stdout)
    assert outcome(clone) == before
    assert clone.run("dvc", "status", "--quiet", ok=False).returncode == 0
    assert content["passed"], content["recommendation"]
    assert content["recommendation"].startswith("Promote: ")
    assert content["batch"]["n"] == n
    assert content["champion"]["bundle"] != content["challenger"]["bundle"]
    assert set(content["per_class"]) == {"benign", "malignant"}

    clone.run(*RETRAIN, "--promote", "good")
    after = outcome(clone)
    assert json.loads(after["reports/lesions/selection.json"])["bundle"] == content["challenger"]["bundle"]
    assert after["data/lesions/test.npz"] == before["data/lesions/test.npz"]
    assert len(after["data/uploads/lesions/included.csv"].splitlines()) == n + 1
    assert clone.repro() == []
    trained = [json.loads(line)["stage"] for line in clone.read("logs/timings.jsonl").decode().splitlines()]
    assert "train" not in trained  # in the workspace: the run cache had it

    clone.run(*RETRAIN, "--rollback")
    assert outcome(clone) == before
    events = [
        json.loads(line)["event"] for line in clone.read("data/uploads/lesions/ledger.jsonl").decode().splitlines()
    ]
    assert [event for event in events if event != "collected"] == ["compared", "promoted", "rolled back"]
    assert clone.run(*RETRAIN, "--rollback", ok=False).returncode == 2


def test_a_batch_with_wrong_labels_is_compared_but_not_promoted(clone):
    clone.repro()
    before = outcome(clone)
    hand_in(clone, 4321, 40, "bad", wrong=0.9)
    done = clone.run(*RETRAIN, "--batch", "bad")
    assert done.stdout.startswith("Do not promote: the challenger may be worse by more than 0.02 ")
    done = clone.run(*RETRAIN, "--promote", "bad", ok=False)
    assert done.returncode == 3
    assert "The champion stays" in done.stderr
    clone.run(*RETRAIN, "--reject", "bad")
    assert not (clone.folder / ".cache/challenge").exists()
    assert outcome(clone) == before
    assert clone.repro() == []
    assert "rejected" in clone.run(*RETRAIN, "--status").stdout
    assert clone.run(*RETRAIN, "--promote", "bad", ok=False).returncode == 2
    # the same images under their right labels are welcome
    assert hand_in(clone, 4321, 10, "mended") >= 7


def test_one_challenge_runs_at_a_time_and_can_be_cancelled(clone):
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
