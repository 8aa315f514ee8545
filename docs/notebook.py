"""The tutorial as a notebook, with the same texts and commands. Run: python -m docs.notebook

Writes docs/tutorial/images.ipynb from images.md: each block of commands becomes a cell that stops the notebook if it fails.
"""

import json
import re
from pathlib import Path

PAGE = Path(__file__).parent / "tutorial" / "images.md"
NOTEBOOK = PAGE.with_suffix(".ipynb")
# Done before the notebook is opened, or waits for a browser.
ELSEWHERE = re.compile(r"git clone|source |^make |assay (?:app|api)", re.MULTILINE)
SHOWN = """import pandas

pandas.read_csv("reports/mine/leaderboard.csv").round(3)"""
FIRST = "Start Jupyter in the project's folder, with its environment (`source .venv/bin/activate`), after `make demo`."
UP = "%cd -q ../.."  # a notebook runs in its own folder


def cell(number: int, kind: str, text: str) -> dict[str, object]:
    """Return a cell of a notebook; `kind`: markdown or code."""
    content: dict[str, object] = {"id": f"cell-{number}", "cell_type": kind, "metadata": {}, "source": text}
    return content | ({"execution_count": None, "outputs": []} if kind == "code" else {})


def cells(page: str) -> list[tuple[str, str]]:
    """Return (kind, text) of each cell, in the order of the page."""
    pieces = re.split(r"^```(?:sh)?\n(.*?)^```\n", page, flags=re.MULTILINE | re.DOTALL)
    title, _, introduction = pieces[0].partition("\n\n")
    made = [("markdown", f"{title}\n\n{FIRST}\n\n{introduction.strip()}"), ("code", UP)]
    for number, piece in enumerate(pieces[1:]):
        text = piece.strip()
        if number % 2:
            made.append(("markdown", text))
        elif ELSEWHERE.search(text):
            made.append(("markdown", f"```sh\n{text}\n```"))
        else:
            made.append(("code", f"%%sh\n{text}"))
            if text.startswith("assay run"):
                made.append(("code", SHOWN))
    return [(kind, text) for kind, text in made if text]


def notebook() -> str:
    """Return the notebook as it stands in its file."""
    content = {
        "cells": [cell(number, *made) for number, made in enumerate(cells(PAGE.read_text(encoding="utf-8")))],
        "metadata": {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    NOTEBOOK.write_text(notebook(), encoding="utf-8")
