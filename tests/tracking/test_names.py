"""Projects and branches that share a server have names, and champions, of their own."""

import shutil
import subprocess

import pytest
import yaml

from pipeline.core.errors import ParamsError
from pipeline.tasks.validate import check
from pipeline.tracking import mirror, names
from tests.helpers.samples import content, task
from tests.helpers.tracked import choose, client_at, make_project


def set_prefix(folder, prefix):
    block = yaml.safe_load((folder / "params.yaml").read_text()) | {"mlflow": {"prefix": prefix}}
    (folder / "params.yaml").write_text(yaml.safe_dump(block, sort_keys=False))


@pytest.fixture
def shared(tmp_path, empty_store, monkeypatch):
    """The database of a server that several projects use."""
    shutil.copyfile(empty_store, tmp_path / "shared.db")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/shared.db")
    monkeypatch.chdir(tmp_path)  # where MLflow keeps the files
    return client_at(tmp_path / "shared.db")


def champion(client, model):
    return client.get_model_version_by_alias(model, "champion").tags["model"]


def test_two_projects_on_one_server_keep_their_champions(tmp_path, shared, monkeypatch):
    first, second = make_project(tmp_path / "clinic-a"), make_project(tmp_path / "clinic-b")
    choose(second, "rows", "rows-b")
    for folder in (first, second, first):
        monkeypatch.chdir(folder)
        mirror.track()
    assert champion(shared, "clinic-a.rows") == "rows-a"
    assert champion(shared, "clinic-b.rows") == "rows-b"
    assert shared.get_experiment_by_name("rows") is None
    experiment = shared.get_experiment_by_name("clinic-a.rows").experiment_id
    assert {run.data.tags["current"] for run in shared.search_runs([experiment])} == {"yes"}


def test_a_branch_with_a_prefix_leaves_the_other_champion(small, shared, monkeypatch):
    monkeypatch.chdir(small)
    mirror.track()
    choose(small, "rows", "rows-b")
    set_prefix(small, "trial")
    mirror.track()
    assert (champion(shared, "small.rows"), champion(shared, "trial.rows")) == ("rows-a", "rows-b")
    mirror.forget("rows")
    assert champion(shared, "small.rows") == "rows-a"
    set_prefix(small, "")
    mirror.track()
    assert champion(shared, "rows") == "rows-b"


def test_the_own_store_has_plain_names_unless_asked(small):
    assert (names.of_task("rows"), names.of_decisions("rows")) == ("rows", "rows decisions")
    set_prefix(small, "trial")
    assert names.of_task("rows") == "trial.rows"


@pytest.mark.parametrize(
    ("remote", "name"),
    [
        ("git@host.org:group/skin lesions.git", "skin-lesions"),
        ("https://host.org/group/assay/", "assay"),
        ("../other", "other"),
        (None, "small"),
    ],
)
def test_default_prefix_is_the_repositorys_name(small, remote, name):
    subprocess.run(["git", "init", "--quiet"], cwd=small, check=True)
    if remote:
        subprocess.run(["git", "remote", "add", "origin", remote], cwd=small, check=True)
    assert names.repository() == name


@pytest.mark.parametrize("prefix", ["a/b", "a:b", "a'b", ".a", "a.", 7])
def test_a_prefix_that_mlflow_refuses_is_refused_first(prefix):
    with pytest.raises(ParamsError, match=r"mlflow.prefix: found"):
        check(content(task()) | {"mlflow": {"prefix": prefix}})


def test_a_params_yaml_without_the_key_is_valid():
    block = content(task())
    assert "mlflow" not in block
    check(block)
