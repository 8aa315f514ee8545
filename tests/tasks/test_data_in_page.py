"""docs/data-in.md shows what is said of each kind of data set; it is made of the same cases as this test runs."""

import json
import os
from pathlib import Path

import pytest

from pipeline import init_task
from pipeline.core.errors import AssayError
from tests.helpers.door_cases import CASES, Case
from tests.helpers.samples import ROOT

PAGE = ROOT / "docs/data-in.md"
SAID = ("label", "group", "groups", "images", "csv", "folders", "intensity", "positive")
OTHERWISE = (" (guessed; --", "; --")
HEAD = """# What comes in, what is said, what is written

`python -m pipeline.init_task NAME PATH` looks at files, not at what they are called. Where more than one reading is possible it
stops with exit code 2 and names the options that decide. Each row is a case of `tests/helpers/door_cases.py`; the table is made
by `ASSAY_WRITE_DOCS=1 pytest tests/tasks/test_data_in_page.py`, and the test compares it.

| what comes in | what is said | what is written |
|---|---|---|
"""


@pytest.fixture
def answer(project, tmp_path, capsys):
    """Return (what is said, what is written) of a case."""

    def ask(case: Case, number: int) -> tuple[str, str]:
        arguments = case.make(Path(f"data/raw/case{number}"))
        try:
            init_task.main("skin", *arguments, "--dry-run", "--json")
        except AssayError as error:
            capsys.readouterr()
            return f"**stops**: {tidy(str(error), number)}", "nothing"
        content = json.loads(capsys.readouterr().out)
        message = [line for line in content["warnings"] if not line.startswith("not listed")]
        message += [f"{line['title']}: {shorter(line['text'])}" for line in content["lines"] if line["title"] in SAID]
        block = content["params"]["tasks"]["skin"]
        written = [content["kind"], *(f"{key}: {value}" for key, value in block["read"].items())]
        written += [f"split.by: {block['split']['by']}"]
        return tidy("; ".join(message), number), "; ".join(f"`{part}`" for part in written)

    return ask


def shorter(text: str) -> str:
    """Return a line without the options that decide otherwise, which are the same in every row."""
    for mark in OTHERWISE:
        text = text.split(mark)[0]
    text = text.split(" (no column")[0]
    return text + ")" * (text.count("(") - text.count(")"))


def tidy(text: str, number: int) -> str:
    """Return a text for a cell of the table."""
    return " ".join(text.replace(f"data/raw/case{number}/", "").replace(f"data/raw/case{number}", "PATH").split())


def test_the_page_shows_what_is_said(answer):
    rows = []
    for number, case in enumerate(CASES):
        message, written = answer(case, number)
        options = f", `{' '.join(case.options)}`" if case.options else ""
        cells = [case.title + options, message, written]
        rows.append("| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |\n")
    page = HEAD + "".join(rows)
    if os.environ.get("ASSAY_WRITE_DOCS"):
        PAGE.write_text(page)
    assert PAGE.read_text() == page
