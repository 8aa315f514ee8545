"""A DVC remote shares data and what has been run: a second clone has everything without running it."""

import subprocess

from tests.helpers.projects import Project


def files(project: Project) -> dict[str, bytes]:
    """Return what there is in the folders that hold outputs."""
    paths = [path for name in ("data", "models", "reports") for path in (project.folder / name).rglob("*")]
    return {path.relative_to(project.folder).as_posix(): path.read_bytes() for path in paths if path.is_file()}


def test_a_second_clone_pulls_what_the_first_ran(clone, tmp_path):
    clone.run("dvc", "remote", "add", "--default", "store", str(tmp_path / "remote"))
    clone.run("git", "commit", "--quiet", "--all", "--message", "remote")
    clone.run("dvc", "push", "--run-cache")
    committed, lock = files(clone), clone.read("dvc.lock")
    clone.change(**{"models__breast-knn__n_neighbors": 5})
    assert clone.repro("--no-run-cache", "train@breast-knn") == ["check", "train@breast-knn"]
    clone.run("dvc", "push", "--run-cache", "train@breast-knn")

    other = Project(
        tmp_path / "other", warm=True
    )  # with a cache of its own, and a dvc.lock that knows nothing of the change
    subprocess.run(["git", "clone", "--quiet", str(clone.folder), str(other.folder)], check=True)
    other.run("dvc", "pull", "--run-cache")
    assert other.run("dvc", "status").stdout == "Data and pipelines are up to date.\n"
    assert other.repro() == []
    assert (other.read("dvc.lock"), files(other)) == (lock, committed)
    other.change(**{"models__breast-knn__n_neighbors": 5})
    assert other.repro("--pull", "train@breast-knn") in ([], ["check"])
    assert (other.read("dvc.lock"), files(other)) == (clone.read("dvc.lock"), files(clone))


def test_a_champion_is_fetched_by_name_and_version(clone, tmp_path):
    clone.run("dvc", "remote", "add", "--default", "store", str(tmp_path / "remote"))
    clone.run("git", "commit", "--quiet", "--all", "--message", "remote")
    clone.run("git", "tag", "--annotate", "lesions@v1.0.0", "--message", "first")
    clone.run("dvc", "push", "models/lesions/best")
    elsewhere = Project(tmp_path / "elsewhere", warm=True)
    elsewhere.folder.mkdir()
    elsewhere.run("git", "init", "--quiet")
    elsewhere.run("dvc", "artifacts", "get", str(clone.folder), "lesions", "--out", "champion")
    assert elsewhere.read("champion/bundle.json") == clone.read("models/lesions/best/bundle.json")
