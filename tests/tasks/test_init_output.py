"""What init_task says fits one screen; everything is in the JSON; --dry-run writes nothing; two commands lose nothing."""

import json
from pathlib import Path

import pytest
import yaml

from pipeline import init_task
from pipeline.core import params
from tests.helpers.samples import put

pytestmark = pytest.mark.usefixtures("project")


def test_dry_run_prints_the_blocks_and_writes_nothing(project, shipped, capsys):
    init_task.main("skin", "data/raw/skin", "--dry-run")
    output = capsys.readouterr().out
    blocks = yaml.safe_load(output[output.index("tasks:") :])
    assert blocks["tasks"]["skin"]["raw"] == "data/raw/skin"
    assert (project / "params.yaml").read_bytes() == shipped
    assert not (project / "data/uploads/skin").exists()
    init_task.main("skin", "data/raw/skin")
    assert params.load()["tasks"]["skin"] == blocks["tasks"]["skin"]


def test_json_holds_everything_and_the_text_is_on_stderr(capsys):
    put(Path("data/raw/skin"), {f"benign/{n}.txt": b"" for n in range(40)})
    init_task.main("skin", "data/raw/skin", "--json")
    output = capsys.readouterr()
    answer = json.loads(output.out)
    assert (answer["task"], answer["written"]) == ("skin", True)
    assert answer["params"]["tasks"]["skin"] == params.load()["tasks"]["skin"]
    assert any("40" in warning for warning in answer["warnings"])
    assert output.err.startswith("data/raw/skin: inspected")


@pytest.mark.parametrize(
    "option", [("--folders", "patient/class"), ("--skip", "("), ("--group-from", "("), ("--group-from", r"\d+")]
)
def test_malformed_options_are_refused(option, capsys):
    with pytest.raises(SystemExit, match="2"):
        init_task.main("skin", "data/raw/skin", *option)
    assert option[0] in capsys.readouterr().err
