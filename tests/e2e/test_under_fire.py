"""A full disk, and two runs at once: one clear answer, and nothing lost. On a real file system of a few megabytes."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.helpers.projects import Project, cloned, environment

ROOM = 2_000_000  # bytes: for what DVC and git write, and for no image set and no MLflow store


class Disk:
    """A file system in memory, of a size that can be changed."""

    def __init__(self, folder: Path):
        self.folder = folder
        folder.mkdir()

    def mount(self) -> bool:
        command = ["mount", "-t", "tmpfs", "-o", "size=1g", "tmpfs", str(self.folder)]
        return sys.platform == "linux" and os.getuid() == 0 and subprocess.run(command).returncode == 0

    def leave(self, free: int) -> None:
        """Change the size so that `free` bytes are left."""
        now = os.statvfs(self.folder)
        size = (now.f_blocks - now.f_bfree) * now.f_frsize + free
        subprocess.run(["mount", "-o", f"remount,size={size}", str(self.folder)], check=True)

    def unmount(self) -> None:
        subprocess.run(["umount", "--lazy", str(self.folder)], check=True)


@pytest.fixture
def disk(tmp_path):
    disk = Disk(tmp_path / "disk")
    if not disk.mount():
        pytest.skip("a small file system cannot be mounted here: it takes Linux and root")
    yield disk
    disk.unmount()


@pytest.fixture
def on_disk(disk, small) -> Project:
    """A clone of the small graph on a disk of its own; the cache is elsewhere."""
    return cloned(small, disk.folder / "clone")


def outputs(project: Project, *without: str) -> dict[str, bytes]:
    paths = [path for name in ("data", "models", "reports") for path in (project.folder / name).rglob("*")]
    result = {path.relative_to(project.folder).as_posix(): path for path in paths if path.is_file()}
    return {name: path.read_bytes() for name, path in result.items() if not name.startswith(without)}


def test_a_stage_survives_a_full_disk(disk, on_disk):
    own = tuple(
        f"data/lesions/{name}"
        for name in ("dev.npz", "test.npz", "dev_pixels.npy", "dev_columns.csv", "test_columns.csv")
    )
    before, lock = outputs(on_disk, *own, "data/.code"), on_disk.read("dvc.lock")
    on_disk.change(tasks__lesions__preprocess__pixels=True)  # 150 KB for each image
    on_disk.run("dvc", "repro", "check")
    disk.leave(ROOM)
    done = on_disk.run("dvc", "repro", "--no-run-cache", "preprocess@lesions", ok=False)
    message = [line for line in done.stderr.splitlines() if line and not line.startswith("preprocess lesions")]
    assert (
        message[0]
        == "preprocess: No space left on device; free disk space or change the permissions, then run it again"
    )
    assert message[1].startswith(
        "ERROR: failed to reproduce 'preprocess@lesions': failed to run: python -m pipeline.preprocess"
    )
    assert done.returncode != 0
    assert outputs(on_disk, *own, "data/.code") == before
    disk.leave(100_000_000)
    assert on_disk.repro("--no-run-cache", "preprocess@lesions") == ["preprocess@lesions"]
    pixels = np.load(on_disk.folder / own[2])
    assert len(pixels) == len(np.load(on_disk.folder / own[0])["y"])
    assert all(image.any() for image in pixels)
    on_disk.run("git", "checkout", "params.yaml")
    on_disk.run("dvc", "repro", "preprocess@lesions")
    assert on_disk.read("dvc.lock") == lock


def test_mlflow_survives_a_full_disk(disk, on_disk):
    disk.leave(ROOM)
    done = on_disk.run("python", "-m", "pipeline.track", ok=False)
    assert done.returncode == 2
    *_, last = lines = done.stderr.splitlines()
    assert re.match(r"TrackError: the disk is full and the MLflow store .* incomplete; free disk space, then run", last)
    assert not [line for line in lines if "Traceback" in line]
    disk.leave(200_000_000)
    done = on_disk.run("python", "-m", "pipeline.track")
    assert re.search(
        r"track lesions: \d runs created, \d unchanged; champion lesions-\S+, version 1 of lesions registered",
        done.stderr,
    )
    runs = json.loads(on_disk.read("mlflow/tracked.json"))
    assert {run["model"] for run in runs} == set(on_disk.params()["models"])


def test_dvc_commit_repairs_a_cache_after_a_full_disk(disk, clone):
    """DVC says what it could not keep, and goes on: the workspace has it, the cache does not."""
    clone.run("dvc", "config", "--local", "cache.dir", str(disk.folder / "cache"))
    disk.leave(100_000)
    lock = clone.read("dvc.lock")
    done = clone.run("dvc", "repro", "--force", "--single-item", "scan@lesions", ok=False)
    assert re.search(r"ERROR: failed to transfer .*No space left on device", done.stderr)
    assert "Traceback" not in done.stderr
    assert clone.read("dvc.lock") == lock
    disk.leave(100_000_000)
    clone.run("dvc", "commit", "--force", "scan@lesions")
    scan = clone.folder / "data/lesions/scan"
    before = {path.name: path.read_bytes() for path in scan.iterdir()}
    shutil.rmtree(scan)
    clone.run("dvc", "checkout", "scan@lesions")
    assert {path.name: path.read_bytes() for path in scan.iterdir()} == before
    assert clone.read("dvc.lock") == lock


def test_a_second_run_is_told_who_is_working(clone):
    lock = clone.read("dvc.lock")
    command = ["dvc", "repro", "--force", "--single-item", "train@breast-logreg"]
    with subprocess.Popen(
        command, cwd=clone.folder, env=environment(), stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as first:
        assert "Running stage 'train@breast-logreg'" in first.stdout.readline()
        os.killpg(first.pid, signal.SIGSTOP)  # as if its work took long
        try:
            for arguments in (["repro"], ["status"]):
                done = clone.run("dvc", *arguments, ok=False)
                assert done.returncode != 0
                assert re.search(r"ERROR: .*'.*' is busy, it is being blocked by:", done.stderr)
                assert re.search(rf"\(PID {first.pid}\): .*dvc repro --force", done.stderr)
        finally:
            os.killpg(first.pid, signal.SIGCONT)
        first.communicate(timeout=120)
    assert first.returncode == 0
    assert clone.read("dvc.lock") == lock
    assert clone.repro("train@breast-logreg") == []
