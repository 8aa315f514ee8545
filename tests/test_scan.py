"""One pass over the raw files: rows and features side by side, the unreadable reported, the same bytes every time."""

import csv
import hashlib
import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline import scan
from pipeline.core import artifacts
from pipeline.core.errors import DataError, StageError
from pipeline.data import images, litert
from tests.samples import encoded, noise, put, task, write_params

GOOD = {"benign/a.png": 1, "benign/b (2).png": 2, "malignant/c.png": 3, "malignant/良.png": 4}
BAD = {"benign/empty.jpg": b"", "malignant/text.png": b"no picture"}


@pytest.fixture
def project(tmp_path, monkeypatch, program) -> Path:
    """The current folder: a project with the small backbone."""
    monkeypatch.chdir(tmp_path)
    artifacts.write_bytes("models/backbone/embedder.tflite", program.read_bytes())
    return tmp_path


def scanned(block: dict, workers: int = 1) -> pd.DataFrame:
    """Scan the task `skin` and return samples.csv as later stages read it."""
    write_params(block, workers=workers)
    scan.main("skin")
    return pd.read_csv("data/skin/scan/samples.csv", dtype=str, keep_default_na=False)


def written() -> dict[str, str]:
    """Return {file: sha256} of what the scan wrote."""
    return {path.name: artifacts.sha256(path.read_bytes()) for path in Path("data/skin/scan").iterdir()}


def test_there_is_a_row_per_file_with_its_facts(project):
    put(project / "raw", GOOD)
    samples = scanned(task())
    assert list(samples.columns) == scan.COLUMNS
    assert samples["path"].tolist() == sorted(GOOD)
    row = samples.iloc[0]
    picture = images.decode(encoded(noise(1)))
    assert row["id"] == picture.id
    assert row[["label", "width", "height", "mode", "format", "error"]].tolist() == [
        "benign",
        "60",
        "40",
        "RGB",
        "PNG",
        "",
    ]
    assert int(row["bytes"]) == len(encoded(noise(1)))


def test_the_features_of_a_row_are_those_of_its_file(project, program):
    put(project / "raw", GOOD | BAD)
    samples = scanned(task(), workers=2)
    embeddings, classical = np.load("data/skin/scan/embeddings.npy"), np.load("data/skin/scan/classical.npy")
    assert embeddings.shape == (6, 8)
    assert classical.shape == (6, 320)
    assert embeddings.dtype == classical.dtype == np.float32
    embedder = litert.Embedder(program.read_bytes())
    for row, path in enumerate(samples["path"]):
        if path in GOOD:
            square = images.resize(np.asarray(noise(GOOD[path])))
            assert np.array_equal(embeddings[row], embedder(square))
            assert np.array_equal(classical[row], images.classical(square))


def test_the_intensity_of_a_class_is_that_of_every_fourth_pixel_of_its_pictures(project):
    put(project / "raw", GOOD | BAD)
    samples = scanned(task())
    first = written()
    table = pd.read_csv("data/skin/scan/intensity.csv")
    assert len(table) == 2 * 3 * 32
    for label in ("benign", "malignant"):
        good = samples.loc[(samples["label"] == label) & (samples["error"] == ""), "path"]
        seen = np.stack([images.resize(np.asarray(noise(GOOD[path])))[::4, ::4] for path in good])
        for number, channel in enumerate(("red", "green", "blue")):
            rows = table[(table["class"] == label) & (table["channel"] == channel)]
            counts = [((seen[..., number] >= low) & (seen[..., number] <= low + 7)).mean() for low in rows["bin_low"]]
            assert rows["share"].tolist() == pytest.approx(counts, abs=1e-6)
            assert (rows["bin_high"] - rows["bin_low"] == 7).all()
    assert table["bin_high"].max() == 255
    scan.main("skin")  # from the store
    assert written() == first


def test_an_unreadable_file_is_kept_as_a_row_with_its_reason_and_no_features(project, capsys):
    put(project / "raw", GOOD | BAD)
    samples = scanned(task()).set_index("path")
    assert samples.loc["benign/empty.jpg", "error"] == "not a readable image (0 bytes)"
    assert "not a readable image" in samples.loc["malignant/text.png", "error"]
    # 16 hex digits of the bytes, since there are no pixels
    assert samples.loc["malignant/text.png", "id"] == hashlib.sha256(b"no picture").hexdigest()[:16]
    rows = [list(samples.index).index(path) for path in BAD]
    assert not np.load("data/skin/scan/embeddings.npy")[rows].any()
    assert not np.load("data/skin/scan/classical.npy")[rows].any()
    assert "benign/empty.jpg: not a readable image (0 bytes): left out" in capsys.readouterr().err


def test_more_than_ten_unreadable_files_are_counted_rather_than_listed(project, capsys):
    put(project / "raw", GOOD | {f"benign/{number}.png": b"" for number in range(13)})
    scanned(task())
    err = capsys.readouterr().err
    assert err.count("0 bytes") == 10
    assert "... and 3 more, all listed in data/skin/audit.json" in err


def test_unreadable_error_stops_and_names_the_file_and_the_setting(project):
    put(project / "raw", GOOD | BAD)
    with pytest.raises(
        DataError, match=r"raw/benign/empty.jpg: not .+ Delete it, or set tasks.skin.read.unreadable: skip"
    ):
        scanned(task(read={"unreadable": "error"}))


def test_nothing_readable_is_an_error(project):
    put(project / "raw", BAD)
    with pytest.raises(DataError, match="raw: none of the 2 samples can be read"):
        scanned(task())


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_what_cannot_be_opened_is_a_row_with_its_reason_and_nothing_hangs(project):
    root = put(project / "raw", GOOD)
    os.mkfifo(root / "benign" / "pipe.png")
    (root / "benign" / "dead.png").symlink_to("nowhere")
    (root / "benign" / "endless.png").symlink_to("/dev/zero")
    samples = scanned(task()).set_index("path")
    assert (
        samples.loc["benign/pipe.png", "error"] == samples.loc["benign/endless.png", "error"] == "is not a regular file"
    )
    assert samples.loc["benign/dead.png", "error"].startswith("cannot be opened (No such file")


def test_a_file_too_large_for_a_picture_is_not_read(project):
    root = put(project / "raw", GOOD)
    with (root / "benign" / "volume.nii").open("wb") as file:
        file.truncate(10**12)  # sparse: it takes no room
    assert scanned(task()).set_index("path").loc["benign/volume.nii", "error"].startswith("is over 450 MB")


def test_the_same_bytes_are_written_on_one_worker_and_on_two_and_again(project):
    put(project / "raw", GOOD | BAD | {f"benign/{number}.png": number for number in range(10, 60)})
    scanned(task(), workers=1)
    once = written()
    assert set(once) == {"samples.csv", "skipped.csv", "embeddings.npy", "classical.npy", "intensity.csv"}
    for workers in (2, 2, 1):
        scanned(task(), workers=workers)
        assert written() == once


def test_files_passed_over_are_listed(project):
    put(project / "raw", GOOD | {"chart.png": 9, "benign/Thumbs.db": b""})
    scanned(task())
    assert pd.read_csv("data/skin/scan/skipped.csv").to_numpy().tolist() == [
        ["benign/Thumbs.db", "a hidden or system file"],
        ["chart.png", "lies beside the class folders, not in one"],
    ]


def test_the_columns_of_a_csv_are_kept(project):
    rows = "".join(f'{path},{path.split("/")[0]},L1,train,"60, or ""so"""\n' for path in GOOD)
    put(project / "raw", GOOD | {"labels.csv": "path,label,lesion,part,age\n" + rows})
    samples = scanned(task(read={"csv": "labels.csv", "group": "lesion", "shipped": "part"}))
    assert list(samples.columns) == [*scan.COLUMNS, "age"]
    assert samples[["group", "shipped", "age"]].drop_duplicates().to_numpy().tolist() == [
        ["L1", "train", '60, or "so"']
    ]


def test_names_with_commas_quotes_and_line_breaks_survive_samples_csv(project):
    names = ['benign/a,b".png', "benign/NA", "malignant/ =1.png"] + ([] if os.name == "nt" else ["malignant/a\nb.png"])
    put(project / "raw", dict.fromkeys(names, 5))
    assert scanned(task())["path"].tolist() == sorted(names)


def test_columns_with_names_of_ours_are_kept_under_another_and_a_forgotten_group_is_told(project, capsys):
    text = "path,label,id,format,csv_id,group\n" + "".join(f"{path},{path[0]},1,f,c,L1\n" for path in GOOD)
    put(project / "raw", GOOD | {"labels.csv": text})
    samples = scanned(task(read={"csv": "labels.csv"}))
    assert list(samples.columns) == [*scan.COLUMNS, "csv_csv_id", "csv_format", "csv_id", "csv_group"]
    kept = samples[["csv_csv_id", "csv_format", "csv_id", "csv_group", "format", "group"]]
    assert kept.drop_duplicates().to_numpy().tolist() == [["1", "f", "c", "L1", "PNG", ""]]
    said = capsys.readouterr().err
    assert "raw/labels.csv: column 'id' is kept as 'csv_csv_id'\n" in said
    assert "column 'group' is kept as 'csv_group'; if it is the group, set tasks.skin.read.group\n" in said


def test_without_the_backbone_the_stage_that_makes_it_is_named(project):
    put(project / "raw", GOOD)
    Path("models/backbone/embedder.tflite").unlink()
    with pytest.raises(StageError, match=r"embedder.tflite is missing: run 'dvc repro backbone'"):
        scanned(task())


# tables


def put_table(text: str, **read: object) -> dict:
    """Write a table and return its task."""
    Path("rows.csv").write_text(text, encoding="utf-8")
    return task("table", "rows.csv", read=read)


def columns() -> list[list[str]]:
    """Return columns.csv."""
    with Path("data/skin/scan/columns.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_a_table_is_scanned_without_a_backbone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    samples = scanned(put_table("age,site,label\n61,arm,x\nNA,,y\n61,arm,y\n"))
    assert list(samples.columns) == scan.COLUMNS
    assert samples["path"].tolist() == ["row 1", "row 2", "row 3"]
    assert samples["id"].nunique() == 3
    assert columns() == [["age", "site"], ["61", "arm"], ["NA", ""], ["61", "arm"]]


def test_equal_rows_have_ids_that_rows_added_later_keep(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    few = scanned(put_table("age,label\n61,x\n61,y\n"))
    more = scanned(put_table("age,label\n61,x\n61,y\n5,x\n61,x\n"))
    assert more["id"].tolist()[:2] == few["id"].tolist()
    assert more["id"].nunique() == 4


def test_excluded_columns_are_no_features_but_stay_traceable(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    table = put_table("id,age,date,label\n1,61,2020-01-01,x\n2,7,2021-01-01,y\n", exclude=["id", "date"])
    samples = scanned(table)
    assert columns()[0] == ["age"]
    assert samples["date"].tolist() == ["2020-01-01", "2021-01-01"]
    assert samples["csv_id"].tolist() == ["1", "2"]


def test_a_missing_group_joins_nobody(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert scanned(put_table("p,age,label\nA,1,x\nNA,2,y\n,3,x\n", group="p"))["group"].tolist() == ["A", "", ""]


def test_the_group_is_read_from_the_path(project):
    put(project / "raw", {"a/p1_1.png": 1, "a/p1_2.png": 2, "b/p2_1.png": 3, "b/x.png": 4})
    samples = scanned(task(read={"group_from": r"/(p\d+)_"}))
    assert samples["group"].tolist() == ["p1", "p1", "p2", ""]


def test_a_pattern_that_finds_no_group_is_refused(project):
    put(project / "raw", GOOD)
    with pytest.raises(DataError, match=r"read.group_from finds nothing in any path, the first is"):
        scanned(task(read={"group_from": "(patient9+)"}))


def test_a_table_may_have_columns_with_names_of_ours(project):
    samples = scanned(put_table("id,path,error,label\n7,p,e,x\n8,q,,y\n"))
    assert samples["path"].tolist() == ["row 1", "row 2"]
    assert samples["error"].tolist() == ["", ""]
    assert columns() == [["id", "path", "error"], ["7", "p", "e"], ["8", "q", ""]]


def test_label_group_and_shipped_split_are_no_features(project):
    text = "age,patient,part,dx\n1,P1,train,x\n2,P2,Test,y\n"
    samples = scanned(put_table(text, label="dx", group="patient", shipped="part"))
    assert columns()[0] == ["age"]
    assert samples[["label", "group", "shipped"]].to_numpy().tolist() == [["x", "P1", "train"], ["y", "P2", "test"]]


def test_a_row_without_a_label_is_reported_not_lost(project, capsys):
    samples = scanned(put_table("age,label\n1,x\n2,\n3,y\n"))
    assert samples["error"].tolist() == ["", "the label is empty", ""]
    assert "row 2: the label is empty: left out" in capsys.readouterr().err


def test_labels_that_are_missing_make_no_class(project, capsys):
    samples = scanned(put_table("age,label\n1,x\n2,NA\n3,y\n4,?\n"))
    assert samples["label"].tolist() == ["x", "", "y", ""]
    assert (samples["error"] != "").tolist() == [False, True, False, True]
    assert "column 'label': 2 of 4 rows have no label ('?', 'NA') and are left out" in capsys.readouterr().err


def test_groups_that_are_missing_are_no_group(project):
    samples = scanned(put_table("age,who,label\n1,NA,x\n2,NA,y\n3,P1,x\n", group="who"))
    assert samples["group"].tolist() == ["", "", "P1"]


def test_columns_of_a_table_hold_plain_numbers_and_no_dates(project, capsys):
    rows = "".join(f'{20 + n}.5 mg,"{n},188",2021-01-{n:02d},{"xy"[n % 2]}\n' for n in range(1, 29))
    scanned(put_table(f"dose,wbc,day,label\n{rows}"))
    assert columns()[:2] == [["dose", "wbc"], ["21.5", "1188"]]
    formats = json.loads(Path("data/skin/scan/formats.json").read_text())
    assert formats["dose"] == {"kind": "number", "unit": "mg"}
    assert formats["wbc"] == {"kind": "number", "thousands": ","}
    said = capsys.readouterr().err
    assert "column 'day' holds dates (2021-01-01), which are no features: left out" in said
    scanned(put_table("age,label\n1,x\n3,y\n"))
    assert not Path("data/skin/scan/formats.json").exists()


def test_a_table_without_a_header_is_read_when_asked(project):
    assert len(scanned(put_table("1.5,x\n2.5,y\n", header="none", label="column_2"))) == 2
    assert columns()[0] == ["column_1"]


def test_excluded_columns_are_no_features(project):
    scanned(put_table("id,age,label\n7,1,x\n8,3,y\n", exclude=["id"]))
    assert columns()[0] == ["age"]


def test_a_column_that_some_cells_keep_from_being_numbers_is_told(project, capsys):
    scanned(put_table("age,size,label\n61,1.5,x\n<60,2,y\n70,3,x\n"))
    said = capsys.readouterr().err
    assert (
        "scan skin: column 'age' is taken as categories: 1 of 3 cells are no numbers, the first '<60' in line 3" in said
    )
    assert "'size'" not in said


@pytest.mark.parametrize(
    ("text", "read", "error"),
    [
        ("label\nx\ny\n", {}, "has no column besides the label; expected at least one feature"),
        ("age,label\n1,x\n2,X\n", {}, "the labels 'X' and 'x' differ only in case"),
        ("age,label\n1,x\n2,x\n", {}, r"only one class \(x\)"),
        (
            "age,label\n1,x\n2,y\n",
            {"label": "dx"},
            "has no column 'dx' .from tasks.skin.read.label.; it has: age, label",
        ),
        ("age,p,label\n1,a,x\n2,b,y\n", {"shipped": "p"}, "row 1: 'a' is no split"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(project, text, read, error):
    with pytest.raises(DataError, match=error):
        scanned(put_table(text, **read))


def test_a_missing_table_is_named_with_its_key(project):
    with pytest.raises(DataError, match=r"nowhere.csv: there is no such file \(from tasks.skin.raw\)"):
        scanned(task("table", "nowhere.csv"))
