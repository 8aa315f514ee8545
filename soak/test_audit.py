"""The audit on all of HAM10000, on a hundred planted copies of every kind, and on two sets whose copies are known."""

from pathlib import Path

import pytest

from benchmarks import audit, figures
from benchmarks.figures import DATA, Figure
from pipeline.core import artifacts
from pipeline.duplicates.audit import audit_path

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


def test_exactly_the_55_leaked_photos_of_seed_skin_are_found(tmp_path, monkeypatch):
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    result = audit_path(DATA / "seed_skin", copies=False, workers=2)[0]
    assert (result.n_files, len(result.leaks), result.n_leaked) == (195, 55, 55)
    # the copies kept their names, so a pair of two names would be a false one
    assert all(len({Path(path).stem for path in figure}) == 1 and len(figure) == 2 for figure in result.groups)
    assert not any("ISIC_5731511" in path for figure in result.groups for path in figure)
    kinds = [figure.kind for figure in result.pairs]
    assert (kinds.count("exact"), kinds.count("stretched")) == (21, 34)


def test_augmented_tiles_of_lung_histology_end_with_their_original(tmp_path, monkeypatch):
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    for path in sorted((DATA / "lung_histology/lung_scc").glob("*.jpeg"))[:80]:
        artifacts.write_bytes(tmp_path / "tiles" / path.name, path.read_bytes())
    result = audit_path(tmp_path / "tiles", copies=False, workers=2)[0]
    assert max(map(len, result.groups)) <= 8
    # Two of eight tiles are in this part of a class of 240 on average; each has some of its kin here.
    assert len(result.groups) >= 20
    assert any("rotated" in figure.kind for figure in result.pairs)
    assert any("mirrored" in figure.kind for figure in result.pairs)
