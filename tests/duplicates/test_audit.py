"""What the audit says of a data set, as a stage and from the command line, on drawn images and on real ones."""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

from pipeline.audit import is_task, main
from pipeline.core import artifacts
from pipeline.core.errors import DataError, StageError
from pipeline.core.params_models import AuditParams
from pipeline.data import raw_changes
from pipeline.data.audit_result import AuditResult, Pair
from pipeline.data.images import decoding
from pipeline.duplicates.audit import audit, audit_path, audit_task
from pipeline.duplicates.summary import refuse, summary
from tests.helpers.samples import ROOT
from tests.helpers.textures import stored, texture
from tests.helpers.warm_python import warm_python

pytestmark = pytest.mark.filterwarnings("error")
REAL = Path(os.environ.get("ASSAY_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
KEYS = {
    "n_files", "n_unreadable", "n_leaked", "groups", "leaks", "label_conflicts",
    "unjudged", "unreadable", "skipped", "confounders", "pairs",
}  # fmt: skip
NO_FILES = pd.DataFrame(columns=["path", "reason"])
LEAK = ["test/benign/20.jpg", "train/benign/2.jpg"]
CONFLICT = ["train/benign/1.jpg", "train/malignant/14.png"]
ROTATED = ["train/benign/3.jpg", "train/benign/5.jpg"]


@pytest.fixture(scope="module")
def drawn():
    """The files of `raw`: {path: bytes}."""
    files = {f"train/benign/{i}.jpg": stored(texture(i)) for i in range(5)}
    files["train/benign/5.jpg"] = stored(texture(3).rotate(30, Image.Resampling.BICUBIC, expand=True))
    files |= {f"train/malignant/{i}.jpg": stored(texture(i)) for i in range(10, 13)}
    files["train/malignant/13.jpg"] = stored(Image.new("RGB", (200, 150), "pink"))
    files["train/malignant/14.png"] = stored(
        Image.fromarray(decoding.decode(files["train/benign/1.jpg"]).pixels), "PNG"
    )
    files["test/benign/20.jpg"] = stored(texture(2).resize((143, 150)), quality=60)
    files["test/malignant/21.jpg"] = stored(texture(21))
    files["test/malignant/22.jpg"] = b"no image"
    files["train/chart.png"] = stored(texture(30), "PNG")
    return files


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A folder whose store of features the tests share: what one has compared the next need not."""
    return tmp_path_factory.mktemp("kept")


@pytest.fixture
def raw(tmp_path, monkeypatch, drawn, kept):
    """A folder `raw`: 1 photo stretched into the shipped test set, 1 under two labels, 1 rotated, 1 empty, 1 broken."""
    monkeypatch.setenv("DVC_ROOT", str(kept))
    monkeypatch.chdir(tmp_path)
    for path, data in drawn.items():
        artifacts.write_bytes(tmp_path / "raw" / path, data)
    return tmp_path / "raw"


@pytest.fixture
def project(raw):
    """The same as a task `skin` that was scanned."""
    paths = sorted(path.relative_to(raw).as_posix() for path in raw.glob("*/*/*"))
    artifacts.write_csv(
        "data/skin/scan/samples.csv", pd.DataFrame([facts(raw, path) for path in paths], dtype=object).fillna("")
    )
    skipped = pd.DataFrame({"path": ["train/chart.png"], "reason": ["is not in a class folder"]})
    artifacts.write_csv("data/skin/scan/skipped.csv", skipped)
    embeddings = np.random.default_rng(0).normal(size=(len(paths), 8)).astype(np.float32)
    np.save("data/skin/scan/embeddings.npy", embeddings)
    write_params()
    raw_changes.record(raw_changes.RawData.read("raw"), "skin")
    return raw.parent


def facts(root, path):
    """Return what scan writes of a file."""
    shipped, label, _ = path.split("/")
    row = {"path": path, "label": label, "group": "", "shipped": shipped}
    data = (root / path).read_bytes()
    try:
        image = decoding.decode(data)
    except DataError as error:
        return row | {"id": "", "bytes": len(data), "error": str(error)}
    of_image = {name: getattr(image, name) for name in ("id", "width", "height", "mode", "format")}
    return row | of_image | {"bytes": len(data), "error": ""}


def write_params(**audit):
    task = {"kind": "image", "raw": "raw", "models": ["m"], "audit": audit}
    task |= {"read": {}, "split": {}, "preprocess": {}, "select": {}}
    Path("params.yaml").write_text(yaml.safe_dump({"workers": 2, "tasks": {"skin": task}}))


def run_main(*arguments):
    """Return the exit code of the command line."""
    try:
        main(*map(str, arguments))
    except SystemExit as exit:
        return exit.code
    return 0


def check(result):
    """Assert that everything in `raw` is found."""
    assert set(result) == KEYS
    assert (result["n_files"], result["n_unreadable"], result["n_leaked"]) == (14, 1, 1)
    assert result["groups"] == [LEAK, CONFLICT, ROTATED]
    assert result["leaks"] == [LEAK]
    assert result["label_conflicts"] == [CONFLICT]
    assert result["unjudged"] == ["train/malignant/13.jpg"]
    kinds = {(figure["a"], figure["b"]): (figure["kind"], figure["copy"]) for figure in result["pairs"]}
    assert kinds == {
        tuple(LEAK): ("stretched", True),
        tuple(CONFLICT): ("exact", True),
        tuple(ROTATED): ("rotated by 30 degrees", True),
    }
    assert [figure["path"] for figure in result["unreadable"]] == ["test/malignant/22.jpg"]
    assert result["skipped"] == [{"path": "train/chart.png", "reason": "is not in a class folder"}]


def test_the_stage_reports_findings_and_their_handling(project, capsys):
    main("skin")
    check(artifacts.read_json("data/skin/audit.json"))
    # Progress, if it is slow.
    message = [line for line in capsys.readouterr().err.splitlines() if line and "%|" not in line]
    assert message == [
        "audit skin: 13 images, 1 unreadable, 1 other files skipped",
        "audit skin: sets in the shipped test set and outside it: 1 (1 test images); split.by: shipped leaves out what is "
        "outside, hash keeps each set together",
        "audit skin: sets under more than one label: 1; all of them are left out",
        "audit skin: nearly empty, cannot be compared with others: 1, first train/malignant/13.jpg; nothing is left out, but "
        "copies of them may be missed",
        "audit skin: same image: 3 sets (6 images); each set stays on one side of the split",
        "audit skin: no group is known: each image is taken as another patient. If it is not, all figures are too good: name the "
        "patient (read.group; init_task --group COLUMN). If it is, read.no_group: true says so",
    ]


def test_a_folder_is_audited_like_a_task(project, capsys):
    main("skin")
    capsys.readouterr()
    assert run_main("./raw", "--json") == 3
    out = capsys.readouterr().out
    check(json.loads(out))
    assert json.loads(out) == artifacts.read_json("data/skin/audit.json")


def test_the_table_shows_what_matters_first(raw, capsys):
    assert run_main(raw) == 3
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "13 images, 1 unreadable, 1 other files skipped"
    rows = [line.split() for line in lines if "train/" in line and not line.startswith("nearly")]
    assert [row[:3] for row in rows] == [[*LEAK, "stretched"], [*CONFLICT, "exact"], [*ROTATED, "rotated"]]
    assert [" ".join(row[-3:]) for row in rows[:2]] == ["test / train", "benign / malignant"]
    assert lines[lines.index("sets under more than one label: 1") - 1].startswith("sets in the shipped test set")


def test_a_sheet_is_drawn(raw, capsys):
    assert run_main(raw, "--sheet", "new/sheet.png") == 3
    assert "sheet.png: 3 pairs" in capsys.readouterr().err
    with Image.open("new/sheet.png") as sheet:
        assert sheet.width > 900


def test_what_is_merely_near_counts_unless_only_copies_are_wanted(raw, capsys):
    large, small = (np.asarray(texture(seed, contrast=share), float) for seed, share in ((5, 1.0), (6, 0.35)))
    second = Image.fromarray((large + small - 170).clip(0, 255).astype(np.uint8))
    for path, image in {"near/a.jpg": texture(5), "near/b.jpg": second, "near/c.jpg": texture(7)}.items():
        artifacts.write_bytes(path, stored(image))
    assert run_main("near", "--json") == 3
    assert json.loads(capsys.readouterr().out)["groups"] == [["a.jpg", "b.jpg"]]
    assert run_main("near", "--json", "--copies") == 0
    content = json.loads(capsys.readouterr().out)
    assert (content["groups"], content["pairs"]) == ([], [])


def test_the_exit_code_depends_on_copies_and_shipped_splits(raw, capsys):
    for path in (LEAK[0], CONFLICT[1]):
        (raw / path).unlink()
    assert run_main(raw) == 0
    assert "same image: 1 sets (2 images)" in capsys.readouterr().out
    assert run_main(raw / "train") == 3
    assert run_main(raw / "train" / "malignant") == 0


def test_bad_input_is_refused_with_exit_code_2(raw, capsys):
    with pytest.raises(DataError, match="absent: there is no such file, folder or task"):
        main("absent")
    (raw.parent / "bad").mkdir()
    (raw.parent / "bad" / "x.jpg").write_bytes(b"no image")
    with pytest.raises(DataError, match=r"bad: no file can be read; the first is x\.jpg: not a readable image"):
        main("bad")
    assert run_main(raw, "--sheets", "x.png") == 2
    assert "unrecognized arguments" in capsys.readouterr().err


def command(*arguments):
    """Return exit code, stdout and stderr of the command line in a process of its own."""
    done = subprocess.run(
        [warm_python(), "-m", "pipeline.audit", *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout, done.stderr


def test_the_command_line_prints_json_and_exits_by_findings(raw):
    code, out, message = command(raw, "--json", "--sheet", "sheet.png")
    assert code == 3
    assert message.endswith("sheet.png: 3 pairs\n")  # after the progress, which shows from the third second on
    check(json.loads(out))
    artifacts.write_csv("rows.csv", pd.DataFrame({"age": [1, 2], "label": ["no", "yes"]}))
    code, out, message = command("rows.csv", "--json")
    assert (code, json.loads(out)["groups"]) == (0, [])
    assert message.splitlines()[0] == "rows.csv: label is 'label'"
    assert command("absent") == (2, "", "DataError: absent: there is no such file, folder or task\n")


def test_a_csv_of_rows_is_audited_and_has_no_sheet(raw, capsys):
    rows = [f"{n}.{n * n % 97},{1000 + n * 37 % 501},{'NO' if n % 2 else 'YES'}" for n in range(40)]
    rows += [rows[5], rows[7].replace("NO", "YES")]
    Path("t.csv").write_text("\n".join(["crp,platelets,cancer", *rows, ""]))
    assert run_main("t.csv", "--json") == 3
    content = json.loads(capsys.readouterr().out)
    assert content["groups"] == [["row 6", "row 41"], ["row 8", "row 42"]]
    assert content["label_conflicts"] == [["row 8", "row 42"]]
    with pytest.raises(DataError, match="has rows, not images"):
        main("t.csv", "--sheet", "x.png")


def test_a_task_comes_before_a_folder_of_its_name(project):
    assert is_task("skin")
    assert not is_task("./skin")
    assert not is_task("raw")
    Path("params.yaml").unlink()
    assert not is_task("skin")


def test_two_runs_write_the_same_bytes(project, monkeypatch):
    monkeypatch.delenv("DVC_ROOT")  # the first finds nothing in the store, the second all
    main("skin")
    first = Path("data/skin/audit.json").read_bytes()
    main("skin")
    assert Path("data/skin/audit.json").read_bytes() == first


def test_a_leak_stops_the_stage_where_the_task_says_so(project):
    write_params(leaks="error")
    with pytest.raises(DataError) as error:
        main("skin")
    assert str(error.value) == (
        "raw: 1 sets are both in the shipped test set and outside it: test/benign/20.jpg = train/benign/2.jpg. Remove "
        "all but one of each (data/skin/audit.json lists them), or set tasks.skin.audit.leaks: drop"
    )
    assert Path("data/skin/audit.json").exists()


def test_a_label_conflict_stops_the_stage_on_request(project):
    write_params(conflicts="error")
    with pytest.raises(DataError, match=r"under more than one label: train/benign/1.jpg = train/malignant/14.png\. "):
        main("skin")


def test_an_error_names_only_the_first_few_files():
    result = AuditResult(leaks=[[f"{i}a", f"{i}b", f"{i}c", f"{i}d"] for i in range(9)])
    with pytest.raises(DataError, match=r"9 sets .*: 0a = 0b = 0c \.\.\.; 1a .*; 2a = 2b = 2c \.\.\.; \.\.\.\. Remove"):
        refuse(result, AuditParams(leaks="error"), "raw", "skin")


def test_a_missing_scan_names_the_stage_that_writes_it(project):
    Path("data/skin/scan/samples.csv").unlink()
    with pytest.raises(StageError, match="run 'dvc repro scan@skin'"):
        main("skin")


def test_a_file_changed_since_the_scan_is_named(project):
    file = project / "raw/train/benign/0.jpg"
    file.write_bytes(stored(texture(50)))
    with pytest.raises(
        DataError, match=r"^raw/train/benign/0\.jpg: has changed since the scan: it shows something else"
    ):
        audit_task("skin")
    file.unlink()
    with pytest.raises(DataError, match=r"has changed since the scan: cannot be opened .*\. Run 'dvc repro' again"):
        audit_task("skin")


def rows(labels, shipped="", error=""):
    paths = [f"row {i}" for i in range(1, len(labels) + 1)]
    return pd.DataFrame({"path": paths, "label": labels, "group": "", "shipped": shipped, "error": error})


def test_chained_near_images_spread_no_label_conflict():
    pairs = [Pair(0, 1, "exact", 1.0, True), Pair(1, 2, "cropped", 0.9, False), Pair(2, 3, "cropped", 0.9, False)]
    result = audit(rows(["a", "b", "a", "b"]), NO_FILES, None, pairs)
    assert result.groups == [["row 1", "row 2", "row 3", "row 4"]]
    assert result.label_conflicts == [["row 1", "row 2"]]


def test_an_unreadable_row_takes_no_part():
    result = audit(rows(["no", ""], error=["", "the label is empty"]), NO_FILES, None, [])
    assert (result.groups, result.n_files, result.n_unreadable) == ([], 2, 1)


def test_the_summary_of_a_table_speaks_of_rows():
    result = audit(rows(["no", "no"], shipped=["train", "test"]), NO_FILES, None, [Pair(0, 1, "exact", 1.0, True)])
    assert summary(result, "row")[1:] == [
        "sets in the shipped test set and outside it: 1 (1 test rows)",
        "same row: 1 sets (2 rows)",
    ]


@pytest.mark.skipif(not (REAL / "lung_survey.csv").exists(), reason="lung_survey.csv is not here (set ASSAY_DATA)")
def test_the_survey_has_33_duplicate_rows_and_one_contradiction():
    """Real images are in soak/test_audit.py."""
    result = audit_path(REAL / "lung_survey.csv", copies=False, workers=2)[0]
    assert len(result.label_conflicts) == 1
    assert result.equal_rows.n_pairs - len(result.label_conflicts) == 33
    assert result.equal_rows.expected < 4
    assert len(result.groups) >= 30
