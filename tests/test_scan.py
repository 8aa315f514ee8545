"""The stage scan: a row per file, skipped and unreadable files reported."""

import hashlib
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline import scan
from pipeline.core.errors import DataError, StageError
from pipeline.data.images import decoding
from tests.helpers.samples import encoded, noise, put, task
from tests.helpers.scans import BAD, GOOD, scanned


def test_each_file_has_a_row_with_its_facts(scan_project):
    put(scan_project / "raw", GOOD)
    samples = scanned(task())
    assert list(samples.columns) == scan.COLUMNS
    assert samples["path"].tolist() == sorted(GOOD)
    row = samples.iloc[0]
    image = decoding.decode(encoded(noise(1)))
    assert row["id"] == image.id
    assert row[["label", "width", "height", "mode", "format", "error"]].tolist() == [
        "benign",
        "60",
        "40",
        "RGB",
        "PNG",
        "",
    ]
    assert int(row["bytes"]) == len(encoded(noise(1)))


def test_unreadable_files_have_a_reason_but_no_features(scan_project, capsys):
    put(scan_project / "raw", GOOD | BAD)
    samples = scanned(task()).set_index("path")
    assert samples.loc["benign/empty.jpg", "error"] == "not a readable image (0 bytes)"
    assert "not a readable image" in samples.loc["malignant/text.png", "error"]
    # 16 hex digits of the bytes, since there are no pixels
    assert samples.loc["malignant/text.png", "id"] == hashlib.sha256(b"no image").hexdigest()[:16]
    rows = [list(samples.index).index(path) for path in BAD]
    assert not np.load("data/skin/scan/embeddings.npy")[rows].any()
    assert not np.load("data/skin/scan/classical.npy")[rows].any()
    assert "benign/empty.jpg: not a readable image (0 bytes): left out" in capsys.readouterr().err


def test_more_than_ten_unreadable_files_are_counted(scan_project, capsys):
    put(scan_project / "raw", GOOD | {f"benign/{number}.png": b"" for number in range(13)})
    scanned(task())
    err = capsys.readouterr().err
    assert err.count("0 bytes") == 10
    assert "... and 3 more, all listed in data/skin/audit.json" in err


def test_unreadable_error_names_file_and_setting(scan_project):
    put(scan_project / "raw", GOOD | BAD)
    with pytest.raises(
        DataError, match=r"raw/benign/empty.jpg: not .+ Delete it, or set tasks.skin.read.unreadable: skip"
    ):
        scanned(task(read={"unreadable": "error"}))


def test_nothing_readable_is_an_error(scan_project):
    put(scan_project / "raw", BAD)
    with pytest.raises(DataError, match="raw: none of the 2 samples can be read"):
        scanned(task())


def test_skipped_files_are_listed(scan_project):
    put(scan_project / "raw", GOOD | {"chart.png": 9, "benign/Thumbs.db": b""})
    scanned(task())
    assert pd.read_csv("data/skin/scan/skipped.csv").to_numpy().tolist() == [
        ["benign/Thumbs.db", "a hidden or system file"],
        ["chart.png", "is not in a class folder"],
    ]


def test_the_columns_of_a_csv_are_kept(scan_project):
    rows = "".join(f'{path},{path.split("/")[0]},L1,train,"60, or ""so"""\n' for path in GOOD)
    put(scan_project / "raw", GOOD | {"labels.csv": "path,label,lesion,part,age\n" + rows})
    samples = scanned(task(read={"csv": "labels.csv", "group": "lesion", "shipped": "part"}))
    assert list(samples.columns) == [*scan.COLUMNS, "age"]
    assert samples[["group", "shipped", "age"]].drop_duplicates().to_numpy().tolist() == [
        ["L1", "train", '60, or "so"']
    ]


def test_unusual_file_names_survive_samples_csv(scan_project):
    names = ['benign/a,b".png', "benign/NA", "malignant/ =1.png"] + ([] if os.name == "nt" else ["malignant/a\nb.png"])
    put(scan_project / "raw", dict.fromkeys(names, 5))
    assert scanned(task())["path"].tolist() == sorted(names)


def test_columns_with_reserved_names_are_renamed(scan_project, capsys):
    text = "path,label,id,format,csv_id,group\n" + "".join(f"{path},{path[0]},1,f,c,L1\n" for path in GOOD)
    put(scan_project / "raw", GOOD | {"labels.csv": text})
    samples = scanned(task(read={"csv": "labels.csv"}))
    assert list(samples.columns) == [*scan.COLUMNS, "csv_csv_id", "csv_format", "csv_id", "csv_group"]
    kept = samples[["csv_csv_id", "csv_format", "csv_id", "csv_group", "format", "group"]]
    assert kept.drop_duplicates().to_numpy().tolist() == [["1", "f", "c", "L1", "PNG", ""]]
    log = capsys.readouterr().err
    assert "raw/labels.csv: column 'id' is kept as 'csv_csv_id'\n" in log
    assert "column 'group' is kept as 'csv_group'; if it is the group, set tasks.skin.read.group\n" in log


def test_a_missing_backbone_names_its_stage(scan_project):
    put(scan_project / "raw", GOOD)
    Path("models/backbone/embedder.tflite").unlink()
    with pytest.raises(StageError, match=r"embedder.tflite is missing: run 'dvc repro backbone'"):
        scanned(task())
