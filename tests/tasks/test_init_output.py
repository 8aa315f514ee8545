"""What init_task says fits one screen; everything is in the JSON; --dry-run writes nothing; two commands lose nothing."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from pipeline import init_task
from pipeline.core import params
from pipeline.core.errors import DataError
from pipeline.tasks import validate
from pipeline.tasks.screen import LINES, WIDTH, Message, fit
from tests.helpers.samples import ROOT, put

pytestmark = pytest.mark.usefixtures("project")


def test_output_fits_one_screen_with_warnings_first():
    long = " ".join(f"word{n}" for n in range(80))
    lines = [(f"fact {n}", long) for n in range(20)] + [("warning", long)] * 9 + [("unreadable", "3\na\nb\nc")]
    shown = fit(Message("data", lines, ["next", "then"]))
    assert len(shown) <= LINES
    assert max(map(len, shown)) <= WIDTH
    assert shown[1].split()[0] == "warning"
    assert shown[-1] == "Some lines are cut; --json prints everything."


def test_short_messages_are_not_cut():
    assert fit(Message("data", [("found", "3 images")], ["next"])) == ["data", "  found  3 images", "next"]


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


def test_two_commands_at_once_both_add_their_task(project):
    command = [sys.executable, "-m", "pipeline.init_task"]
    names = ["one", "two", "three"]
    started = [
        subprocess.Popen(
            [*command, name, "data/raw/rows.csv"], env={"PYTHONPATH": str(ROOT), "PATH": ""}, stdout=subprocess.PIPE
        )
        for name in names
    ]
    assert [process.wait(timeout=100) for process in started] == [0, 0, 0]
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


@pytest.mark.parametrize("option", [("--folders", "patient/class"), ("--skip", "("), ("--group-from", "(")])
def test_malformed_options_are_refused(option, capsys):
    with pytest.raises(SystemExit, match="2"):
        init_task.main("skin", "data/raw/skin", *option)
    assert option[0] in capsys.readouterr().err


def test_a_csv_of_one_part_uses_the_other(project):
    files = {f"{part}/{n}.png": n + 50 * (part == "test") for part in ("train", "test") for n in range(24)}
    texts = {
        f"{part}.csv": "id,dx\n" + "".join(f"{n}.png,{'xy'[n % 2]}\n" for n in range(24)) for part in ("train", "test")
    }
    put(Path("data/raw/parts"), files | texts)
    for name, path in (("by_file", "data/raw/parts/train.csv"), ("by_folder", "data/raw/parts")):
        init_task.main(name, path, "--no-group")
        task = params.task(name)
        assert (task.read.csv, task.read.test_csv, task.split.by) == ("train.csv", "test.csv", "shipped")


def test_folders_that_a_csv_labels_otherwise_are_asked_about(project):
    rows = "".join(f"{n},{'pq'[n % 2]}\n" for n in range(30))
    put(Path("data/raw/skin"), {"labels.csv": "image_id,dx\n" + rows})
    for n in range(30):
        (Path("data/raw/skin/malignant") / f"{n}.png").rename(Path("data/raw/skin/malignant") / f"m{n}.png")
    rows = "".join(f"{'m' * (k == 1)}{n},{'pq'[n % 2]}\n" for k in range(2) for n in range(30))
    put(Path("data/raw/skin"), {"labels.csv": "image_id,dx\n" + rows})
    with pytest.raises(DataError, match=r"labels.csv names the same images and labels them otherwise \(column 'dx'\)"):
        init_task.main("skin", "data/raw/skin")
    init_task.main("folders", "data/raw/skin", "--folders", "class")
    init_task.main("csv", "data/raw/skin/labels.csv")
    assert params.task("csv").preprocess.positive in ("p", "q")
    assert params.task("folders").preprocess.positive == "malignant"


def test_masks_are_sought_although_the_levels_are_named(project):
    files = {}
    for seed, (k, c, n) in enumerate((k, c, n) for k in (1, 2) for c in "ab" for n in range(20)):
        files |= {f"fold{k}/{c}/{n}.png": seed, f"fold{k}/{c}/{n}_mask.png": 1000 + seed}
    put(Path("data/raw/folds"), files)
    init_task.main("folds", "data/raw/folds", "--folders", "any/class", "--no-group")
    assert "mask" in params.task("folds").read.skip
    init_task.main("all", "data/raw/folds", "--folders", "any/class", "--no-group", "--skip", "")
    assert params.task("all").read.skip == ""
