"""One command makes a task of a data set, and changes nothing but params.yaml."""

import difflib
import shutil
from pathlib import Path

import pytest

from pipeline import init_task
from pipeline.core import params
from pipeline.core.errors import AssayError, DataError, ParamsError, SplitError
from pipeline.tasks import validate
from tests.helpers.samples import put, stage

pytestmark = pytest.mark.usefixtures("project")


def test_image_task_is_added_to_a_valid_file(project, capsys):
    init_task.main("skin", "data/raw/skin")
    content = params.load()
    validate.check(content)
    assert content["tasks"]["skin"]["raw"] == "data/raw/skin"
    assert content["tasks"]["skin"]["models"] == [name for name in content["models"] if name.startswith("skin-")]
    output = capsys.readouterr().out
    for line in (
        "data/raw/skin: inspected, nothing in it was changed",
        "benign 30, malignant 30",
        "params.yaml: the task 'skin' and its models were added",
        "Next: assay run skin ",
        "data/skin/audit.json",
    ):
        assert line in output
    assert "note" not in output


def test_labels_like_yes_and_no_stay_text(project):
    init_task.main("survey", "data/raw/rows.csv")
    assert params.task("survey").preprocess.positive == "YES"
    init_task.main("survey2", "data/raw/rows.csv", "--positive", "NO")
    assert params.task("survey2").preprocess.positive == "NO"


def test_what_was_there_keeps_every_byte_and_the_data_too(project, shipped):
    before = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    init_task.main("skin", "data/raw/skin")
    after = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    changed = [path for path in after if after[path] != before.get(path) and path.name != "params.lock"]
    assert sorted(changed) == [project / "data/uploads/skin/included.csv", project / "params.yaml"]
    added = [
        line for line in difflib.ndiff(shipped.decode().splitlines(), Path("params.yaml").read_text().splitlines())
    ]
    assert not [line for line in added if line.startswith("- ")]


def test_paths_outside_become_absolute_with_a_note(project, monkeypatch, capsys):
    (project / "inner").mkdir()
    shutil.copy(project / "params.yaml", project / "inner")
    monkeypatch.chdir(project / "inner")
    init_task.main("skin", "../data/raw/skin")
    assert params.task("skin").raw == (project / "data/raw/skin").as_posix()
    assert "the data are outside of the project: a clone needs them at the same path" in capsys.readouterr().out


def test_linked_folders_get_a_note(project, capsys):
    (project / "data/raw/skin/benign/up").symlink_to("..")
    init_task.main("skin", "data/raw/skin")
    output = capsys.readouterr().out
    assert "note" in output
    assert "DVC does not follow links to folders: a change in data/raw/skin/benign/up goes unnoticed" in " ".join(
        output.split()
    )


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        (["breast", "data/raw/skin"], ParamsError, "params.yaml has a task 'breast' already; choose another name, or remove it"),
        (["Skin", "data/raw/skin"], ParamsError, "'Skin': names consist of a-z, 0-9, - and _"),
        (["raw", "data/raw/skin"], ParamsError, "the names backbone, demo, monitor, raw, uploads are reserved for folders"),
        (["skin", "nowhere"], DataError, "nowhere: there is no such file or folder"),
        (["skin", "data/raw/skin", "--positive", "bad"], DataError, "--positive bad: expected one of two classes; there are 2"),
        (["skin", "data/raw/skin", "--label", "x"], DataError, "--label and --group name columns of a CSV"),
        (["skin", "data/raw/rows.csv", "--label", "x"], DataError, r"has no column 'x' \(from --label\); it has: age, ill"),
        (["skin", "data/raw/rows.csv", "--group", "x"], DataError, r"has no column 'x' \(from --group\); it has: age, ill"),
        (["skin", "data/raw/skin/benign"], DataError, r"no image found \(30 files lie in the folder itself"),
        (["--remove", "skni"], ParamsError, "params.yaml has no task 'skni'; there are: lesions, breast"),
        (["--remove", "brest"], ParamsError, "params.yaml has no task 'brest'; did you mean 'breast'?"),
    ],
)  # fmt: skip
def test_impossible_requests_raise_and_change_nothing(project, arguments, error, text, shipped):
    with pytest.raises(error, match=text):
        init_task.main(*arguments)
    assert (project / "params.yaml").read_bytes() == shipped


@pytest.mark.parametrize("second", [("--group", "age, ill"), ("--exclude", "ill"), ("--keep", "ill")])
def test_a_column_is_given_one_role(project, second, capsys):
    with pytest.raises(SystemExit, match="2"):
        init_task.main("skin", "data/raw/rows.csv", "--label", "ill", *second)
    assert f"{second[0]} ill: the column is named by --label already; give it one role" in capsys.readouterr().err


def test_broken_csv_paths_name_their_base_folder(project, shipped):
    put(project, {"data/raw/labels.csv": "path,label\n" + "".join(f"far/{n}.png,{'xy'[n % 2]}\n" for n in range(40))})
    text = r"class 'x': none of its 20 samples can be read, the first, far/0.png: cannot be opened .+; paths are relative to"
    with pytest.raises(DataError, match=text):
        init_task.main("skin", "data/raw/labels.csv")
    assert (project / "params.yaml").read_bytes() == shipped


def test_too_small_class_is_refused_without_writing(project, shipped):
    put(project, {"data/raw/skin/rare/1.png": 500})
    with pytest.raises(SplitError, match=r"class 'rare' .+ has 1 groups"):
        init_task.main("skin", "data/raw/skin")
    assert (project / "params.yaml").read_bytes() == shipped


def test_data_where_stages_will_write_are_refused(project, shipped):
    shutil.copytree("data/raw/skin", "data/skin")
    with pytest.raises(
        ParamsError, match=r"tasks.skin.raw: stages write to data/skin; put the raw data in data/raw/skin"
    ):
        init_task.main("skin", "data/skin")
    assert (project / "params.yaml").read_bytes() == shipped


def test_existing_model_is_not_overwritten(project, shipped):
    text = shipped.decode() + "  skin-knn: {task: breast, estimator: knn, features: columns}\n"
    text = text.replace("breast-knn, breast-dummy]", "breast-knn, breast-dummy, skin-knn]")
    (project / "params.yaml").write_text(text)
    with pytest.raises(
        ParamsError, match=r"params.yaml has a model 'skin-knn' already; choose another name for the task"
    ):
        init_task.main("skin", "data/raw/skin")
    assert (project / "params.yaml").read_text() == text


def test_invalid_params_yaml_is_reported_first(project, shipped):
    (project / "params.yaml").write_text(shipped.decode().replace("seed: 7", "sede: 7"))
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
