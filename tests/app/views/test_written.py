"""Of a missing or damaged file, pages say what to run."""

from pathlib import Path

import pytest

from tests.helpers.page_projects import champion
from tests.helpers.pages import opened, text_of


def test_a_damaged_file_is_named(compared):
    Path("reports/t/leaderboard.csv").write_bytes(b"\xff\xfe\x00\n")
    Path(f"reports/t/cv/{champion()}.json").write_text("{")
    assert "reports/t/leaderboard.csv: cannot be read" in text_of(opened("compare", "t"))


def test_a_file_cut_off_in_a_line_is_named(compared):
    path = Path("reports/t/leaderboard.csv")
    path.write_bytes(path.read_bytes()[:-5])
    assert "leaderboard.csv: is cut off in the middle of a line" in text_of(opened("compare", "t", "Leaderboard"))


def test_a_split_cut_off_in_a_line_is_named(photo_project):
    path = Path("data/skin/split.csv")
    path.write_bytes(path.read_bytes()[:-5])
    assert "split.csv: is cut off in the middle of a line" in text_of(opened("data", "skin"))


@pytest.mark.parametrize(
    ("lost", "view", "message"),
    [
        ("reports/t/selection.json", "Leaderboard", "dvc repro select_best@t"),
        ("reports/t/leaderboard.csv", "Leaderboard", "dvc repro holdout@t"),
        ("reports/t/cv", "One model", "dvc repro evaluate@t"),
        ("reports/t/test", "One model", "dvc repro holdout@t"),
        ("reports/t/plots", "One model", "dvc repro evaluate@t"),
        ("reports/t/figures", "Threshold", "dvc repro evaluate@t"),
        ("reports/t/differences.csv", "Two models", "dvc repro select_best@t"),
        ("reports", "Leaderboard", "dvc repro holdout@t"),
    ],
)
def test_without_a_file_compare_says_what_to_run(compared, lost, view, message):
    name = champion()
    Path(lost).rename("elsewhere")
    assert any(message.format(name) in info.value.replace("\\", "") for info in opened("compare", "t", view).info)


@pytest.mark.parametrize(
    ("lost", "message"),
    [
        ("data/skin/split.csv", "run 'dvc repro split@skin'"),
        ("data/skin/audit.json", "run 'dvc repro audit@skin'"),
        ("data/skin/scan/intensity.csv", "run 'dvc repro scan@skin'"),
        ("data/skin/scan/skipped.csv", "run 'dvc repro scan@skin'"),
        ("data", "run 'dvc repro scan@skin'"),
        ("raw", "restore the raw files"),
        ("params.yaml", "params.yaml"),
    ],
)
def test_without_a_file_data_says_what_to_run(photo_project, lost, message):
    Path(lost).rename("elsewhere")
    assert message in text_of(opened("data", "skin"))
