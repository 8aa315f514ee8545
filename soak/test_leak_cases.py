"""Data sets that leak in usual ways go through init_task and the graph: the printed figure is the truth, or the graph stops."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tests.helpers.projects import Project, new_project

STOPS = 3  # exit code of a finding


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Project:
    """A clone with an untrained backbone, in which each case is a task."""
    project = new_project(tmp_path_factory.mktemp("leaks") / "project")
    project.change(backbone__source="random")
    return project


def figures(project: Project, name: str, raw: Path, *options: str) -> dict[str, dict]:
    """Make a task, run it up to the test set, and return what is printed of each model out of fold."""
    project.run("python", "-m", "pipeline.init_task", name, str(raw), *options)
    project.change(**{f"tasks__{name}__select__draws": 200})
    project.run("dvc", "repro", f"holdout@{name}", timeout=1200)
    folder = project.folder / "reports" / name / "cv"
    return {file.stem.removeprefix(f"{name}-"): json.loads(file.read_bytes()) for file in sorted(folder.glob("*.json"))}


def says_chance(of_models: dict[str, dict]) -> None:
    """Expect that no model but by chance is better than guessing."""
    assert len(of_models) > 1
    for name, result in of_models.items():
        low, high = result["ci"]["roc_auc"]
        assert low < 0.6, (name, result["roc_auc"], low, high)
        assert result["roc_auc"] < 0.7, name


def visits(rng: np.random.Generator, **columns: object) -> pd.DataFrame:
    """Return 80 patients of five visits, whose label is drawn at random by patient."""
    patient = np.repeat(np.arange(80), 5)
    table = pd.DataFrame(
        (rng.normal(size=(80, 4))[patient] + 0.1 * rng.normal(size=(400, 4))).round(3), columns=list("abcd")
    )
    table["outcome"] = rng.integers(0, 2, 80)[patient]
    for name, values in columns.items():
        table.insert(0, name, values)
    return table


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("MRN", "P{p:03d}"),
        ("hospital number", "{p}.0"),
        ("key7", "P{p:03d}"),
        ("sample", "P{p:03d}-V{k}"),
        ("surname", "{p}Lee"),
    ],
)
def test_visits_of_patients_print_chance_whatever_their_id_is_called(project, tmp_path, column, cell):
    table = visits(np.random.default_rng(0), **{column: [cell.format(p=row // 5, k=row % 5) for row in range(400)]})
    table.to_csv(tmp_path / "visits.csv", index=False)
    says_chance(
        figures(project, f"visits-{column.lower().replace(' ', '-').replace('_', '-')}", tmp_path / "visits.csv")
    )


def test_visits_without_an_id_stop_the_graph_until_somebody_decides(project, tmp_path):
    visits(np.random.default_rng(1)).to_csv(tmp_path / "visits.csv", index=False)
    project.run("python", "-m", "pipeline.init_task", "nobody", str(tmp_path / "visits.csv"))
    done = project.run("dvc", "repro", "split@nobody", ok=False)
    assert done.returncode != 0
    assert "--group COLUMN" in done.stdout + done.stderr
    assert project.run("python", "-m", "pipeline.audit", "nobody", ok=False).returncode == STOPS
    project.change(tasks__nobody__read__no_group=True)
    project.run("dvc", "repro", "split@nobody")
    assert "clusters" in json.loads(project.read("data/nobody/audit.json"))


def test_a_running_index_prints_chance(project, tmp_path):
    rng = np.random.default_rng(2)
    table = pd.DataFrame({"crp": rng.normal(size=300).round(3), "age": rng.integers(20, 90, 300)})
    table["outcome"] = np.sort(rng.integers(0, 2, 300))
    table.to_csv(tmp_path / "index.csv", index_label="Unnamed: 0")
    says_chance(figures(project, "running-index", tmp_path / "index.csv"))


def test_the_label_by_another_name_prints_chance(project, tmp_path):
    rng = np.random.default_rng(3)
    outcome = rng.integers(0, 2, 300)
    table = pd.DataFrame({"crp": rng.normal(size=300).round(3), "age": rng.integers(20, 90, 300)})
    table["treatment_code"] = np.where(outcome == 1, rng.integers(5, 8, 300), rng.integers(1, 4, 300))
    table["outcome"] = outcome
    table.to_csv(tmp_path / "twin.csv", index=False)
    says_chance(figures(project, "twin", tmp_path / "twin.csv"))


def symptoms(rng: np.random.Generator, n: int) -> pd.DataFrame:
    """Return patients with four symptoms and an age, ill by a rule with chance in it."""
    table = pd.DataFrame(rng.integers(0, 2, (n, 4)), columns=["fever", "cough", "smell", "contact"])
    table["age"] = rng.integers(20, 90, n)
    risk = 1.2 * table["fever"] + 0.9 * table["smell"] + 0.6 * table["contact"] + 0.02 * (table["age"] - 55) - 1.4
    table["covid"] = (rng.random(n) < 1 / (1 + np.exp(-risk))).astype(int)
    return table


def test_equal_rows_with_other_outcomes_print_figures_of_fresh_rows(project, tmp_path):
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(4)
    symptoms(rng, 8000).to_csv(tmp_path / "symptoms.csv", index=False)
    printed = figures(project, "symptoms", tmp_path / "symptoms.csv")
    split = pd.read_csv(project.folder / "data/symptoms/split.csv")
    assert (split["subset"] != "excluded").all()
    fresh = symptoms(rng, 20_000)
    fresh.drop(columns="covid").to_csv(tmp_path / "fresh.csv", index=False)
    done = project.run(
        "python",
        "-m",
        "pipeline.predict",
        "models/symptoms/best",
        str(tmp_path / "fresh.csv"),
        "--format",
        "json",
        ok=False,
    )
    items = json.loads(done.stdout)
    items = items["predictions"] if isinstance(items, dict) else items
    selection = json.loads(project.read("reports/symptoms/selection.json"))
    winner = printed[selection["winner"].removeprefix("symptoms-")]["roc_auc"]
    assert abs(roc_auc_score(fresh["covid"], [item["probabilities"]["1"] for item in items]) - winner) < 0.02


@pytest.mark.parametrize("pattern", ["{label}/patient{p:03d}/{p:03d}_{k}.png", "{label}/{p:08d}_{k:03d}.png"])
def test_photos_of_patients_print_chance(project, tmp_path, pattern):
    rng = np.random.default_rng(5)
    labels = rng.permutation(["benign", "malignant"] * 25)
    for p in range(50):
        tone, size = rng.integers(60, 200, 3), int(rng.integers(4, 40))
        for k in range(6):
            pixels = np.kron(rng.normal(0, 20, (128 // size + 1, 128 // size + 1)), np.ones((size, size)))[:128, :128]
            image = (tone + pixels[..., None] + rng.normal(0, 5, (128, 128, 1))).clip(0, 255).astype(np.uint8)
            path = tmp_path / "photos" / pattern.format(label=labels[p], p=p, k=k)
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(path)
    name = "folders" if "patient" in pattern else "names"
    says_chance(figures(project, name, tmp_path / "photos"))
    assert project.params()["tasks"][name]["read"].keys() == {"group_from"}


PAST_THE_INTAKE = """
import json, sys
import pandas as pd
from pipeline.core.paths import TaskPaths
from pipeline.data import tables, upload_ledger, uploads
for row in json.load(open(sys.argv[1])):
    label = row.pop("outcome")
    id_ = tables.row_ids(pd.DataFrame([row], dtype=object))[0]
    path = uploads.stored("gate", "table", id_)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(row))
    upload_ledger.append("gate", upload_ledger.Collected(id=id_, label=label, batch="copies"))
"""


def test_jittered_copies_of_test_rows_raise_no_figure(project, tmp_path):
    rng = np.random.default_rng(6)
    table = pd.DataFrame(rng.normal(size=(300, 4)).round(4), columns=list("abcd"))
    table["outcome"] = np.where(rng.random(300) < 0.5, "ill", "well")
    table.to_csv(tmp_path / "gate.csv", index=False)
    figures(project, "gate", tmp_path / "gate.csv")
    split = pd.read_csv(project.folder / "data/gate/split.csv")
    test = split.loc[split["subset"] == "test", "path"].str.removeprefix("row ").astype(int) - 1
    copies = table.iloc[test].copy()
    copies[list("abcd")] = (copies[list("abcd")] + 0.001 * rng.normal(size=(len(copies), 4))).round(4)
    copies.to_csv(tmp_path / "copies.csv", index=False)
    project.run("python", "-m", "pipeline.collect", "gate", str(tmp_path / "copies.csv"), "--batch", "honest", ok=False)
    ledger = project.folder / "data/uploads/gate/ledger.jsonl"
    assert not ledger.exists() or not ledger.read_text()
    copies.astype(str).to_json(tmp_path / "copies.json", orient="records")
    project.run("python", "-c", PAST_THE_INTAKE, str(tmp_path / "copies.json"))
    done = project.run(
        "python", "-m", "pipeline.retrain", "gate", "--batch", "copies", "--json", ok=False, timeout=1200
    )
    compared = json.loads(done.stdout)
    print(compared["recommendation"], compared["batch"])
    assert not compared["passed"]
    assert sum(compared["batch"]["left_out"].values()) >= 0.95 * len(copies)
