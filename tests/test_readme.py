"""README, CONTRIBUTING and benchmarks/README.md: generated blocks show the committed artefacts, and what they name exists."""

import itertools
import re
from pathlib import Path

import pytest

from benchmarks import audit_peers, before_after, figures
from pipeline.leaderboard import board

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def readme() -> str:
    return (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_leaderboard_is_that_of_the_committed_reports(readme):
    shown = re.search(r"<!-- leaderboard -->\n```\n(.*?)```\n<!-- /leaderboard -->", readme, re.DOTALL).group(1)
    assert shown == board("lesions", ROOT)
    assert len(readme.splitlines()) <= 130


def test_the_drawn_graph_is_that_of_dvc_yaml(readme):
    import networkx
    from dvc.repo import Repo

    with Repo(str(ROOT)) as repo:
        edges = {(b.addressing.split("@")[0], a.addressing.split("@")[0]) for a, b in repo.index.graph.edges()}
    graph = networkx.transitive_reduction(networkx.DiGraph(edges))
    drawn = re.search(r"flowchart LR\n(.*?)```", readme, re.DOTALL).group(1)
    chains = [line.split("-->") for line in drawn.strip().splitlines()]
    arrows = {(a.strip(), b.strip()) for chain in chains for a, b in itertools.pairwise(chain)}
    assert arrows == set(graph.edges())


def test_every_command_that_the_docs_name_exists(readme):
    pages = [ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]
    text = readme + "".join(page.read_text(encoding="utf-8") for page in pages)
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"(?:^|`)make ([a-z]+)", text, re.MULTILINE)) <= targets
    for module in re.findall(r"python -m (pipeline\.\w+)", text):
        assert (ROOT / (module.replace(".", "/") + ".py")).is_file(), module


def test_the_page_of_benchmarks_shows_the_committed_results():
    assert (ROOT / "benchmarks/README.md").read_text(encoding="utf-8") == figures.page()
    assert (ROOT / "benchmarks/statistics.md").read_text(encoding="utf-8") == before_after.page()
    for row in before_after.ROWS:
        assert f"| {row.figure} |" in before_after.page()


def test_the_table_of_peers_shows_the_committed_results():
    page = (ROOT / "docs/audit.md").read_text(encoding="utf-8")
    assert re.search(r"<!-- peers -->\n(.*?)<!-- /peers -->", page, re.DOTALL).group(1) == audit_peers.table()
