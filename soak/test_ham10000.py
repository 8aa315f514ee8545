"""A large public set through the two commands a newcomer types: are the champion's probabilities to be taken at their word?"""

import pytest

from benchmarks.figures import DATA, Figure, save
from pipeline import artifacts
from tests.projects import Project, start_git, tracked


@pytest.mark.skipif(not (DATA / "ham10000").is_dir(), reason="the real data are not here")
def test_the_calibration_error_of_seven_classes_on_held_out_lesions_is_at_most_5_percent(tmp_path):
    tracked(tmp_path)
    project = Project(tmp_path)
    start_git(project)
    project.run("python", "-m", "pipeline.init_task", "ham10000", str(DATA / "ham10000"))
    project.run("dvc", "repro", "holdout@ham10000", timeout=12_000)
    winner = artifacts.read_json(tmp_path / "reports/ham10000/selection.json")["winner"]
    report = artifacts.read_json(tmp_path / f"reports/ham10000/test/{winner}.json")
    how = f"{winner} on {report['counts']['n']} held-out images of {report['counts']['n_groups']} lesions"
    low, high = report["ci"]["ece"]
    found = [
        Figure("ham10000: ECE", report["ece"], f"{how}; 95 % interval {low:.3f} to {high:.3f}", at_most=0.05),
        Figure("ham10000: ROC AUC, macro", report["roc_auc"], how),
        Figure("ham10000: accuracy", report["accuracy"], how),
    ]
    save("soak_ham10000", "Seven classes of skin lesions", found, command="make soak")
    assert report["ece"] <= 0.05
