"""The champion of one half of HAM10000's sites on the other half, and subgroups; on the balanced subset of 1,200 photos."""

import sys

import pytest

from benchmarks.figures import Figure, save
from pipeline.core import artifacts
from soak.real_data import DATA, copy_rows, read_labels

AWAY = ("rosendahl", "vienna_dias")  # the sites that are kept out of development; vidir_modern and vidir_molemax stay


@pytest.mark.skipif(not DATA.is_dir(), reason="the real data are not here")
def test_a_champion_is_measured_at_the_other_sites(skin_project, tmp_path):
    rows = read_labels(DATA)
    project = skin_project([row for row in rows if row["site"] not in AWAY])
    copy_rows([row for row in rows if row["site"] in AWAY], tmp_path / "away")
    content = project.params()
    dropped = [name for name in content["tasks"]["skin"]["models"] if name not in ("skin-logreg", "skin-dummy")]
    models = {name: block for name, block in content["models"].items() if name not in dropped}
    named = {"age": [40, 60], "sex": None, "site": None}
    project.change(
        models=models, tasks__skin__models=["skin-logreg", "skin-dummy"], tasks__skin__select__subgroups=named
    )
    command = [
        sys.executable,
        "-m",
        "pipeline.external",
        "elsewhere",
        "skin",
        str(tmp_path / "away"),
        "--group",
        "group",
    ]
    project.run(*command, timeout=3000)
    project.run("dvc", "repro", "report@skin", timeout=3000)
    test = artifacts.read_json(project.folder / "reports/skin/test/skin-logreg.json")
    there = artifacts.read_json(project.folder / "reports/skin/external/elsewhere.json")
    overlap, result = there["overlap"], []
    for key in ("roc_auc", "brier_score_loss", "recall", "specificity"):
        low, high = there["change"][key]["ci"]
        how = f"{there[key]:.3f} on {' and '.join(AWAY)}, internal test {test[key]:.3f}; 95 % interval {low:+.3f} to {high:+.3f}"
        result.append(Figure(f"{key}, difference", there["change"][key]["difference"], how))
    photos = f"{test['counts']['n']} photos of the internal test"
    result += [
        Figure("roc_auc, internal test", test["roc_auc"], photos),
        Figure("roc_auc on the other half", there["roc_auc"], f"{there['counts']['n']} photos"),
        Figure(
            "share in the task's own data",
            overlap["n"] / overlap["of"],
            f"found by the audit, left out: {overlap['dev']} in development, {overlap['test']} in test, "
            f"{overlap['excluded']} left out there, of {overlap['of']}",
        ),
        Figure("refused there", there["refused"], f"internal test {test['refused']:.3f}"),
    ]
    for row in artifacts.read_json(project.folder / "reports/skin/cv/skin-logreg.json")["subgroups"]:
        ends = " to ".join("?" if end is None else f"{end:.3f}" for end in row["ci"]["roc_auc"])
        if row["roc_auc"] is not None:
            result.append(
                Figure(f"{row['column']}: {row['value']}", row["roc_auc"], f"roc_auc out of fold of {row['n']}: {ends}")
            )
    save("soak_elsewhere", "A champion elsewhere, and within subgroups", result, command="make soak")
    assert overlap["n"] == overlap["dev"] + overlap["test"] + overlap["excluded"]
    assert there["counts"]["n"] + overlap["n"] + there["left_out"]["unreadable"] == overlap["of"]
    low, high = there["change"]["roc_auc"]["ci"]
    assert low <= there["change"]["roc_auc"]["difference"] <= high
