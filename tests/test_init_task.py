"""One command makes a task of a data set, changes nothing but params.yaml, and another takes it away without a trace."""

import difflib
import shutil
from pathlib import Path

import pytest
import yaml

from pipeline import init_task
from pipeline.core import artifacts, params
from pipeline.core.errors import AssayError, DataError, ParamsError, SplitError
from pipeline.tasks import validate
from tests.samples import ROOT, put, stage

CLASSES = {
    f"{label}/{number}.png": 100 * k + number for k, label in enumerate(("benign", "malignant")) for number in range(30)
}
TABLE = "age,ill\n" + "".join(f"{n},{'YES' if n % 5 else 'NO'}\n" for n in range(60))


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch) -> Path:
    """The current folder: the project's params.yaml and dvc.yaml, a folder of pictures and a table."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copy(ROOT / name, tmp_path)
    return put(
        tmp_path, {"data/raw/rows.csv": TABLE} | {f"data/raw/skin/{path}": seed for path, seed in CLASSES.items()}
    )


def shipped() -> bytes:
    """Return the params.yaml that nobody has touched."""
    return (ROOT / "params.yaml").read_bytes()


def test_a_task_of_pictures_is_added_and_the_whole_file_is_valid(project, capsys):
    init_task.main("skin", "data/raw/skin")
    content = params.load()
    validate.check(content)
    assert content["tasks"]["skin"]["raw"] == "data/raw/skin"
    assert content["tasks"]["skin"]["models"] == [name for name in content["models"] if name.startswith("skin-")]
    said = capsys.readouterr().out
    for line in (
        "data/raw/skin: looked at, nothing in it is changed",
        "  classes  benign 30, malignant 30",
        "params.yaml: the task 'skin' and its models are added",
        "  dvc repro report@skin",
        "  data/skin/audit.json",
    ):
        assert line in said
    assert "note" not in said


def test_labels_that_yaml_would_read_as_true_and_false_stay_words(project):
    init_task.main("survey", "data/raw/rows.csv")
    assert params.task("survey").preprocess.positive == "NO"
    init_task.main("survey2", "data/raw/rows.csv", "--positive", "YES")
    assert params.task("survey2").preprocess.positive == "YES"


def test_what_was_there_keeps_every_byte_and_the_data_too(project):
    before = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    init_task.main("skin", "data/raw/skin")
    after = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    changed = [path for path in after if after[path] != before.get(path)]
    assert sorted(changed) == [project / "data/uploads/skin/included.csv", project / "params.yaml"]
    added = [
        line for line in difflib.ndiff(shipped().decode().splitlines(), Path("params.yaml").read_text().splitlines())
    ]
    assert not [line for line in added if line.startswith("- ")]


def test_removing_the_task_gives_back_the_same_bytes(project, capsys):
    init_task.main("skin", "data/raw/skin")
    init_task.main("survey", "data/raw/rows.csv")
    for name in ("skin", "survey"):
        init_task.main("--remove", name)
    assert (project / "params.yaml").read_bytes() == shipped()
    assert (project / "data/raw/skin/benign/0.png").exists()
    said = capsys.readouterr().out
    assert "  removed     params.yaml: the task 'skin' and 5 models\n" in said
    assert "  left alone  data/raw/skin: the raw data\n" in said


def test_a_path_outside_of_the_project_is_told_to_be_one(project, monkeypatch, capsys):
    (project / "inner").mkdir()
    shutil.copy(project / "params.yaml", project / "inner")
    monkeypatch.chdir(project / "inner")
    init_task.main("skin", "../data/raw/skin")
    assert params.task("skin").raw == "../data/raw/skin"
    assert (
        "the data lie outside of the project: whoever clones it needs them in the same place" in capsys.readouterr().out
    )


def test_links_that_dvc_does_not_follow_are_told(project, capsys):
    (project / "data/raw/skin/benign/up").symlink_to("..")
    init_task.main("skin", "data/raw/skin")
    said = capsys.readouterr().out
    assert "note" in said
    assert "DVC does not look behind links to folders: a change in data/raw/skin/benign/up goes unnoticed" in said


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        (["breast", "data/raw/skin"], ParamsError, "params.yaml has a task 'breast' already; choose another name, or take it"),
        (["Skin", "data/raw/skin"], ParamsError, "'Skin': names are made of a-z, 0-9, - and _"),
        (["raw", "data/raw/skin"], ParamsError, "the names backbone, demo, monitor, raw, uploads are taken by folders"),
        (["skin", "nowhere"], DataError, "nowhere: there is no such file or folder"),
        (["skin", "data/raw/skin", "--positive", "bad"], DataError, "--positive bad: expected one of two classes; there are 2"),
        (["skin", "data/raw/skin", "--label", "x"], DataError, "--label and --group name columns of a CSV"),
        (["skin", "data/raw/rows.csv", "--label", "x"], DataError, r"has no column 'x' \(from --label\); it has: age, ill"),
        (["skin", "data/raw/rows.csv", "--group", "x"], DataError, r"has no column 'x' \(from --group\); it has: age, ill"),
        (["skin", "data/raw/skin/benign"], DataError, "no picture found; expected class folders"),
        (["--remove", "skni"], ParamsError, "params.yaml has no task 'skni'; there are: lesions, breast"),
        (["--remove", "brest"], ParamsError, "params.yaml has no task 'brest'; did you mean 'breast'?"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_one_clear_error_and_changes_nothing(project, arguments, error, text):
    with pytest.raises(error, match=text):
        init_task.main(*arguments)
    assert (project / "params.yaml").read_bytes() == shipped()


def test_a_csv_whose_paths_lead_nowhere_is_refused_with_where_they_count_from(project):
    put(project, {"data/raw/labels.csv": "path,label\n" + "".join(f"far/{n}.png,{'xy'[n % 2]}\n" for n in range(40))})
    text = r"class 'x': none of its 20 samples can be read, the first, far/0.png: cannot be opened .+; paths count from"
    with pytest.raises(DataError, match=text):
        init_task.main("skin", "data/raw/labels.csv")
    assert (project / "params.yaml").read_bytes() == shipped()


def test_a_class_too_small_to_be_divided_is_refused_and_nothing_is_written(project):
    put(project, {"data/raw/skin/rare/1.png": 500})
    with pytest.raises(SplitError, match="class 'rare' has 1 groups"):
        init_task.main("skin", "data/raw/skin")
    assert (project / "params.yaml").read_bytes() == shipped()


def test_data_where_stages_will_write_are_refused(project):
    shutil.copytree("data/raw/skin", "data/skin")
    with pytest.raises(
        ParamsError, match=r"tasks.skin.raw: stages write to data/skin; put the raw data in data/raw/skin"
    ):
        init_task.main("skin", "data/skin")
    assert (project / "params.yaml").read_bytes() == shipped()


def test_a_model_that_bears_a_name_of_the_task_is_not_overwritten(project):
    text = shipped().decode() + "  skin-knn: {task: breast, estimator: knn, features: columns}\n"
    text = text.replace("breast-knn, breast-dummy]", "breast-knn, breast-dummy, skin-knn]")
    (project / "params.yaml").write_text(text)
    with pytest.raises(
        ParamsError, match=r"params.yaml has a model 'skin-knn' already; choose another name for the task"
    ):
        init_task.main("skin", "data/raw/skin")
    assert (project / "params.yaml").read_text() == text


def test_an_invalid_params_yaml_is_told_before_anything_is_looked_at(project):
    (project / "params.yaml").write_text(shipped().decode().replace("seed: 7", "sede: 7"))
    with pytest.raises(ParamsError, match=r"params.yaml: sede: unknown key"):
        init_task.main("skin", "nowhere")


def test_a_user_sees_one_line_and_exit_code_2(project):
    done = stage(project, "init_task", "skin", "nowhere")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "DataError: nowhere: there is no such file or folder\n"
    done = stage(project, "init_task", "skin")
    assert done.returncode == 2
    assert "give NAME and PATH, or --remove and NAME" in done.stderr
    assert issubclass(DataError, AssayError)


# what goes with a task


def made(project: Path) -> None:
    """Leave behind what stages, DVC and a user would."""
    init_task.main("skin", "data/raw/skin")
    written = ["data/skin/scan/samples.csv", "data/skin/audit.json", "data/skin/.split.csv.part", "data/skin/split.csv"]
    written += ["data/skin/.gitignore", "models/skin/best/bundle.json", "models/skin/candidates/skin-old/model.joblib"]
    written += ["reports/skin/cv/skin-knn.json", "reports/skin/plots/skin-old/roc.csv"]
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


def test_all_that_stages_made_of_a_task_goes_and_nothing_else(project, capsys):
    made(project)
    init_task.main("--remove", "skin")
    left = {
        path.relative_to(project).as_posix()
        for path in project.rglob("*")
        if path.is_file() and "raw" not in path.parts
    }
    assert left == {
        "params.yaml", "dvc.yaml", "dvc.lock", "data/uploads/skin/1/a.png", "data/breast/split.csv", "data/skin2/split.csv"
    }  # fmt: skip
    assert not any((project / top / "skin").exists() for top in ("data", "models", "reports"))
    lock = yaml.safe_load((project / "dvc.lock").read_text())
    assert list(lock["stages"]) == ["check", "scan@breast", "scan@skin2", "track"]
    said = capsys.readouterr().out
    for line in (
        "data/skin/scan\n",
        "data/skin/audit.json\n",
        "models/skin\n",
        "reports/skin\n",
        "dvc.lock: 2 stages (their",
    ):
        assert line in said


def test_a_file_of_the_users_among_the_outputs_stays_and_is_named(project, capsys):
    made(project)
    put(project, {"data/skin/notes.txt": "mine"})
    init_task.main("--remove", "skin")
    assert (project / "data/skin/notes.txt").read_text() == "mine"
    assert sorted(path.name for path in (project / "data/skin").iterdir()) == ["notes.txt"]
    assert "left alone  data/skin: holds files that no stage wrote" in capsys.readouterr().out


def test_a_link_to_a_larger_disk_is_unlinked_and_not_followed(project):
    made(project)
    for top in ("models", "data"):
        shutil.move(f"{top}/skin", f"elsewhere/{top}")
        Path(f"{top}/skin").symlink_to(project / "elsewhere" / top)
    init_task.main("--remove", "skin")
    assert not Path("models/skin").is_symlink()
    assert not Path("data/skin").is_symlink()
    assert (project / "elsewhere/models/best/bundle.json").exists()
    assert list((project / "elsewhere/data").iterdir()) == []


def test_raw_data_in_a_folder_that_would_go_stop_the_removal(project):
    made(project)
    text = Path("params.yaml").read_text().replace("raw: data/raw/skin", "raw: models/skin/pictures")
    put(project, {"params.yaml": text, "models/skin/pictures/benign/1.png": 1})
    with pytest.raises(DataError, match="models/skin holds the raw data of skin: move them out first"):
        init_task.main("--remove", "skin")
    assert Path("models/skin/pictures/benign/1.png").exists()
    assert Path("data/skin/audit.json").exists()


def test_a_removal_that_was_interrupted_can_be_run_again(project, monkeypatch):
    made(project)
    with monkeypatch.context() as patch:
        patch.setattr(artifacts, "write_bytes", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            init_task.main("--remove", "skin")
    init_task.main("--remove", "skin")
    assert (project / "params.yaml").read_bytes() == shipped()


def test_a_demo_task_can_be_removed_too_and_the_file_stays_valid(project):
    for name in ("lesions", "breast"):
        init_task.main("--remove", name)
        validate.check(params.load())
    assert params.load()["tasks"] == params.load()["models"] == {}
    init_task.main("skin", "data/raw/skin")
    validate.check(params.load())
