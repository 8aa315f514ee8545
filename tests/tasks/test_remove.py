"""Removing a task takes away all that stages made of its data, and nothing else."""

import shutil
from pathlib import Path

import pytest
import yaml

from pipeline import init_task
from pipeline.core import artifacts, params
from pipeline.core.errors import DataError
from pipeline.tasks import validate
from tests.helpers.samples import put

pytestmark = pytest.mark.usefixtures("project")


def made(project: Path) -> None:
    """Leave behind what stages, DVC and a user would."""
    init_task.main("skin", "data/raw/skin")
    written = ["data/skin/scan/samples.csv", "data/skin/audit.json", "data/skin/.split.csv.part", "data/skin/split.csv"]
    written += ["data/skin/.gitignore", "models/skin/best/bundle.json", "models/skin/candidates/skin-old/model.joblib"]
    written += ["reports/skin/cv/skin-knn.json", "reports/skin/plots/roc/skin-old.csv"]
    others = ["data/uploads/skin/1/a.png", "data/breast/split.csv", "data/skin2/split.csv"]
    put(project, dict.fromkeys(written + others, "text"))
    outs = {"check": "data/.checked", "scan@skin": "data/skin/scan", "scan@breast": "data/breast/scan"}
    outs |= {
        "train@skin-old": "models/skin/candidates/skin-old",
        "scan@skin2": "data/skin2/scan",
        "track": "mlflow/tracked.json",
    }
    stages = {name: {"cmd": "c", "outs": [{"path": path, "md5": "0"}]} for name, path in outs.items()}
    Path("dvc.lock").write_text(yaml.safe_dump({"schema": "2.0", "stages": stages}, sort_keys=False))


def test_only_outputs_of_the_task_are_removed(project, capsys):
    made(project)
    init_task.main("--remove", "skin")
    left = {
        path.relative_to(project).as_posix()
        for path in project.rglob("*")
        if path.is_file() and not {"raw", ".cache"} & set(path.parts)
    }
    assert left == {
        "params.yaml", "dvc.yaml", "dvc.lock", "data/uploads/skin/1/a.png", "data/breast/split.csv", "data/skin2/split.csv"
    }  # fmt: skip
    assert not any((project / top / "skin").exists() for top in ("data", "models", "reports"))
    lock = yaml.safe_load((project / "dvc.lock").read_text())
    assert list(lock["stages"]) == ["check", "scan@breast", "scan@skin2", "track"]
    output = capsys.readouterr().out
    for line in (
        "data/skin/scan\n",
        "data/skin/audit.json\n",
        "models/skin\n",
        "reports/skin\n",
        "dvc.lock: 2 stages (their",
    ):
        assert line in output


def test_user_files_among_outputs_stay_and_are_named(project, capsys):
    made(project)
    put(project, {"data/skin/notes.txt": "mine"})
    init_task.main("--remove", "skin")
    assert (project / "data/skin/notes.txt").read_text() == "mine"
    assert sorted(path.name for path in (project / "data/skin").iterdir()) == ["notes.txt"]
    assert "left alone  data/skin: holds files that no stage wrote" in capsys.readouterr().out


def test_links_to_other_disks_are_not_followed(project):
    made(project)
    for top in ("models", "data"):
        shutil.move(f"{top}/skin", f"elsewhere/{top}")
        Path(f"{top}/skin").symlink_to(project / "elsewhere" / top)
    init_task.main("--remove", "skin")
    assert not Path("models/skin").is_symlink()
    assert not Path("data/skin").is_symlink()
    assert (project / "elsewhere/models/best/bundle.json").exists()
    assert list((project / "elsewhere/data").iterdir()) == []


def test_raw_data_among_outputs_stop_the_removal(project):
    made(project)
    text = Path("params.yaml").read_text().replace("raw: data/raw/skin", "raw: models/skin/images")
    put(project, {"params.yaml": text, "models/skin/images/benign/1.png": 1})
    with pytest.raises(DataError, match="models/skin holds the raw data of skin: move them out first"):
        init_task.main("--remove", "skin")
    assert Path("models/skin/images/benign/1.png").exists()
    assert Path("data/skin/audit.json").exists()


def test_a_removal_that_was_interrupted_can_be_run_again(project, monkeypatch, shipped):
    made(project)
    with monkeypatch.context() as patch:
        patch.setattr(artifacts, "write_bytes", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            init_task.main("--remove", "skin")
    init_task.main("--remove", "skin")
    assert (project / "params.yaml").read_bytes() == shipped


def test_removing_demo_tasks_keeps_the_file_valid(project):
    for name in ("lesions", "breast"):
        init_task.main("--remove", name)
        validate.check(params.load())
    assert params.load()["tasks"] == params.load()["models"] == {}
    init_task.main("skin", "data/raw/skin")
    validate.check(params.load())


def test_removing_the_task_gives_back_the_same_bytes(project, capsys, shipped):
    init_task.main("skin", "data/raw/skin")
    init_task.main("survey", "data/raw/rows.csv")
    for name in ("skin", "survey"):
        init_task.main("--remove", name)
    assert (project / "params.yaml").read_bytes() == shipped
    assert (project / "data/raw/skin/benign/0.png").exists()
    output = capsys.readouterr().out
    assert "  removed     params.yaml: the task 'skin' and 5 models\n" in output
    assert "  left alone  data/raw/skin: the raw data\n" in output
