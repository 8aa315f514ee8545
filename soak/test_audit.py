"""The audit on all of HAM10000, and on a hundred planted copies of every kind: what takes too long for a benchmark."""

from pathlib import Path

import pytest

from benchmarks import audit, figures
from benchmarks.figures import DATA, Figure

pytestmark = pytest.mark.skipif(
    not (DATA / "ham10000").is_dir(), reason=f"the public sets are not in {DATA} (set ASSAY_DATA)"
)
N = 8035  # one less than there are: the last one is added
COMMAND = "make soak"


def test_only_true_pairs_are_confirmed_and_cost_grows_linearly(tmp_path: Path):
    few, small = audit.lesions(tmp_path / "few", 1000)
    many, large = audit.lesions(tmp_path / "many", N)
    ratio = Figure(f"ham10000: cost of {N} by that of 1,000", large.cpu / small.cpu, "CPU seconds", at_most=10)
    figures.save("soak_audit_all", "The leak audit on all of HAM10000", [*few, *many, ratio], command=COMMAND)
    assert [figure for figure in (*few, *many, ratio) if not figure.passed] == []


def test_nearly_all_of_a_hundred_planted_copies_are_found(tmp_path: Path):
    result = audit.ham10000(tmp_path, 2000, 100, seed=101)
    figures.save("soak_audit_planted", "The leak audit on planted copies", result, command=COMMAND)
    assert [figure for figure in result if not figure.passed] == []
