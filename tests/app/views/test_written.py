"""Of a missing or damaged file, pages say what to run."""

from pathlib import Path

import pytest

from tests.helpers.page_projects import champion
from tests.helpers.pages import opened, text_of


def test_a_damaged_file_is_named(compared):
    Path("reports/t/leaderboard.csv").write_bytes(b"\xff\xfe\x00")
    Path(f"reports/t/cv/{champion()}.json").write_text("{")
    assert "reports/t/leaderboard.csv: cannot be read" in text_of(opened("compare", "t"))


@pytest.mark.parametrize(
    ("lost", "message"),
    [
        ("reports/t/selection.json", "dvc repro select_best@t"),
        ("reports/t/leaderboard.csv", "dvc repro holdout@t"),
        ("reports/t/cv", "dvc repro evaluate@{}"),
        ("reports/t/test", "dvc repro holdout@t"),
        ("reports/t/plots", "dvc repro evaluate@{}"),
        ("reports/t/figures", "dvc repro evaluate@{}"),
        ("reports", "dvc repro holdout@t"),
    ],
)
def test_without_a_file_compare_says_what_to_run(compared, lost, message):
    name = champion()
    Path(lost).rename("elsewhere")
    assert any(message.format(name) in info.value.replace("\\", "") for info in opened("compare", "t").info)


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
