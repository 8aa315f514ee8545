"""The champion of some of HAM10000's sites on another site's pictures, and subgroups; on the balanced subset of 1,200 photos."""

import csv
import shutil
import sys
from pathlib import Path

import pytest

from benchmarks.figures import DATA as REAL
from benchmarks.figures import Figure, save
from pipeline import artifacts
from tests.projects import Project, start_git, tracked

DATA = REAL / "skin_binary"
AWAY = "rosendahl"  # the site that is kept out of development


def copy_sites(rows: list[dict[str, str]], folder: Path) -> None:
    """Copy the pictures of some rows, and their CSV."""
    folder.mkdir()
    for row in rows:
        (folder / row["path"]).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(DATA / row["path"], folder / row["path"])
    with (folder / "labels.csv").open("w", newline="", encoding="utf-8") as file:
        kept = [name for name in rows[0] if name != "dx"]  # the diagnosis would say the class
        writer = csv.DictWriter(file, kept, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)


@pytest.mark.skipif(not DATA.is_dir(), reason="the real data are not here")
def test_a_champion_is_measured_on_a_site_that_it_has_not_seen_and_by_subgroup(tmp_path):
    with (DATA / "labels.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    copy_sites([row for row in rows if row["site"] != AWAY], tmp_path / "home")
    copy_sites([row for row in rows if row["site"] == AWAY], tmp_path / "away")
    tracked(tmp_path / "project")
    project = Project(tmp_path / "project")
    start_git(project)
    project.run(
        "python", "-m", "pipeline.init_task", "skin", str(tmp_path / "home"), "--label", "label", "--group", "group"
    )
    content = project.params()
    dropped = [name for name in content["tasks"]["skin"]["models"] if name not in ("skin-logreg", "skin-dummy")]
    models = {name: block for name, block in content["models"].items() if name not in dropped}
    named = {"age": [40, 60], "sex": None, "site": None}
    project.change(
        models=models, tasks__skin__models=["skin-logreg", "skin-dummy"], tasks__skin__select__subgroups=named
    )
    command = [sys.executable, "-m", "pipeline.external", AWAY, "skin", str(tmp_path / "away"), "--group", "group"]
    project.run(*command, timeout=3000)
    project.run("dvc", "repro", "report@skin", timeout=3000)
    test = artifacts.read_json(project.folder / "reports/skin/test/skin-logreg.json")
    there = artifacts.read_json(project.folder / f"reports/skin/external/{AWAY}.json")
    change = there["change"]["roc_auc"]
    low, high = change["ci"]
    found = [
        Figure("roc_auc, internal test", test["roc_auc"], f"{test['counts']['n']} photos"),
        Figure(f"roc_auc on {AWAY}", there["roc_auc"], f"{there['counts']['n']} photos"),
        Figure("difference", change["difference"], f"95 % interval {low:+.3f} to {high:+.3f}"),
        Figure(
            "share in the training data", there["overlap"]["n"] / there["overlap"]["of"], "found by the audit, left out"
        ),
        Figure("refused there", there["refused"], f"internal test {test['refused']:.3f}"),
    ]
    for row in artifacts.read_json(project.folder / "reports/skin/cv/skin-logreg.json")["subgroups"]:
        ends = " to ".join("?" if end is None else f"{end:.3f}" for end in row["ci"]["roc_auc"])
        if row["roc_auc"] is not None:
            found.append(
                Figure(f"{row['column']}: {row['value']}", row["roc_auc"], f"roc_auc out of fold of {row['n']}: {ends}")
            )
    save("soak_elsewhere", "A champion elsewhere, and within subgroups", found, command="make soak")
    assert there["counts"]["n"] + there["overlap"]["n"] + there["left_out"]["unreadable"] == there["overlap"]["of"]
    assert low <= change["difference"] <= high
