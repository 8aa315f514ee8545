"""A dvc.lock that a killed DVC left half written is set aside, and the committed one taken."""

import json
import os
import random
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from dvc.exceptions import DvcException
from dvc.rwlock import SCHEMA
from dvc.schema import COMPILED_LOCKFILE_SCHEMA
from dvc.utils import strictyaml
from voluptuous import Invalid

from pipeline.core import lock_recovery
from pipeline.core.artifacts import UnreadableError
from tests.helpers.samples import ROOT

WHOLE = (ROOT / "dvc.lock").read_bytes()
CUT = WHOLE[: len(WHOLE) // 2].rsplit(b"\n", 1)[0] + b"\n    de"


def put_old(path: Path, content: bytes) -> None:
    """Write a file that nobody is writing any more."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    long_ago = time.time() - 60
    os.utime(path, (long_ago, long_ago))


def git(*arguments: str) -> None:
    command = ["git", "-c", "user.name=Test", "-c", "user.email=test@example.org", *arguments]
    subprocess.run(command, check=True, capture_output=True)


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    git("init", "--quiet")
    put_old(Path("dvc.lock"), WHOLE)
    git("add", "dvc.lock")
    git("commit", "--quiet", "--message", "run")
    return tmp_path


def test_whole_files_are_left_alone(project):
    put_old(Path(".dvc/tmp/rwlock"), b'{"read": {}}')
    assert lock_recovery.recover() == []
    assert Path("dvc.lock").read_bytes() == WHOLE
    assert not Path("logs").exists()


@pytest.mark.parametrize(
    "broken", [CUT, b"", b"\xff\xfe", WHOLE.decode().encode("utf-16"), b"schema: '2.0'\nstages:\n"]
)
def test_a_broken_lock_gives_way_to_the_committed_one(project, broken):
    put_old(Path("dvc.lock"), broken)
    (line,) = lock_recovery.recover()
    assert "it is kept as logs/dvc.lock.broken-1, and the committed one is used" in line
    assert Path("dvc.lock").read_bytes() == WHOLE
    assert Path("logs/dvc.lock.broken-1").read_bytes() == broken
    put_old(Path("dvc.lock"), CUT)
    lock_recovery.recover()
    assert Path("logs/dvc.lock.broken-2").read_bytes() == CUT


def test_a_merge_conflict_is_left_to_the_user(project):
    both = b"<<<<<<< HEAD\n" + WHOLE + b"=======\nstages: {}\n>>>>>>> other\n"
    put_old(Path("dvc.lock"), both)
    with pytest.raises(UnreadableError, match=r"dvc.lock: has a merge conflict in line 1; take dvc.lock and reports/"):
        lock_recovery.recover()
    assert Path("dvc.lock").read_bytes() == both


def test_without_a_commit_dvc_starts_without_a_lock(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    put_old(Path("dvc.lock"), CUT)
    (line,) = lock_recovery.recover()
    assert "there is no committed one" in line
    assert not Path("dvc.lock").exists()


def test_a_broken_list_of_commands_is_set_aside(project):
    put_old(Path(".dvc/tmp/rwlock"), b'{"write": {"/a')
    (line,) = lock_recovery.recover()
    assert "is kept as logs/rwlock.broken-1" in line
    assert not Path(".dvc/tmp/rwlock").exists()


def name_in_rwlock(*numbers: int) -> None:
    """Write a list of running commands, of a minute ago, with processes of these numbers."""
    lock = {
        "write": {f"/project/out{number}": {"pid": number, "cmd": "dvc repro"} for number in numbers},
        "read": {"/project/in": [{"pid": number, "cmd": "dvc repro"} for number in numbers]},
    }
    put_old(Path(".dvc/tmp/rwlock"), json.dumps(lock).encode())


@pytest.fixture
def processes(tmp_path):
    """Start programs that only wait, and end them."""
    running = []

    def start(*command):
        running.append(subprocess.Popen(command))
        time.sleep(0.2)  # until it has its own name
        return running[-1].pid

    yield start
    for process in running:
        process.kill()
        process.wait()


def test_a_number_that_another_program_has_now_blocks_nobody(project, processes):
    other = processes("sleep", "60")
    name_in_rwlock(other)
    (line,) = lock_recovery.recover()
    assert f"its number now belongs to sleep (process {other}): it is kept as logs/rwlock.broken-1" in line
    assert not Path(".dvc/tmp/rwlock").exists()
    later = processes(sys.executable, "-c", "import time; time.sleep(60)")  # it was not there when the list was written
    name_in_rwlock(later)
    assert len(lock_recovery.recover()) == 1


def test_a_living_dvc_keeps_its_place_in_the_list(project, processes):
    Path("dvc").write_text("import time; time.sleep(60)")
    name_in_rwlock(processes(sys.executable, "dvc"), processes("sleep", "60"))
    assert lock_recovery.recover() == []
    script = Path("mytool")
    script.write_text(f"#!{sys.executable}\nimport time; time.sleep(60)")
    script.chmod(0o755)
    for number in (os.getpid(), processes(str(script.resolve()))):
        name_in_rwlock(number)
        os.utime(".dvc/tmp/rwlock")  # a Python that was there may have called DVC
        assert lock_recovery.recover() == []
    assert Path(".dvc/tmp/rwlock").exists()


def test_a_lock_that_is_being_written_is_waited_for(project, monkeypatch):
    monkeypatch.setattr(lock_recovery, "WRITING", 60)
    writer = "import pathlib, sys, time; time.sleep(1); pathlib.Path('dvc.lock').write_bytes(sys.stdin.buffer.read())"
    Path("dvc.lock").write_bytes(CUT)
    process = subprocess.Popen([sys.executable, "-c", writer], stdin=subprocess.PIPE)
    process.stdin.write(WHOLE)
    process.stdin.close()
    assert lock_recovery.recover() == []
    assert process.wait() == 0
    assert Path("dvc.lock").read_bytes() == WHOLE


def test_of_commands_that_recover_at_once_one_does(project):
    put_old(Path("dvc.lock"), CUT)
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda _: lock_recovery.recover(), range(8)))
    assert sorted(map(len, done)) == [0] * 7 + [1]
    assert Path("dvc.lock").read_bytes() == WHOLE
    assert [path.name for path in Path("logs").iterdir()] == ["dvc.lock.broken-1"]


def test_a_broken_lock_of_the_future_is_not_waited_for_until_then(project, monkeypatch):
    monkeypatch.setattr(lock_recovery, "WRITING", 0.5)
    Path("dvc.lock").write_bytes(CUT)
    os.utime("dvc.lock", (time.time() + 3600,) * 2)  # the clock was set back since
    start = time.monotonic()
    assert "the committed one is used" in lock_recovery.recover()[0]
    assert time.monotonic() - start < 10


def refused_by_dvc(path: Path) -> bool:
    try:
        strictyaml.load(str(path), schema=COMPILED_LOCKFILE_SCHEMA)
    except DvcException:
        return True
    return False


def test_what_dvc_refuses_is_recognised_wherever_it_was_cut(tmp_path):
    draw, path, n_refused = random.Random(7), tmp_path / "dvc.lock", 0
    text = WHOLE[: WHOLE.index(b"\n", 6000)]  # a few stages: DVC's parser takes half a second for all
    assert lock_recovery.is_lock(WHOLE)
    for end in [*draw.sample(range(len(text)), 150), 0]:
        path.write_bytes(text[:end])
        refused = refused_by_dvc(path)
        assert lock_recovery.is_lock(text[:end]) is not refused, text[max(0, end - 80) : end]
        n_refused += refused
    assert n_refused > 15


@pytest.mark.parametrize("rest", ["3362e4", "09e3", "0899", "12", "1e", "e4", "a", "~"])
def test_a_hash_that_is_cut_to_a_number_is_refused_as_by_dvc(tmp_path, rest):
    path = tmp_path / "dvc.lock"
    start = b"schema: '2.0'\nstages:\n  check:\n    cmd: true-ish\n    deps:\n    - path: a\n      md5: "
    path.write_bytes(start + rest.encode())
    assert lock_recovery.is_lock(start + rest.encode()) is not refused_by_dvc(path)


def test_what_dvc_refuses_as_rwlock_is_recognised():
    whole = json.dumps({"read": {"/a": [{"pid": 1, "cmd": "dvc repro"}]}, "write": {"/b": {"pid": 1, "cmd": "x"}}})
    assert lock_recovery.is_rwlock(whole.encode())
    for end in range(len(whole)):
        try:
            SCHEMA(json.loads(whole[:end]))
        except (ValueError, Invalid):
            assert not lock_recovery.is_rwlock(whole[:end].encode())
    for other in (b'{"a": 1}', b'{"read": 1}', b'{"write": {"/b": {"pid": 1}}}', b"[]"):
        assert not lock_recovery.is_rwlock(other)


def test_dvc_still_leaves_half_a_file(tmp_path):
    """Should this fail, DVC writes dvc.lock in one step: this module and docs/recovery.md can go."""
    code = """
import os, sys
from dvc.fs import localfs
from dvc.utils.serialize import _common

def half(data, stream):
    stream.write("schema: '2.0'\\nstages:\\n  check:\\n    de")
    stream.flush()
    os.kill(os.getpid(), 9)

_common._dump_data(sys.argv[1], {}, half, fs=localfs)
"""
    (tmp_path / "dvc.lock").write_text("schema: '2.0'\nstages: {}\n")
    assert subprocess.run([sys.executable, "-c", code, tmp_path / "dvc.lock"], check=False).returncode != 0
    assert (tmp_path / "dvc.lock").read_text().endswith("    de")
