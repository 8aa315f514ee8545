"""The documentation builds strictly and offline, and its commands are commands."""

import importlib
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.assay import COMMANDS
from pipeline.evaluation.metric_names import NAMES

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```(?:sh|console)?\n(.*?)^```", re.MULTILINE | re.DOTALL)


def commands(page: Path) -> list[list[str]]:
    """Return the words of each `assay` command in the code blocks of a page."""
    blocks = BLOCK.findall(page.read_text(encoding="utf-8"))
    lines = [line for block in blocks for line in block.splitlines() if line.startswith("assay ")]
    return [shlex.split(line, comments=True) for line in lines]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_each_command_of_a_page_is_accepted(page):
    for _, name, *arguments in commands(page):
        module = COMMANDS[name].starts[1]
        if module.startswith("pipeline."):
            importlib.import_module(module).build_parser().parse_args(arguments)


def test_the_page_of_metrics_has_each_figure_of_a_report():
    page = (ROOT / "docs/reference/metrics.md").read_text(encoding="utf-8")
    assert set(NAMES) == set(re.findall(r"`(\w+)`", "\n".join(re.findall(r"^\| (`.*?) \|", page, re.MULTILINE))))


def test_the_site_builds_strictly_and_asks_no_other_server(tmp_path):
    quiet = {"NO_MKDOCS_2_WARNING": "1", "DISABLE_MKDOCS_2_WARNING": "true"}
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | quiet, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    pages = sorted(tmp_path.rglob("*.html"))
    assert len(pages) > 10
    for page in pages:
        text = page.read_text(encoding="utf-8")
        loaded = re.findall(r'<(?:script|img)[^>]* src="([^"]+)"|<link[^>]* rel="stylesheet"[^>]* href="([^"]+)"', text)
        assert not [address for pair in loaded for address in pair if address.startswith(("http", "//"))], page
    assert "target_sensitivity" in (tmp_path / "reference/params.html").read_text(encoding="utf-8")
