"""The leaderboard after a merge that left both sides in a file."""

import subprocess
from pathlib import Path

import pytest

from pipeline.core import artifacts
from tests.helpers.samples import stage, task, write_params

HEADER = "rank,model,roc_auc,roc_auc_low,roc_auc_high,brier,test_roc_auc,champion,features\n"


def write(winner: str) -> None:
    selection = {"metric": "roc_auc", "winner": winner, "reason": f"{winner} selected"}
    artifacts.write_json("reports/skin/selection.json", selection)
    row = f"1,{winner},.9,.8,.95,.1,.9,yes,embedding\n"
    artifacts.write_bytes("reports/skin/leaderboard.csv", (HEADER + row).encode())


def git(*arguments: str, ok: bool = True) -> None:
    command = ["git", "-c", "user.name=Test", "-c", "user.email=test@example.org", *arguments]
    subprocess.run(command, check=ok, capture_output=True)


@pytest.mark.parametrize(("name", "line"), [("selection.json", 3), ("leaderboard.csv", 2)])
def test_a_merge_conflict_is_a_sentence_with_the_way_out(tmp_path, monkeypatch, name, line):
    monkeypatch.chdir(tmp_path)
    write_params(task())
    git("init", "--quiet", "--initial-branch=main")
    for winner, *switch in (["skin-a"], ["skin-b", "-b", "theirs"], ["skin-c", "main"]):
        if switch:
            git("checkout", "--quiet", *switch)
        write(winner)
        git("add", "--all")
        git("commit", "--quiet", "--message", winner)
    git("merge", "theirs", ok=False)
    other = {"selection.json": "leaderboard.csv", "leaderboard.csv": "selection.json"}[name]
    git("checkout", "--ours", "--", f"reports/skin/{other}")
    assert b"<<<<<<< HEAD" in Path(f"reports/skin/{name}").read_bytes()

    done = stage(tmp_path, "leaderboard")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert (
        f"reports/skin/{name}: has a merge conflict in line {line}; take dvc.lock and reports/ from one side"
        in done.stderr
    )
    git("checkout", "--theirs", "--", "reports")
    assert "skin-b selected" in stage(tmp_path, "leaderboard").stdout


def test_a_file_that_is_no_json_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_params(task())
    write("skin-a")
    Path("reports/skin/selection.json").write_text('{"metric"')
    done = stage(tmp_path, "leaderboard")
    assert done.returncode == 2
    assert done.stderr.startswith("UnreadableError: reports/skin/selection.json: is no JSON (")
