"""`dvc repro` from nothing to two champions, and what a changed value runs again. Real DVC, real models, real MLflow."""

import csv
import json
import shutil

import pytest

from pipeline.data.synthetic.demo_set import lesion_set
from pipeline.prediction.bundle import read
from pipeline.prediction.predictor import Predictor
from tests.helpers.projects import ran


def rows(project, path):
    with (project.folder / path).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_repro_leaves_leaderboard_verdict_and_bundle_for_both_kinds(small):
    for task, form in (("lesions", "model.keras"), ("breast", "model.joblib")):
        board = rows(small, f"reports/{task}/leaderboard.csv")
        selection = json.loads(small.read(f"reports/{task}/selection.json"))
        assert [row["model"] for row in board if row["champion"]] == [selection["winner"]]
        assert {row["model"] for row in board} == set(small.params()["tasks"][task]["models"])
        assert selection["reason"].startswith(f"{selection['winner']} selected (ROC AUC ")
        info = read(small.folder / f"models/{task}/best").info
        assert info.model == selection["winner"]
        candidates = small.folder / f"models/{task}/candidates"
        assert form in {path.name for path in candidates.glob("*/*")}


def test_the_audit_finds_and_keeps_together_planted_copies(small):
    audit = json.loads(small.read("data/lesions/audit.json"))
    content = small.params()
    _, _, flaws = lesion_set(content["seed"], content["demo"]["lesions"], 1)
    copies = {frozenset((flaw.copy, flaw.of)) for flaw in flaws if flaw.kind != "truncated"}
    assert len(copies) == 10
    # photos of one drawn lesion are joined as well, rotated and lit anew as they are
    assert all(any(pair <= set(group) for group in audit["groups"]) for pair in copies)
    assert len(audit["label_conflicts"]) == 1
    assert len(audit["unreadable"]) == 1
    location = {row["path"]: row for row in rows(small, "data/lesions/split.csv")}
    for same in audit["groups"]:
        subsets = {location[path]["subset"] for path in same}
        assert len(subsets) == 1
        assert subsets == {"excluded"} or same not in audit["label_conflicts"]
    assert location[audit["unreadable"][0]["path"]]["reason"].startswith("unreadable: not a readable image")


def test_a_second_repro_runs_nothing(small):
    assert small.repro() == []


def test_a_change_reruns_only_what_it_reaches(clone):
    printed = clone.run("dvc", "exp", "run", "--set-param", "models.breast-knn.n_neighbors=3", "--name", "three").stdout
    compared = [
        "sites@breast",
        "select_best@breast",
        "learning_curve@breast",
        "holdout@breast",
        "report@breast",
        "track",
    ]
    assert ran(printed) == ["check", "train@breast-knn", "evaluate@breast", *compared]
    changed = json.loads(clone.run("dvc", "params", "diff", "--json").stdout)
    change = changed["params.yaml"]["models.breast-knn.n_neighbors"]
    assert (change["old"], change["new"]) == (15, 3)
    metrics = set(json.loads(clone.run("dvc", "metrics", "diff", "--json").stdout))
    assert {f"reports/breast/{part}/breast-knn.json" for part in ("cv", "test")} <= metrics
    assert not [path for path in metrics if "lesions" in path]
    shown = clone.run("dvc", "exp", "show", "--csv").stdout
    assert "three" in shown
    assert "models.breast-knn.n_neighbors" in shown
    file = clone.folder / "pipeline/estimators/knn.py"
    file.write_text(file.read_text() + "\nADDED = 1\n")
    # a changed estimator runs its own models; they come out the same, so nothing after them has to run
    assert clone.repro() == ["check", "train@lesions-knn", "train@breast-knn"]


def test_the_command_line_scores_files_as_the_pipeline_does(small, monkeypatch):
    monkeypatch.chdir(small.folder)
    champion = json.loads(small.read("reports/lesions/selection.json"))["winner"]
    test = [row for row in rows(small, "data/lesions/split.csv") if row["subset"] == "test"]
    files = [f"data/demo/lesions/{row['path']}" for row in test]
    message = small.run("python", "-m", "pipeline.predict", "models/lesions/best", *files, "--format", "json")
    items = json.loads(message.stdout)
    predictor = Predictor(small.folder / "models/lesions/best")
    again = [predictor.predict((small.folder / file).read_bytes(), file) for file in files]
    assert items == again
    report = json.loads(small.read(f"reports/lesions/test/{champion}.json"))
    right = sum(item["class"] == row["label"] for item, row in zip(items, test, strict=True))
    assert right / len(test) == pytest.approx(report["accuracy"], abs=1e-6)


def test_a_wrong_value_is_refused_before_any_stage_runs(clone):
    clone.change(**{"models__lesions-knn__n_neighbours": 3})
    done = clone.run("dvc", "repro", ok=False)
    assert done.returncode != 0
    assert "ParamsError: params.yaml: models.lesions-knn.n_neighbours: unknown key" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Running stage 'train" not in done.stdout


def test_a_champion_is_scored_and_reported_on_external_data(clone):
    table = (clone.folder / "data/demo/breast.csv").read_text().splitlines()
    other = [",".join(cell[:-1] if cell.endswith("1") else cell for cell in line.split(",")) for line in table[1:120]]
    (clone.folder / "there.csv").write_text("\n".join([table[0], *other]) + "\n")
    done = clone.run("python", "-m", "pipeline.external", "there", "breast", "there.csv")
    assert "external.there is added: 119 samples" in done.stdout
    report = json.loads(clone.read("reports/breast/external/there.json"))
    assert report["counts"]["n"] + report["overlap"]["n"] == 119
    assert report["counts"]["n"] > 0
    assert clone.repro("report@breast") == ["report@breast"]
    page = clone.read("reports/breast/report.html").decode()
    assert "Internal test against there" in page
    assert f"{report['roc_auc']:.3f}" in page
    assert clone.repro("report@breast") == []


def test_an_unpacked_archive_without_git_works(small, tmp_path):
    project = type(small)(tmp_path / "unpacked", warm=True)
    shutil.copytree(small.folder, project.folder, ignore=shutil.ignore_patterns(".git", "cache", "mlflow", "logs"))
    project.run("dvc", "config", "--local", "core.no_scm", "true")
    project.run("dvc", "config", "--local", "cache.dir", str(small.folder / ".dvc" / "cache"))
    assert project.repro() == ["track"]
    runs = json.loads(project.read("mlflow/tracked.json"))
    assert len(runs) == len(project.params()["models"])
