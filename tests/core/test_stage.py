"""How a stage ends: one line and an exit code where the user can mend it, a traceback only for bugs of ours."""

import errno
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline.core.errors import AssayError, FindingError, StageError
from pipeline.core.stage import require, unless_read_only
from tests.helpers.samples import ROOT, put, stage, task, write_params

STAGE = """
import errno, signal, sys, time
from pipeline.core import errors, stage

def main(name: str, *more: str) -> None:
{body}

if __name__ == "__main__":
    stage.run(main)
"""


def ended(folder: Path, body: str, *arguments: str) -> subprocess.CompletedProcess:
    """Run a stage with this body in a process of its own."""
    (folder / "drawn.py").write_text(STAGE.format(body=f"    {body}"), encoding="utf-8")
    command = [sys.executable, "-m", "drawn", *(arguments or ["skin"])]
    return subprocess.run(
        command, cwd=folder, env={"PYTHONPATH": f"{ROOT}"}, capture_output=True, text=True, timeout=60
    )


# Those of the module itself: other modules have errors of their own, if they are imported by then.
KINDS = [kind for kind in AssayError.__subclasses__() if kind.__module__ == AssayError.__module__]
ERRORS = sorted(kind.__name__ for kind in KINDS if kind is not FindingError)


def test_successful_stage_exits_0_and_logs_its_duration(tmp_path):
    for _ in range(2):
        done = ended(tmp_path, "print(name, more)", "skin")
        assert (done.returncode, done.stdout, done.stderr) == (0, "skin ()\n", "")
    lines = (tmp_path / "logs/timings.jsonl").read_text().splitlines()
    entry = json.loads(lines[1])
    assert len(lines) == 2
    assert (entry["stage"], entry["key"]) == ("drawn", "skin")
    assert entry["seconds"] >= 0


def test_file_names_on_the_command_line_are_not_logged(tmp_path):
    assert ended(tmp_path, "print(name, more)", "bundle", "patient.jpg").returncode == 0
    assert not (tmp_path / "logs").exists()


@pytest.mark.parametrize("error", ERRORS)
def test_user_errors_exit_2_with_one_line(tmp_path, error):
    done = ended(tmp_path, f"raise errors.{error}('a.csv: is not a table')")
    assert (done.returncode, done.stderr) == (2, f"{error}: a.csv: is not a table\n")
    assert not (tmp_path / "logs").exists()


def test_a_bug_of_ours_exits_1_with_its_traceback(tmp_path):
    done = ended(tmp_path, "1 / 0")
    assert done.returncode == 1
    assert "Traceback" in done.stderr


@pytest.mark.skipif(not hasattr(signal, "SIGINT") or sys.platform == "win32", reason="no signals here")
def test_keyboard_interrupt_exits_130_with_one_line(tmp_path):
    # As at a terminal: what a shell starts in the background inherits that the signal is ignored
    body = "    signal.signal(signal.SIGINT, signal.default_int_handler); print('up', flush=True); time.sleep(60)"
    (tmp_path / "drawn.py").write_text(STAGE.format(body=body), encoding="utf-8")
    command = [sys.executable, "-m", "drawn", "skin"]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, cwd=tmp_path, env={"PYTHONPATH": f"{ROOT}"}, stdout=pipe, stderr=pipe, text=True
    ) as process:
        assert process.stdout.readline() == "up\n"
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (130, "drawn: interrupted; no half-written file is kept\n")


@pytest.mark.parametrize(("code", "text"), [
    ("ENOSPC", "No space left on device"), ("EROFS", "Read-only file system"), ("EACCES", "Permission denied"),
])  # fmt: skip
def test_what_the_system_refuses_exits_2_with_one_line(tmp_path, code, text):
    done = ended(tmp_path, f"raise OSError(errno.{code}, {text!r}, 'data/a.csv')")
    line = f"drawn: {text} (data/a.csv); free disk space or change the permissions, then run it again\n"
    assert (done.returncode, done.stderr) == (2, line)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_full_disk_exits_2_even_for_the_log(tmp_path):
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs/timings.jsonl").symlink_to("/dev/full")
    done = ended(tmp_path, "pass")
    assert done.returncode == 2
    assert done.stderr.startswith("drawn: No space left on device")


@pytest.mark.parametrize("code", ["EROFS", "EACCES"])
def test_a_log_that_cannot_be_written_is_left_out(code):
    with unless_read_only():
        raise OSError(getattr(errno, code), "refused")
    with pytest.raises(OSError, match="full"), unless_read_only():
        raise OSError(errno.ENOSPC, "full")


def test_another_error_of_the_system_is_a_bug_of_ours(tmp_path):
    done = ended(tmp_path, "open('nowhere')")
    assert done.returncode == 1
    assert "FileNotFoundError" in done.stderr


def test_a_stage_ends_with_the_dvc_that_started_it(tmp_path):
    (tmp_path / "drawn.py").write_text(STAGE.format(body="    open('begun', 'w').close(); time.sleep(60)"))
    start = "import subprocess, sys; subprocess.run([sys.executable, '-m', 'drawn', 'skin'])"
    env = {"PYTHONPATH": f"{ROOT}", "DVC_STAGE": "drawn"}
    with subprocess.Popen([sys.executable, "-c", start], cwd=tmp_path, env=env, stdout=subprocess.PIPE) as dvc:
        while not (tmp_path / "begun").exists():
            time.sleep(0.05)
        dvc.kill()
        begun = time.monotonic()
        assert dvc.stdout.read() == b"", "what the stage has open too"
        assert time.monotonic() - begun < 10


@pytest.mark.parametrize(("arguments", "usage"), [
    (["scan"], "usage: python -m pipeline.scan NAME\n"),
    (["check", "skin"], "usage: python -m pipeline.check\n"),
])  # fmt: skip
def test_wrong_arguments_exit_2_with_the_usage(tmp_path, arguments, usage):
    done = stage(tmp_path, *arguments)
    assert (done.returncode, done.stderr) == (2, usage)


def test_a_real_stage_ends_with_one_line_too(empty_folder, tmp_path):
    assert (
        stage(tmp_path, "scan", "skin").stderr
        == "ParamsError: params.yaml is missing: run this in the project's folder\n"
    )
    write_params(task("table", "rows.csv"))
    put(tmp_path, {"rows.csv": "a,label\n1,x\n2,\n"})
    done = stage(tmp_path, "scan", "skin")
    assert done.returncode == 2
    assert done.stderr.startswith("DataError: rows.csv: only one class (x); at least two are needed")
    assert done.stderr.count("\n") == 1


def test_missing_input_names_the_stage_that_writes_it(tmp_path):
    file = tmp_path / "a.csv"
    with pytest.raises(StageError, match=r"a.csv is missing: run 'dvc repro scan@skin', which writes it"):
        require(file, "scan@skin")
    file.touch()
    assert require(str(file), "scan@skin") == file
