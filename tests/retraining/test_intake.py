"""Submitted samples are stored once and never lost, or refused with the reason; until they are included nothing changes."""

import errno
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.core.errors import DataError
from pipeline.core.paths import TaskPaths
from pipeline.data import upload_ledger, uploads
from pipeline.data.audit_result import AuditResult
from pipeline.data.images import decoding
from pipeline.data.upload_ledger import Collected, Decided
from pipeline.data.uploads import Included
from pipeline.retraining import intake
from tests.helpers.samples import ROOT, encoded, put, stage, task, write_params
from tests.helpers.textures import stored, texture
from tests.helpers.uploads import kept, make_table, new, one_of, places, restage, submit
from tests.helpers.warm_python import warm_python

# What is accepted


def test_an_image_is_stored_as_pixels_with_a_ledger_line(project):
    image = texture(1001)
    exif = image.getexif()
    exif[0x8825] = {1: "N", 2: (52.0, 31.0, 0.0)}  # where it was taken
    exif[0x010F] = "a camera"
    data = stored(image, quality=95, exif=exif)
    (item,) = submit(data, group="lesion 77", names=["IMG of Mr Smith.jpg"])
    assert item == {"file": "IMG of Mr Smith.jpg", "id": decoding.decode(data).id, "accepted": True, "reason": ""}
    assert kept() == {"included.csv", "ledger.jsonl", f"pictures/{item['id']}.png"}
    png = Path(f"data/uploads/skin/pictures/{item['id']}.png").read_bytes()
    assert (decoding.decode(png).pixels == decoding.decode(data).pixels).all()
    with Image.open(f"data/uploads/skin/pictures/{item['id']}.png") as image:
        assert not image.getexif()
        assert not image.info
    (line,) = upload_ledger.read("skin")
    assert line.when.startswith("20")
    assert line.when.endswith("+00:00")
    assert line == Collected(
        when=line.when, id=item["id"], label="benign", group="lesion 77", batch="new", who="a tester", source="test"
    )
    assert "Smith" not in Path("data/uploads/skin/ledger.jsonl").read_text(encoding="utf-8")


def test_an_upload_alone_changes_no_dependency_of_a_stage(project):
    before = TaskPaths("skin").included.read_bytes()
    assert all(item["accepted"] for item in submit(*[new(n) for n in range(5)]))
    assert TaskPaths("skin").included.read_bytes() == before == b"hash,label,group,batch\n"


def test_included_samples_join_development_only(project):
    before = places()
    items = submit(*[new(n) for n in range(12)], group="lesion 77")
    uploads.write("skin", [Included(item["id"], "benign", "lesion 77", "new") for item in items])
    restage()
    after = places()
    paths = {f"data/uploads/skin/pictures/{item['id']}.png" for item in items}
    assert set(after.index) - set(before.index) == paths
    assert set(after.loc[sorted(paths), "subset"]) == {"dev"}
    assert after.loc[sorted(paths), "fold"].nunique() == 1  # one lesion
    old = after.loc[before.index]
    columns = ["id", "label", "group", "subset", "reason"]
    assert old[columns].equals(before[columns])


def test_without_uploads_the_stages_write_the_same_bytes(project):
    written = [*Path("data/skin/scan").iterdir(), Path("data/skin/audit.json"), Path("data/skin/split.csv")]
    before = {path: path.read_bytes() for path in written}
    TaskPaths("skin").included.unlink()
    restage()
    assert {path: path.read_bytes() for path in written} == before


def test_an_included_copy_of_a_test_image_is_left_out(project):
    """The audit is asked again in the graph: a file may have been put there by hand."""
    before, test = places(), one_of("test")
    rotated = Image.open(test).rotate(90, expand=True)
    id_ = decoding.decode(encoded(rotated)).id
    Path("data/uploads/skin/pictures").mkdir(parents=True)
    rotated.save(f"data/uploads/skin/pictures/{id_}.png")
    uploads.write("skin", [Included(id_, "benign", "", "new")])
    restage()
    after = places()
    row = after.loc[f"data/uploads/skin/pictures/{id_}.png"]
    assert (row["subset"], row["reason"].split(":")[0]) == ("excluded", "leak")
    assert after.loc[before.index].equals(before)


def test_a_missing_or_replaced_upload_stops_the_scan(project):
    (item,) = submit(new(1))
    uploads.write("skin", [Included(item["id"], "benign", "", "new")])
    path = Path(f"data/uploads/skin/pictures/{item['id']}.png")
    path.write_bytes(encoded(texture(7)))
    with pytest.raises(DataError, match=f"what is stored as {item['id']} is something else"):
        restage()
    path.unlink()
    with pytest.raises(DataError, match=f"pictures/{item['id']}.png: included, but not stored here"):
        restage()


# What is refused


@pytest.mark.parametrize("what", ["the file", "jpeg", "resized", "rotated", "mirrored", "upside down", "cropped"])
def test_an_edited_copy_of_a_test_image_is_refused(project, what):
    file = one_of("test")
    image = Image.open(file).convert("RGB")
    width, height = image.size
    data = {
        "the file": lambda: file.read_bytes(),
        "jpeg": lambda: stored(image, quality=70),
        "resized": lambda: stored(image.resize((width, height // 2 * 3 // 2)), quality=85),
        "rotated": lambda: stored(image.rotate(90, expand=True), quality=90),
        "mirrored": lambda: stored(image.transpose(Image.Transpose.FLIP_LEFT_RIGHT), quality=90),
        "upside down": lambda: stored(image.transpose(Image.Transpose.FLIP_TOP_BOTTOM), quality=90),
        "cropped": lambda: encoded(image.crop((10, 8, width - 8, height - 6))),
    }[what]()
    (item,) = submit(data, label="malignant")
    assert not item["accepted"]
    assert "in the test set" in item["reason"]
    assert kept() == {"included.csv"}


def test_a_stored_image_is_refused_under_any_label(project):
    dev = one_of("dev").read_bytes()
    assert submit(dev)[0]["reason"].startswith("already stored (benign/")
    assert "exists with the label 'benign'" in submit(dev, label="malignant")[0]["reason"]
    assert submit(stored(Image.open(one_of("dev")), quality=80))[0]["reason"].startswith(
        "already stored: the same image"
    )
    first, again, compressed = submit(new(1), new(1), stored(texture(1001), quality=60))
    assert first["accepted"]
    assert again["reason"].startswith("already stored (data/uploads/skin/pictures/")
    assert "already stored: the same image" in compressed["reason"]
    assert "with the label 'benign'" in submit(new(1), label="malignant", batch="later")[0]["reason"]
    assert len(upload_ledger.samples("skin")) == 1


def test_unusable_samples_are_refused_and_the_rest_accepted(project):
    table = places()
    group = next(iter(table.loc[table["subset"] == "test", "group"]))
    assert "its group is in the test set" in submit(new(1), group=group)[0]["reason"]
    assert "there is no class 'odd'; there are: benign, malignant" in submit(new(1), label="odd")[0]["reason"]
    assert "printable" in submit(new(1), group="a\nb")[0]["reason"]
    blank = stored(Image.new("RGB", (200, 150), "pink"))
    bad, good, empty, cut, nothing = submit(b"no image", new(1), b"", new(2)[:2000], blank)
    assert good["accepted"]
    assert bad["reason"].startswith("unreadable: not a readable image")
    assert "0 bytes" in empty["reason"]
    assert cut["reason"].startswith("unreadable:")
    assert "too little detail" in nothing["reason"]
    assert len(kept()) == 3


@pytest.mark.parametrize("batch", ["", "../x", "a/b", "a b", ".hidden", "x" * 65, "a\0b", "-rf"])
def test_a_batch_name_cannot_be_a_path(project, batch):
    with pytest.raises(DataError, match="the name of a batch has"):
        submit(new(1), batch=batch)


@pytest.mark.parametrize("name", ["../../../etc/passwd", "a\0b", "x" * 5000, "\ud800"])
def test_a_hostile_name_does_nothing(project, name):
    before = {path for path in Path().rglob("*")}
    (item,) = submit(new(1), names=[name])
    assert item["accepted"]
    assert item["file"] == name
    added = {path.as_posix() for path in set(Path().rglob("*")) - before} - {"data/uploads/skin/.lock"}
    assert added == {
        "data/uploads/skin/pictures",
        f"data/uploads/skin/pictures/{item['id']}.png",
        "data/uploads/skin/ledger.jsonl",
    }


def test_a_decided_batch_accepts_no_more(project):
    submit(new(1))
    with upload_ledger.locked("skin"):
        upload_ledger.append("skin", Decided(event="rejected", batch="new"))
    with pytest.raises(DataError, match="was rejected already"):
        submit(new(2))
    assert submit(new(2), batch="another")[0]["accepted"]


# What goes wrong


def test_concurrent_submissions_lose_nothing(project):
    """Threads and processes: every accepted image has its file and its line, and one submitted by all is stored once."""
    with ThreadPoolExecutor(4) as pool:
        batches = [[new(0), new(10 * k + 1), new(10 * k + 2)] for k in range(4)]
        result = [item for items in pool.map(lambda files: submit(*files), batches) for item in items]
    Path("a.png").write_bytes(new(50))
    Path("b.png").write_bytes(new(51))
    command = [warm_python(), "-m", "pipeline.collect", "skin", "--label", "malignant", "--batch", "new"]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    running = [subprocess.Popen([*command, f], env=env, stdout=subprocess.DEVNULL) for f in ("a.png", "b.png")]
    assert [process.wait(60) for process in running] == [0, 0]
    assert sum(item["accepted"] for item in result) == 1 + 8
    lines = upload_ledger.samples("skin")
    assert len(lines) == len({line.id for line in lines}) == 11
    assert {f"pictures/{line.id}.png" for line in lines} == kept() - {"included.csv", "ledger.jsonl"}


@pytest.mark.parametrize("call", range(1, 7))
def test_a_full_disk_leaves_the_store_whole(project, monkeypatch, call):
    """The disk fills up at each write that there is: of two images, and of their lines in the ledger."""
    calls, sync = [], os.fsync

    def full(number):
        calls.append(number)
        if len(calls) == call:
            raise OSError(errno.ENOSPC, "No space left on device")
        sync(number)

    monkeypatch.setattr(os, "fsync", full)
    if call <= 4:
        with pytest.raises(OSError, match="No space left"):
            submit(new(1), new(2))
    else:
        submit(new(1), new(2))
    monkeypatch.setattr(os, "fsync", sync)
    assert {f"pictures/{line.id}.png" for line in upload_ledger.samples("skin")} == kept() - {
        "included.csv",
        "ledger.jsonl",
    }
    data = TaskPaths("skin").ledger.read_bytes() if TaskPaths("skin").ledger.exists() else b""
    assert data == b"" or data.endswith(b"\n")
    submit(new(1), new(2))
    assert len(upload_ledger.samples("skin")) == 2


def test_a_full_file_system_accepts_the_rest_once_freed(project):
    folder = Path("data/uploads/skin").absolute()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)]
    if sys.platform != "linux" or os.getuid() or subprocess.run(mount).returncode:
        pytest.skip("a small file system cannot be mounted here: it takes Linux and root")
    try:
        files = [new(k) for k in range(8)]
        with pytest.raises(OSError, match="No space left"):
            [submit(file) for file in files]
        there = {f"pictures/{line.id}.png" for line in upload_ledger.samples("skin")}
        assert 1 <= len(there) < 8
        assert there == kept() - {"ledger.jsonl"}
        for name in there:
            assert decoding.decode((folder / name).read_bytes()).id == Path(name).stem
        subprocess.run(["mount", "-o", "remount,size=64m", str(folder)], check=True)
        submit(*files)
        assert len(upload_ledger.samples("skin")) == 8
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_half_written_ledger_line_is_cut_off(project):
    submit(new(1))
    with TaskPaths("skin").ledger.open("ab") as file:
        file.write(b'{"event": "collec')
    assert len(upload_ledger.read("skin")) == 1
    submit(new(2))
    assert [json.loads(line)["event"] for line in TaskPaths("skin").ledger.read_bytes().splitlines()] == [
        "collected"
    ] * 2


# The command line, and tables


def test_the_command_line_exits_2_where_a_file_is_refused(project):
    Path("a.png").write_bytes(new(1))
    done = stage(Path(), "collect", "skin", "a.png", "--label", "benign", "--batch", "b1")
    assert (done.returncode, done.stdout.startswith("a.png: stored as ")) == (0, True)
    assert "python -m pipeline.retrain skin --batch b1" in done.stderr
    done = stage(Path(), "collect", "skin", "a.png", "nothing.png", "--label", "benign", "--batch", "b1")
    assert done.returncode == 2
    assert done.stdout.splitlines()[0].startswith("a.png: refused: already stored")
    assert "nothing.png: refused: cannot be opened" in done.stdout


def test_rows_are_compared_by_their_values(empty_folder):
    make_table()
    before = places()
    test = before.index[before["subset"] == "test"][0]
    number = int(test.removeprefix("row ")) - 1
    rows = [
        f"{number}.50,{'arm' if number % 3 else 'leg'},well",  # of the test set, written otherwise
        "77.5,leg,ill", "77.50,leg,ill", "77.5,leg,well", "old,leg,ill", "78,arm,odd", "79,,well",
    ]  # fmt: skip
    Path("new.csv").write_text("\n".join(["age,site,kind", *rows, ""]), encoding="utf-8")
    items = intake.collect("skin", intake.read_file("skin", "new.csv", None, ""), "b", "a tester", "test")
    assert [item["accepted"] for item in items] == [False, True, False, False, False, False, True]
    for item, reason in zip(
        items,
        ["in the test set", "", "already stored", "with the label 'ill'", "expected a number", "no class"],
        strict=False,
    ):
        assert reason in item["reason"]
    assert "column 'age': 1 of 1 cells lie outside of 0.5 to 59.5, which training saw" in items[1]["reason"]
    uploads.write("skin", [Included(line.id, line.label, line.group, "b") for line in upload_ledger.samples("skin")])
    restage()
    after = places()
    assert len(after) == len(before) + 2
    assert set(after["subset"][~after.index.isin(before.index)]) == {"dev"}
    columns = ["id", "label", "group", "subset", "reason"]
    assert after.loc[before.index, columns].equals(before[columns])


def test_jittered_copies_of_test_rows_are_refused(empty_folder):
    rng = np.random.default_rng(0)
    X, kinds = rng.normal(size=(240, 4)), np.array(["ill", "well"])[rng.integers(0, 2, 240)]
    lines = [",".join([*(f"{value:.4f}" for value in row), kind]) for row, kind in zip(X, kinds, strict=True)]
    put(Path(), {"raw.csv": "\n".join(["a,b,c,d,kind", *lines, ""])})
    block = task(
        "table", "raw.csv", read={"label": "kind", "no_group": True}, split={"folds": 2, "min_test_per_class": 2}
    )
    write_params(block)
    restage()
    test = [int(path.removeprefix("row ")) - 1 for path, row in places().iterrows() if row["subset"] == "test"]

    def submitted(rows: np.ndarray) -> list[bool]:
        cells = [",".join([*(f"{value:.4f}" for value in row), "ill"]) for row in rows]
        Path("new.csv").write_text("\n".join(["a,b,c,d,kind", *cells, ""]), encoding="utf-8")
        items = intake.collect("skin", intake.read_file("skin", "new.csv", None, ""), "b", "a tester", "test")
        return [item["accepted"] for item in items]

    assert len(test) > 30
    assert not any(submitted(X[test] + 0.001 * rng.normal(size=(len(test), 4))))
    assert sum(submitted(rng.normal(size=(60, 4)))) >= 58


def test_new_visits_of_known_patients_show_in_the_audit(empty_folder):
    rng = np.random.default_rng(0)
    X, kinds = rng.normal(size=(240, 5)), np.array(["ill", "well"])[rng.integers(0, 2, 240)]

    def as_text(rows: np.ndarray, labels: np.ndarray) -> str:
        lines = [",".join([*(f"{value:.3f}" for value in row), kind]) for row, kind in zip(rows, labels, strict=True)]
        return "\n".join(["a,b,c,d,e,kind", *lines, ""])

    put(Path(), {"raw.csv": as_text(X, kinds)})
    write_params(task("table", "raw.csv", read={"label": "kind"}, split={"folds": 2, "min_test_per_class": 2}))
    restage()
    dev = [int(path.removeprefix("row ")) - 1 for path, row in places().iterrows() if row["subset"] == "dev"][:90]
    for name, rows, labels, expected in [
        ("others", rng.normal(size=(90, 5)), kinds[:90], False),
        ("visits", X[dev] + 0.25 * rng.normal(size=(90, 5)), kinds[dev], True),
    ]:
        Path("new.csv").write_text(as_text(rows, labels), encoding="utf-8")
        intake.collect("skin", intake.read_file("skin", "new.csv", None, ""), name, "a tester", "test")
        batch = [line for line in upload_ledger.samples("skin") if line.batch == name]
        assert len(batch) > 60
        uploads.write("skin", [Included(line.id, line.label, line.group, name) for line in batch])
        restage()
        result = AuditResult.read("skin")
        assert result.clusters is None
        assert (result.upload_clusters is not None) == expected, name


def test_columns_that_say_the_patient_together_are_one_group(empty_folder):
    rows = [f"{i}.5,{i // 2 % 20},{'AB'[i % 2]},{'ill' if i % 3 else 'well'}" for i in range(80)]
    put(Path(), {"raw.csv": "\n".join(["age,no,site,kind", *rows, ""])})
    read = {"label": "kind", "group": "no", "group_with": ["site"]}
    write_params(task("table", "raw.csv", read=read, split={"folds": 2, "min_test_per_class": 2}))
    restage()
    (offer,) = intake.read_data("skin", "new.csv", b"age,no,site,kind\n91.5,7,B,ill\n", None, "")
    assert offer.group == "7 / B"
    samples = places()
    (side,) = set(samples["subset"][samples["group"] == "7 / B"])
    (item,) = intake.collect("skin", [offer], "b", "a tester", "test")
    assert ("its group is in the test set" in item["reason"]) == (side == "test")


def test_a_row_without_group_or_label_is_noted_or_refused(empty_folder):
    rows = [f"P{i // 2},{i}.5,{'arm' if i % 3 else 'leg'},{'ill' if i // 2 % 2 else 'well'}" for i in range(80)]
    put(Path(), {"raw.csv": "\n".join(["patient_id,age,site,kind", *rows, ""])})
    write_params(task("table", "raw.csv", read={"label": "kind", "group": "patient_id"}, split={"folds": 2}))
    restage()
    test_patient = places().query("subset == 'test'")["group"].iloc[0]
    rows = f"Patient_ID,age,site,kind\n{test_patient.lower()},41.5,leg,ill\n,42.75,leg,ill\nP99,43.25,arm,\nP99,44.125,arm,well\n"
    offers = intake.read_data("skin", "new.csv", rows.encode(), None, "")
    answers = intake.collect("skin", offers, "b", "a tester", "test")
    assert [item["accepted"] for item in answers] == [False, True, False, True]
    assert "its group is in the test set" in answers[0]["reason"]
    assert answers[1]["reason"] == "no group (patient) is given: it counts as another one"
    assert answers[2]["reason"] == "has no label (column 'kind'); expected one of ill, well"
    (offer,) = intake.read_data("skin", "new.csv", b"patient_id,age,site,kind\nP98,45.75,leg,ill\n", "well", "")
    (answer,) = intake.collect("skin", [offer], "b", "a tester", "test")
    assert answer["reason"] == "its column 'kind' counts, not the label 'well'"


@pytest.fixture
def symptoms(empty_folder):
    """A table of four yes/no columns and an age, in which most rows equal others."""
    rng = np.random.default_rng(1)

    def draw(n: int) -> list[str]:
        X, ages = rng.integers(0, 2, (n, 4)), rng.integers(4, 9, n) * 10
        return [f"{','.join(map(str, row))},{age},{kind}" for row, age, kind in zip(X, ages, "ab" * n, strict=False)]

    put(Path(), {"raw.csv": "\n".join(["a,b,c,d,age,kind", *draw(400), ""])})
    block = task("table", "raw.csv", read={"label": "kind"}, audit={"conflicts": "keep"})
    write_params(block)
    restage()
    return draw


def offer_rows(rows: list[str], batch: str = "b") -> list[dict]:
    Path("new.csv").write_text("\n".join(["a,b,c,d,age,kind", *rows, ""]), encoding="utf-8")
    return intake.collect("skin", intake.read_file("skin", "new.csv", None, ""), batch, "a tester", "test")


def test_equal_rows_of_few_values_are_other_patients(symptoms):
    rows = symptoms(60)
    items = offer_rows(rows)
    assert all(item["accepted"] for item in items)
    assert len({item["id"] for item in items}) == 60
    assert {item["reason"] for item in offer_rows(rows)} == {"already stored in this batch"}
    assert all(item["accepted"] for item in offer_rows(rows[:5], "another"))
    uploads.write(
        "skin", [Included(line.id, line.label, line.group, line.batch) for line in upload_ledger.samples("skin")]
    )
    restage()
    new = places()
    assert (new[new.index.str.contains("uploads")]["subset"] == "dev").sum() == 65


def test_a_copy_of_a_test_set_is_refused(symptoms):
    raw = Path("raw.csv").read_text(encoding="utf-8").splitlines()[1:]
    test = [raw[int(path.removeprefix("row ")) - 1] for path, row in places().iterrows() if row["subset"] == "test"]
    items = offer_rows(test[:60])
    assert not any(item["accepted"] for item in items)
    assert "in the test set" in items[0]["reason"]
