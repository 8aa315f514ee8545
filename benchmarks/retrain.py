"""What a challenge costs those who ask meanwhile: /predict at 5 requests/s, idle and while the whole graph is run again.

It runs at low priority (`pipeline.retraining.dvc_runs.lower_priority`); server, load and challenge share the cores.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks import figures
from benchmarks.figures import Figure, ratio
from benchmarks.scratch import Scratch
from benchmarks.serve import ask, percentile, serving, write_image
from pipeline.data.synthetic.demo_set import lesion_photos

RATE = 5  # requests/s, sent whether or not earlier ones are answered
IDLE = 60  # s
N_NEW = 40


def send(port: int, image: Path, goes_on) -> list[float]:
    """Send RATE requests a second for as long as `goes_on()`; return the latencies in ms, infinity of what is no 200."""

    def timed(due: float) -> float:
        good = ask(port, image) is not None
        return (time.perf_counter() - due) * 1000 if good else float("inf")

    start, sent = time.perf_counter(), []
    with ThreadPoolExecutor(32) as pool:
        while goes_on():
            due = start + len(sent) / RATE
            time.sleep(max(0.0, due - time.perf_counter()))
            sent.append(pool.submit(timed, due))
        return sorted(future.result() for future in sent)


def hand_in(scratch: Scratch) -> None:
    """Hand in drawn photos of both classes as one batch."""
    folder = scratch.folder / ".cache/new"
    folder.mkdir(parents=True, exist_ok=True)
    files: dict[str, list[str]] = {"benign": [], "malignant": []}
    for index in range(N_NEW):
        photo = lesion_photos(2024, index)[0]
        path = folder / f"{index}{photo.suffix}"
        path.write_bytes(photo.data)
        files[photo.label].append(str(path))
    for label, paths in files.items():
        command = [sys.executable, "-m", "pipeline.collect", "lesions", *paths, "--label", label, "--batch", "new"]
        done = subprocess.run(command, cwd=scratch.folder, capture_output=True, text=True)
        if done.returncode not in (0, 2):  # 2: one of them is like an image of the demo
            raise RuntimeError(done.stderr)


def measure(scratch: Scratch, image: Path) -> list[Figure]:
    """Return the figures of an idle server, and of the same during a challenge."""
    env = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    with serving(scratch.folder, image) as server:
        send(server.port, image, until(5))
        idle = send(server.port, image, until(IDLE))
        begin = time.perf_counter()
        job = subprocess.Popen(
            [sys.executable, "-m", "pipeline.retrain", "lesions", "--batch", "new", "--json"],
            cwd=scratch.folder,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        busy = send(server.port, image, lambda: job.poll() is None)
        seconds = time.perf_counter() - begin
    content = json.loads(job.stdout.read())
    how = f"{len(busy)} requests during a challenge, {len(idle)} idle, {RATE}/s"
    return [
        ratio("/predict during a challenge: p95 by that of an idle server", *(percentile(part, 95) for part in (busy, idle)),
              unit="ms", at_most=3),
        Figure("idle: median", statistics.median(idle), how, unit="ms"),
        Figure("during a challenge: median", statistics.median(busy), how, unit="ms"),
        Figure("during a challenge: p99", percentile(busy, 99), how, unit="ms"),
        Figure("during a challenge: answers other than 200", sum(item == float("inf") for item in busy), how, at_most=0),
        Figure("the challenge", seconds, f"the graph of lesions with {content['batch']['n']} images more", unit="s"),
    ]  # fmt: skip


def until(seconds: float):
    """Return a function that says for so many seconds that it goes on."""
    end = time.perf_counter() + seconds
    return lambda: time.perf_counter() < end


def main() -> None:
    with tempfile.TemporaryDirectory() as temporary, Scratch(demo=True) as scratch:
        image = Path(temporary, "250x172.jpg")
        write_image(image)
        cache = subprocess.run(
            [sys.executable, "-m", "dvc", "cache", "dir"], capture_output=True, text=True, check=True
        )
        scratch.run("dvc", "config", "--local", "cache.dir", os.path.abspath(cache.stdout.strip()))
        scratch.run("dvc", "repro")  # most of it comes from the project's cache
        hand_in(scratch)
        figures.save("retrain", "During a challenge", measure(scratch, image))


if __name__ == "__main__":
    main()
