"""Two commands at once both add their task."""

import subprocess
import sys

import pytest

from pipeline import init_task
from pipeline.core import params
from pipeline.tasks import validate
from tests.helpers.samples import ROOT

pytestmark = pytest.mark.usefixtures("project")


def test_two_commands_at_once_both_add_their_task(project):
    command = [sys.executable, "-m", "pipeline.init_task"]
    names = ["one", "two"]
    started = [
        subprocess.Popen(
            [*command, name, "data/raw/rows.csv"], env={"PYTHONPATH": str(ROOT), "PATH": ""}, stdout=subprocess.PIPE
        )
        for name in names
    ]
    assert [process.wait(timeout=100) for process in started] == [0, 0]
    for process in started:
        process.stdout.close()
    content = params.load()
    validate.check(content)
    assert set(names) <= set(content["tasks"])


def test_a_name_taken_meanwhile_is_refused(project, monkeypatch):
    real = init_task.make_task

    def while_another_adds_it(*arguments):
        monkeypatch.setattr(init_task, "make_task", real)
        init_task.main("skin", "data/raw/skin")
        return real(*arguments)

    monkeypatch.setattr(init_task, "make_task", while_another_adds_it)
    with pytest.raises(init_task.ParamsError, match="has a task 'skin' already"):
        init_task.main("skin", "data/raw/skin")
