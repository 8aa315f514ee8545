"""kill -9 of the server, of a challenge or a decision, or of both: no upload that was accepted is lost, the champion serves."""

import contextlib
import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.parse
from collections import Counter

from benchmarks.figures import Figure, save
from pipeline.data.images import decoding
from pipeline.data.synthetic.demo_set import lesion_photos
from soak.test_retrain import RETRAIN, outcome
from tests.helpers.projects import Project, environment
from tests.helpers.serving import Client, until

CHALLENGES, DECISIONS, SEED = 14, 6, 20  # kills
KNOWN = {"authorization": "Bearer secret"}


class Server:
    """The API as a process that can be killed and started again."""

    def __init__(self, project: Project):
        self.project = project
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "app.api", "--port", "0"]
        env = environment() | {"ASSAY_API_KEYS": "secret"}
        self.process = subprocess.Popen(
            command, cwd=self.project.folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self.client = Client(int(re.search(rb":(\d+);", self.process.stdout.readline()).group(1)))
        until(lambda: self.client.get("/readyz")[0] == 200, "the server is ready")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def bundle(self) -> str:
        """Return the id of the bundle that answers an image."""
        status, content, _ = self.client.send(
            "/predict/", ("a.jpg", lesion_photos(7, 0)[0].data), field="file", **KNOWN
        )
        assert status == 200, content
        return content["bundle"]


class Uploader(threading.Thread):
    """Hands in an image after the other, until it is told to stop or the server is gone; `accepted` are those acknowledged."""

    def __init__(self, server: Server, demo_images, batch: str):
        super().__init__()
        self.server, self.demo_images, self.batch = server, demo_images, batch
        self.accepted: list[str] = []
        self.stop = threading.Event()

    def run(self) -> None:
        with contextlib.suppress(OSError, ValueError):  # the server was killed
            while not self.stop.is_set():
                self.send()

    def send(self) -> None:
        photo = next(self.demo_images)
        path = "/v1/tasks/lesions/samples?" + urllib.parse.urlencode({"label": photo.label, "batch": self.batch})
        status, content, _ = self.server.client.send(path, (f"a{photo.suffix}", photo.data), **KNOWN)
        if status == 200:
            self.accepted += [item["id"] for item in content["samples"] if item["accepted"]]


def start(project: Project, *arguments: str) -> subprocess.Popen:
    """Start a challenge or a decision in a session of its own, as the app does."""
    return subprocess.Popen(
        [*RETRAIN, *arguments],
        cwd=project.folder,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def kill(job: subprocess.Popen, alone: bool) -> bool:
    """Kill a job, alone or with what it started; return whether it still ran."""
    ran = job.poll() is None
    with contextlib.suppress(ProcessLookupError):
        (os.kill if alone else os.killpg)(job.pid, signal.SIGKILL)
    job.wait()
    return ran


def check_store(project: Project, accepted: list[str]) -> None:
    """Check that every acknowledged upload is stored as what it was, with one line in the ledger."""
    lines = project.read("data/uploads/lesions/ledger.jsonl").split(b"\n")[:-1]
    ids = Counter(line["id"] for line in map(json.loads, lines) if line["event"] == "collected")
    assert {id_: ids[id_] for id_ in accepted} == dict.fromkeys(accepted, 1)
    for id_ in ids:
        assert decoding.decode(project.read(f"data/uploads/lesions/pictures/{id_}.png")).id == id_


def test_kill_9_during_a_challenge_loses_no_upload(clone):
    clone.repro()
    before, draw, begun = outcome(clone), random.Random(SEED), time.monotonic()
    demo_images = (lesion_photos(31, index)[0] for index in range(10_000))
    server, accepted, hit = Server(clone), [], Counter()
    bundle = server.bundle()
    victims = (["server", "job", "both"] * CHALLENGES)[:CHALLENGES]
    seconds = 20.0  # of a challenge; measured by the first that ends
    for number, victim in enumerate(draw.sample(victims, len(victims))):
        first = Uploader(server, demo_images, f"batch-{number}")
        while len(first.accepted) < 2:
            first.send()
        accepted += first.accepted
        job, started = start(clone, "--batch", f"batch-{number}"), time.monotonic()
        uploader = Uploader(server, demo_images, f"later-{number}")
        uploader.start()
        time.sleep(draw.random() * seconds)
        if victim != "job":
            server.kill()
        ran = kill(job, alone=draw.random() < 0.3) if victim != "server" else job.poll() is None
        hit[f"{victim}, {'running' if ran else 'done'}"] += 1
        uploader.stop.set()
        uploader.join()
        accepted += uploader.accepted
        if victim != "job":
            server.start()
        assert server.bundle() == bundle
        check_store(clone, accepted)
        if victim == "server":  # the challenge knows nothing of it
            assert job.wait(300) == 0
            seconds = time.monotonic() - started
        assert outcome(clone) == before
        print(f"{number}: {victim}, {len(accepted)} accepted, {seconds:.0f} s", flush=True)
    until(lambda: "running" not in clone.run(*RETRAIN, "--status").stdout, "what was left behind has ended")
    clone.run(*RETRAIN, "--batch", "batch-0")
    assert outcome(clone) == before
    assert clone.run("dvc", "status", "--quiet", ok=False).returncode == 0
    server.kill()
    how = ", ".join(f"{name} {n}" for name, n in sorted(hit.items()))
    figures = [
        Figure("kills during a challenge: all uploads there, the same champion", hit.total(), how, at_least=CHALLENGES),
        Figure("uploads acknowledged meanwhile", len(accepted), "each stored, and once in the ledger"),
        Figure("all of it", (time.monotonic() - begun) / 60, "the small graph of the tests", unit="min"),
    ]
    save("soak_retrain_kill", "kill -9 while new data come in and are tried", figures, command="make soak")


def test_after_kill_9_the_same_command_ends_a_decision(clone):
    clone.change(retrain={"margin": 0.9, "guarded": ["roc_auc"]})
    clone.repro()
    before, draw, begun = outcome(clone), random.Random(SEED), time.monotonic()
    server = Server(clone)
    first = Uploader(server, (lesion_photos(37, index)[0] for index in range(1000)), "june")
    while len(first.accepted) < 6:
        first.send()
    challenger = json.loads(clone.run(*RETRAIN, "--batch", "june", "--json").stdout)["challenger"]
    old, new = server.bundle(), f"{challenger['model']}@{challenger['bundle'][:12]}"
    assert old != new
    hit, seconds = Counter(), 12.0
    for number in range(DECISIONS):
        promotes, both = number % 2 == 0, draw.random() < 0.5
        command = ("--promote", "june") if promotes else ("--rollback",)
        job = start(clone, *command)
        time.sleep(draw.random() * seconds)
        ran = kill(job, alone=draw.random() < 0.3)
        assert server.bundle() in (old, new)  # whole, whichever it is
        time.sleep(1)  # DVC notices that nobody waits for it
        if ran:
            begin = time.monotonic()
            clone.run(*RETRAIN, *command)
            seconds = max(5.0, time.monotonic() - begin)
        if both:
            server.kill()
            server.start()
        hit[f"{command[0][2:]}, {'running' if ran else 'done'}{', server too' if both else ''}"] += 1
        if promotes:
            until(lambda: server.bundle() == new, "the new champion is taken up")
        else:
            until(lambda: server.bundle() == old, "the old champion is back")
            assert outcome(clone) == before
        check_store(clone, first.accepted)
        print(f"{number}: {command[0]}, ran: {ran}, {seconds:.0f} s", flush=True)
    server.kill()
    how = ", ".join(f"{name} {n}" for name, n in sorted(hit.items()))
    figures = [
        Figure("kills during a promotion or rollback: the same command ended it", hit.total(), how, at_least=DECISIONS),
        Figure("all of it", (time.monotonic() - begun) / 60, "the small graph of the tests", unit="min"),
    ]
    save("soak_retrain_kill_decision", "kill -9 while it is decided about new data", figures, command="make soak")
