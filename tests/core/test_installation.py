"""What `assay doctor` finds."""

import os
import socket
from pathlib import Path

import pytest

from pipeline import doctor
from pipeline.core import installation
from pipeline.core.errors import StageError


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """An empty project as the current folder."""
    monkeypatch.chdir(tmp_path)
    Path("requirements.txt").write_text(
        "pytest==0.0.1 \\\n    --hash=sha256:0\nno-such-package==2 ; python_version >= '3'\n"
    )
    return tmp_path


def test_packages_that_differ_from_the_lock_are_named(folder):
    check = installation.packages()
    assert check.state == "wrong"
    assert check.text.startswith(
        f"pytest {pytest.__version__} (locked: 0.0.1), no-such-package missing (locked: 2); install"
    )


def test_packages_of_other_systems_are_not_missed(folder):
    Path("requirements.txt").write_text(f"pytest=={pytest.__version__}\nx==1 ; sys_platform == 'nowhere'\n# y==1\n")
    assert installation.packages() == installation.Check("packages", "ok", "all 1 as in requirements.txt")


def test_a_python_without_wheels_is_wrong(monkeypatch):
    monkeypatch.setattr(installation.sys, "version_info", (3, 14, 0))
    assert installation.python().state == "wrong"
    monkeypatch.setattr(installation.sys, "version_info", (3, 13, 2))
    assert installation.python().state == "ok"


def test_a_taken_port_is_noted():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert installation.port_check(port, "the API").state == "note"
    assert installation.port_check(port, "the API").state == "ok"


def test_a_half_written_lock_is_wrong(folder):
    assert installation.lock().text == "not there yet"
    Path("dvc.lock").write_text("schema: '2.0'\nstages:\n  scan:\n    cmd")

    os.utime("dvc.lock", (1, 1))
    assert installation.lock().text.endswith("python -m pipeline.recover")


def test_little_disk_is_wrong(folder, monkeypatch):
    monkeypatch.setattr(installation, "DISK", 10**18)
    assert installation.disk().state == "wrong"


def test_doctor_ends_with_2_and_names_what_is_wrong(folder, capsys):
    with pytest.raises(StageError, match=r"to be mended: packages.*; the lines marked ! say how"):
        doctor.main()
    assert "! packages" in capsys.readouterr().out
