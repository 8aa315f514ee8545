"""The command line of prediction: every input gets an item, whatever the format."""

import csv
import io
import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from pipeline import predict
from pipeline.core.errors import DataError
from pipeline.prediction.files import show
from tests.helpers.models import KERAS_NOISE, drawn_image
from tests.helpers.warm_python import warm_python

pytestmark = pytest.mark.filterwarnings(KERAS_NOISE)
ROOT = Path(__file__).parents[2]
HEADER = "age,size,site,empty,constant"


def command(*arguments, cwd, form="json"):
    """Run the command line; return exit code, stdout and the lines of stderr."""
    done = subprocess.run(
        [warm_python(), "-m", "pipeline.predict", *map(str, arguments), "--format", form],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout, done.stderr.strip().splitlines()


def items_of(*arguments, capsys):
    """Return the items that the command line prints as JSON, in this process."""
    predict.main(*map(str, arguments), "--format", "json")
    return json.loads(capsys.readouterr().out)


def test_every_file_is_printed_and_bad_ones_exit_2(image_bundles):
    files = ["raw/1.png", "broken.jpg", "raw/2.png", "nowhere.png", "raw", "empty.png"]
    code, out, message = command("bundles/net", *files, cwd=image_bundles)
    assert code == 2
    items = json.loads(out)
    assert [item["file"] for item in items] == files
    assert [item["refused"] for item in items] == [False, True, False, True, True, True]
    assert items[3]["reason"] == "cannot be opened (No such file or directory)"
    assert message == [
        "DataError: 4 of 6 inputs could not be used: broken.jpg, nowhere.png, raw, empty.png; see the reasons above"
    ]


def test_good_files_exit_0_and_print_nothing_else(image_bundles):
    code, out, message = command("bundles/net", "raw/1.png", "raw/2.png", cwd=image_bundles)
    assert (code, message) == (0, [])
    assert [item["class"] for item in json.loads(out)] == ["malignant", "benign"]


def test_the_three_formats_agree(image_bundles, capsys, monkeypatch):
    monkeypatch.chdir(image_bundles)
    items = items_of("bundles/near", "raw/1.png", "raw/4.png", capsys=capsys)
    predict.main("bundles/near", "raw/1.png", "raw/4.png", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    predict.main("bundles/near", "raw/1.png", "raw/4.png")
    header, *lines = capsys.readouterr().out.splitlines()
    assert list(rows[0]) == ["file", "class", "benign", "malignant", "decision", "refused", "reason"]
    assert header.split() == ["file", "class", "benign", "malignant", "answer"]
    for item, row, line in zip(items, rows, lines, strict=True):
        assert {name: float(row[name]) for name in item["probabilities"]} == item["probabilities"]
        assert (row["file"], row["class"], row["decision"]) == (item["file"], item["class"], item["decision"])
        assert (row["refused"], row["reason"]) == ("false", "")
        shown = [f"{p:.3f}" for p in item["probabilities"].values()]
        assert line.split(maxsplit=4) == [item["file"], item["class"], *shown, item["decision"]]


@pytest.mark.parametrize("form", ["table", "csv"])
def test_bad_files_are_printed_with_their_reason_in_every_format(image_bundles, capsys, monkeypatch, form):
    monkeypatch.chdir(image_bundles)
    with pytest.raises(DataError, match=r"1 of 2 inputs could not be used: empty\.png"):
        predict.main("bundles/near", "empty.png", "raw/1.png", "--format", form)
    out = capsys.readouterr().out
    assert "not a readable image (0 bytes)" in out
    assert len(out.splitlines()) == 3


def test_each_row_of_a_csv_is_a_sample(table, capsys, monkeypatch):
    monkeypatch.chdir(table)
    items = items_of("best", "good.csv", capsys=capsys)
    assert [item["file"] for item in items] == ["good.csv row 1", "good.csv row 2"]
    assert not any(item["refused"] for item in items)
    assert items[0]["probabilities"] != items[1]["probabilities"]


def test_a_bad_csv_row_does_not_hide_the_others(table):
    code, out, message = command("best", "bad.csv", "lacking.csv", "nowhere.csv", cwd=table)
    assert code == 2
    items = json.loads(out)
    assert [item["file"] for item in items] == ["bad.csv row 1", "bad.csv row 2", "lacking.csv", "nowhere.csv"]
    assert [item["refused"] for item in items] == [False, True, True, True]
    assert items[1]["reason"] == "column 'age': found 'old'; expected a number"
    assert items[2]["reason"].startswith("missing columns: size, empty, constant")
    assert message[-1].startswith("DataError: 3 of 4 inputs could not be used: bad.csv row 2, lacking.csv, nowhere.csv")


def test_unused_columns_are_reported_on_stderr_and_change_nothing(table, capsys, monkeypatch):
    monkeypatch.chdir(table)
    predict.main("best", "other.csv", "--format", "json")
    printed = capsys.readouterr()
    assert printed.err == "other.csv: not used by the model: name, label\n"
    assert (
        json.loads(printed.out)[0]["probabilities"] == items_of("best", "good.csv", capsys=capsys)[0]["probabilities"]
    )


def test_a_wrong_schema_is_one_error_naming_both_sides(table, capsys, monkeypatch):
    monkeypatch.chdir(table)
    Path("drift.csv").write_text("age , Size,place\n" + "60,1,arm\n" * 300)
    with pytest.raises(DataError, match=r"1 of 1 inputs could not be used: drift.csv"):
        predict.main("best", "drift.csv", "--format", "json")
    (item,) = json.loads(capsys.readouterr().out)
    assert (item["file"], item["refused"]) == ("drift.csv", True)
    assert item["reason"] == (
        "missing columns: size, site, empty, constant; unknown columns: Size, place; expected: age, size, site, empty, constant"
    )


def test_out_of_range_numbers_are_reported_on_stderr(table, capsys, monkeypatch):
    monkeypatch.chdir(table)
    Path("far.csv").write_text(f"{HEADER}\n999,0.2,arm,,3\n61,0.2,arm,,3\n,0.2,arm,,3\n")
    predict.main("best", "far.csv", "--format", "json")
    (log,) = capsys.readouterr().err.splitlines()
    assert re.fullmatch(
        r"far.csv: column 'age': 1 of 2 cells lie outside of \S+ to \S+, which training saw; is it the same unit or code\?",
        log,
    )


def test_decimal_commas_are_read_as_in_training(table, capsys, monkeypatch):
    monkeypatch.chdir(table)
    Path("comma.csv").write_text(f"{HEADER.replace(',', ';')}\n61,5;0,2;arm;;3\n")
    comma, point = items_of("best", "comma.csv", capsys=capsys), items_of("best", "good.csv", capsys=capsys)
    assert comma[0]["probabilities"] == point[0]["probabilities"]


def test_a_file_without_a_table_gets_a_reason(table, capsys, monkeypatch):
    monkeypatch.chdir(table)
    Path("image.csv").write_bytes(drawn_image(0))
    with pytest.raises(DataError, match="1 of 1 inputs could not be used"):
        predict.main("best", "image.csv", "--format", "json")
    assert "is an image; expected a table" in json.loads(capsys.readouterr().out)[0]["reason"]


@pytest.mark.parametrize(
    ("folder", "message"),
    [("nowhere", "nowhere has no bundle.json: run 'dvc repro'"), ("raw", "raw has no bundle.json")],
)
def test_a_folder_without_a_bundle_exits_2(image_bundles, folder, message):
    code, out, lines = command(folder, "raw/1.png", cwd=image_bundles)
    assert (code, out) == (2, "")
    assert len(lines) == 1
    assert lines[0].startswith(f"BundleError: {message}")


def test_a_wrong_command_line_shows_its_usage(image_bundles):
    code, out, lines = command("bundles/near", cwd=image_bundles)
    assert (code, out) == (2, "")
    assert lines[0].startswith("usage: python -m pipeline.predict")


def test_predicting_logs_nothing_about_the_files(image_bundles):
    code, _, _ = command("bundles/net", "raw/1.png", cwd=image_bundles)
    assert code == 0
    traces = [path for path in image_bundles.rglob("*.jsonl") if "raw/1.png" in path.read_text()]
    assert traces == []


@pytest.mark.parametrize("form", ["table", "json", "csv"])
def test_warning_of_the_model_goes_with_every_answer(form):
    item = {"file": "a.png", "class": "b", "probabilities": {"b": 0.6}, "decision": "b", "refused": False, "reason": ""}
    text = show([item | {"warning": "not better than guessing: why"}, item | {"class": ""}], ["b"], form)
    plain = show([item], ["b"], form)
    assert "guessing" not in plain
    if form == "table":
        assert text.splitlines()[0] == "Warning: this model is not better than guessing: why"
    elif form == "csv":
        rows = list(csv.DictReader(io.StringIO(text)))
        assert [row["warning"] for row in rows] == ["not better than guessing: why", ""]
    else:
        assert json.loads(text)[0]["warning"] == "not better than guessing: why"
