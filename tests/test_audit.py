"""What the audit stage says of a data set, on drawn pictures and on real ones."""

import io
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

from pipeline import artifacts, images
from pipeline.audit import audit, look, main, refuse, summary
from pipeline.params import AuditParams
from pipeline.stage import DataError, StageError
from tests.test_same_picture import stored, texture

pytestmark = pytest.mark.filterwarnings("error")
REAL = Path(os.environ.get("ASSAY_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
KEYS = {
    "n_files", "n_unreadable", "groups", "leaks", "label_conflicts",
    "unreadable", "skipped", "confounders", "pairs",
}  # fmt: skip
NO_FILES = pd.DataFrame(columns=["path", "reason"])


def facts(root, path, label, shipped=""):
    """Return what scan writes of a file."""
    row = {"path": path, "label": label, "group": "", "shipped": shipped}
    data = (root / path).read_bytes()
    try:
        picture = images.decode(data)
    except DataError as error:
        return row | {"id": "", "bytes": str(len(data)), "error": str(error)}
    of_picture = {"width": str(picture.width), "height": str(picture.height), "mode": picture.mode}
    return row | of_picture | {"id": picture.id, "format": picture.format, "bytes": str(len(data)), "error": ""}


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project with a task `skin`, scanned: 1 photo copied into the shipped test set, 1 under two labels, 1 broken."""
    monkeypatch.chdir(tmp_path)
    raw = tmp_path / "raw"
    files = {f"train/benign/{i}.jpg": stored(texture(i)) for i in range(6)}
    files |= {f"train/malignant/{i}.jpg": stored(texture(i)) for i in range(10, 14)}
    files["train/malignant/14.png"] = stored(Image.open(io.BytesIO(files["train/benign/1.jpg"])), "PNG")
    files["test/benign/20.jpg"] = stored(texture(2).resize((143, 150)), quality=60)
    files["test/malignant/21.jpg"] = stored(texture(21))
    files["test/malignant/22.jpg"] = b"no picture"
    for path, data in files.items():
        (raw / path).parent.mkdir(parents=True, exist_ok=True)
        (raw / path).write_bytes(data)
    rows = [facts(raw, path, path.split("/")[1], path.split("/")[0]) for path in sorted(files)]
    artifacts.write_csv("data/skin/scan/samples.csv", pd.DataFrame(rows).fillna(""))
    skipped = pd.DataFrame({"path": ["chart.png"], "reason": ["lies beside the class folders, not in one"]})
    artifacts.write_csv("data/skin/scan/skipped.csv", skipped)
    write_params(tmp_path)
    return tmp_path


def write_params(root, **audit):
    task = {"kind": "image", "raw": "raw", "reader": "models/backbone", "models": ["m"], "audit": audit}
    task |= {"read": {}, "split": {}, "preprocess": {}, "select": {}}
    (root / "params.yaml").write_text(yaml.safe_dump({"workers": 2, "tasks": {"skin": task}}))


def test_the_stage_reports_leaks_conflicts_and_what_it_could_not_use(project, capsys):
    main("skin")
    found = artifacts.read_json("data/skin/audit.json")
    leak = ["test/benign/20.jpg", "train/benign/2.jpg"]
    conflict = ["train/benign/1.jpg", "train/malignant/14.png"]
    assert set(found) == KEYS
    assert (found["n_files"], found["n_unreadable"]) == (14, 1)
    assert found["groups"] == [leak, conflict]
    assert found["leaks"] == [leak]
    assert found["label_conflicts"] == [conflict]
    assert [(one["a"], one["b"], one["kind"]) for one in found["pairs"]] == [(*leak, "squeezed"), (*conflict, "exact")]
    assert [one["path"] for one in found["unreadable"]] == ["test/malignant/22.jpg"]
    assert found["skipped"] == [{"path": "chart.png", "reason": "lies beside the class folders, not in one"}]
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "audit skin: 13 pictures, 1 unreadable, 1 other files passed over"
    assert said[1] == "audit skin: same picture: 2 sets (4 pictures); each set stays on one side of the split"


def test_two_runs_write_the_same_bytes(project):
    main("skin")
    first = Path("data/skin/audit.json").read_bytes()
    main("skin")
    assert Path("data/skin/audit.json").read_bytes() == first


def test_a_leak_stops_the_stage_where_the_task_says_so(project):
    write_params(project, leaks="error")
    with pytest.raises(DataError) as error:
        main("skin")
    assert str(error.value) == (
        "raw: 1 sets are both in the shipped test set and outside it: test/benign/20.jpg = train/benign/2.jpg. Remove "
        "all but one of each (data/skin/audit.json lists them), or set tasks.skin.audit.leaks: drop"
    )
    assert Path("data/skin/audit.json").exists()


def test_a_label_conflict_stops_the_stage_where_the_task_says_so(project):
    write_params(project, conflicts="error")
    with pytest.raises(DataError, match=r"under more than one label: train/benign/1.jpg = train/malignant/14.png\. "):
        main("skin")


def test_an_error_names_only_the_first_few_files():
    found = {"leaks": [[f"{i}a", f"{i}b", f"{i}c", f"{i}d"] for i in range(9)], "label_conflicts": []}
    with pytest.raises(DataError, match=r"9 sets .*: 0a = 0b = 0c \.\.\.; 1a .*; 2a = 2b = 2c \.\.\.; \.\.\.\. Remove"):
        refuse(found, AuditParams(leaks="error"), "raw", "skin")


def test_nothing_leaks_where_nothing_is_shipped(project):
    samples = pd.read_csv("data/skin/scan/samples.csv", dtype=str, keep_default_na=False).assign(shipped="")
    good = samples[samples["error"] == ""]
    seen = [look(project / "raw" / path) for path in good["path"]]
    found = audit(samples, NO_FILES, *(np.stack(part) for part in zip(*seen, strict=True)))
    assert len(found["groups"]) == 2
    assert found["leaks"] == []


def test_a_missing_scan_names_the_stage_that_writes_it(project):
    Path("data/skin/scan/samples.csv").unlink()
    with pytest.raises(StageError, match="run 'dvc repro scan@skin'"):
        main("skin")


def test_a_file_that_vanished_since_the_scan_is_named(project):
    (project / "raw/train/benign/0.jpg").unlink()
    with pytest.raises(
        DataError, match=r"^raw/train/benign/0\.jpg: has changed since the scan: .* Run 'dvc repro' again"
    ):
        main("skin")


def rows(ids, labels):
    paths = [f"row {i}" for i in range(1, len(ids) + 1)]
    return pd.DataFrame({"id": ids, "path": paths, "label": labels, "group": "", "shipped": "", "error": ""})


def test_equal_rows_of_a_table_are_duplicates_and_under_two_labels_a_conflict():
    found = audit(rows(["a", "b", "a", "c", "b", "a"], ["no", "no", "no", "no", "yes", "no"]), NO_FILES, None, None)
    assert found["groups"] == [["row 1", "row 3", "row 6"], ["row 2", "row 5"]]
    assert found["label_conflicts"] == [["row 2", "row 5"]]
    assert (found["leaks"], found["confounders"]) == ([], [])
    assert {one["kind"] for one in found["pairs"]} == {"exact"}


def test_an_unreadable_row_takes_no_part():
    table = rows(["a", "a"], ["no", ""]).assign(error=["", "the label is empty"])
    found = audit(table, NO_FILES, None, None)
    assert (found["groups"], found["n_files"], found["n_unreadable"]) == ([], 2, 1)


def test_the_summary_says_what_is_done_about_leaks():
    table = rows(["a", "a"], ["no", "no"]).assign(shipped=["train", "test"])
    found = audit(table, NO_FILES, None, None)
    assert summary(found, "table", "t")[1:] == [
        "audit t: same row: 1 sets (2 rows); each set stays on one side of the split",
        "audit t: sets in the shipped test set and outside it: 1; split.by: shipped leaves out what is outside, hash "
        "keeps each set together",
    ]


def real_audit(folder, listed):
    """Return the audit of (path, label, shipped) files below REAL / folder."""
    root = REAL / folder
    if not root.is_dir():
        pytest.skip(f"the real data {folder} are not on this machine (set ASSAY_DATA)")
    samples = pd.DataFrame([facts(root, *entry) for entry in sorted(listed(root))])
    seen = [look(root / path) for path in samples["path"]]
    return audit(samples, NO_FILES, *(np.stack(part) for part in zip(*seen, strict=True)), workers=2)


def test_all_55_leaked_test_photos_of_seed_skin_are_found_and_no_other():
    def listed(root):
        paths = [path.relative_to(root).as_posix() for path in root.glob("*/*/*.jpg")]
        return [(path, path.split("/")[1], path.split("/")[0]) for path in paths]

    found = real_audit("seed_skin", listed)
    assert found["n_files"] == 195
    assert len(found["leaks"]) == 55
    # the copies kept their names, so a pair of two names would be a false one
    assert all(len({Path(path).stem for path in one}) == 1 and len(one) == 2 for one in found["groups"])
    assert not any("ISIC_5731511" in path for one in found["groups"] for path in one)
    kinds = [one["kind"] for one in found["pairs"]]
    assert (kinds.count("exact"), kinds.count("squeezed")) == (21, 34)


def test_chest_ct_has_leaks_a_conflict_and_a_class_that_its_files_betray():
    def listed(root):
        table = pd.read_csv(root / "labels.csv", dtype=str)
        return list(table[["path", "label", "split"]].itertuples(index=False, name=None))

    found = real_audit("chest_ct", listed)
    assert len(found["leaks"]) == 11
    assert found["label_conflicts"] == [
        ["large.cell.carcinoma/train__l4.png", "squamous.cell.carcinoma/train__sq2.png"]
    ]
    # neighbouring slices: outside the class normal, whose copies were drawn upon, only six pairs are one picture
    assert [len(one) for one in found["groups"] if not one[0].startswith("normal/")] == [2] * 6
    assert "bytes (normal vs rest)" in {one["name"] for one in found["confounders"]}
