"""The page Data shows the subset of every sample."""

import pytest

from app.views.answer import plain
from pipeline.core import artifacts
from tests.helpers import pages
from tests.helpers.page_projects import split_table
from tests.helpers.pages import opened


@pytest.mark.parametrize("name", ["photos", "patients"])
def test_the_counts_are_those_of_the_split_table(name, request, monkeypatch):
    monkeypatch.chdir(request.getfixturevalue(name))
    page, written = opened("data", "skin"), split_table()
    table = pages.table(page, "Part").set_index("Part")
    for label in sorted(set(written["label"])):
        of = written[written["label"] == label]
        for subset, row in (("dev", "development"), ("test", "test"), ("excluded", "excluded")):
            if row in table.index:
                assert table.loc[row, label] == (of["subset"] == subset).sum()
        for fold in "012":
            assert table.loc[f"fold {fold}", label] == (of["fold"] == fold).sum()
    for subset, row in (("dev", "development"), ("test", "test"), ("excluded", "excluded")):
        assert table["All"].get(row, 0) == (written["subset"] == subset).sum()
    assert {metric.label: metric.value for metric in page.metric} == {
        "Development": str((written["subset"] == "dev").sum()),
        "Test": str((written["subset"] == "test").sum()),
        "Excluded": str((written["subset"] == "excluded").sum()),
    }


def test_what_was_left_out_has_its_reason(photo_project):
    page = opened("data", "skin")
    excluded = pages.table(page, "Label")
    skipped = next(element.value for element in page.table if list(element.value) == ["Path", "Reason"])
    written = split_table()
    assert (
        excluded.to_numpy().tolist()
        == written.loc[written["subset"] == "excluded", ["path", "label", "reason"]].to_numpy().tolist()
    )
    assert any(reason.startswith("unreadable: not a readable image") for reason in excluded["Reason"])
    assert skipped.to_numpy().tolist() == [[plain("adeno/notes.txt"), plain("is no image by its name (.txt)")]]


def test_names_that_are_markdown_are_shown_as_they_are(photo_project):
    assert "normal\\_x" in [name for name in pages.opened("data", "skin").table[0].value]


def test_a_new_split_shows_without_a_restart(photo_project):
    page = opened("data", "skin")
    written = split_table()
    artifacts.write_csv("data/skin/split.csv", written[written["subset"] != "test"])
    page.run()
    assert page.metric[1].value == "0"
