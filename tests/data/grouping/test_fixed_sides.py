"""Samples stay on their side of the split, whatever is added."""

import numpy as np
import pandas as pd
import pytest

from pipeline.core.errors import SplitError
from pipeline.core.params_models import SplitParams
from pipeline.data.audit_result import AuditResult, PathPair
from pipeline.data.grouping.splitting import find_fixed, find_known, split
from pipeline.stats.components import joined_sets

PARAMS = SplitParams(min_test_per_class=1, folds=2)


def samples_of(ids: list[str]) -> pd.DataFrame:
    table = pd.DataFrame({"id": ids, "path": [f"{id_}.png" for id_ in ids], "group": "", "shipped": "", "error": ""})
    table["label"] = ["ab"[int(id_, 16) % 2] for id_ in ids]
    return table


def names(rng: np.random.Generator, n: int) -> list[str]:
    return [f"{number:016x}" for number in rng.integers(0, 2**62, n)]


def audited(pairs: list[tuple[str, str]]) -> AuditResult:
    return AuditResult(
        groups=[[f"{a}.png", f"{b}.png"] for a, b in pairs],
        pairs=[PathPair(f"{a}.png", f"{b}.png", "resized", 0.9, False) for a, b in pairs],
    )


def sides(table: pd.DataFrame) -> dict[str, str]:
    return dict(zip(table["id"], table["subset"], strict=True))


def run(
    samples: pd.DataFrame,
    audit: AuditResult,
    last: pd.DataFrame | None = None,
    fixed: dict | None = None,
    seed: int = 7,
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Return what the stage writes: split.csv and fixed_sides.csv."""
    known = find_known(samples, PARAMS, seed, last, fixed or {})
    return split(samples, audit, PARAMS, seed, known), find_fixed(samples, audit, PARAMS, seed, known)


@pytest.mark.parametrize("seed", range(5))
def test_added_copies_move_no_sample(seed):
    rng = np.random.default_rng(seed)
    old, new = names(rng, 90), names(rng, 60)
    first, _ = run(samples_of(old), audited([]))
    copies = audited(list(zip(old, new, strict=False)))
    added, fixed = run(samples_of(old + new), copies, first)
    before, after = sides(first), sides(added)
    assert {id_: after[id_] for id_ in old} == before
    assert all(after[b] == before[a] for a, b in zip(old, new, strict=False))
    assert 0 < len(fixed) < 60


@pytest.mark.parametrize("seed", range(5))
def test_a_clone_without_the_last_split_divides_alike(seed):
    rng = np.random.default_rng(seed)
    old, new = names(rng, 90), names(rng, 60)
    first, _ = run(samples_of(old), audited([]))
    chains = list(zip(old, new, strict=False)) + [(new[i], old[i + 30]) for i in range(5)]
    grown = audited(chains)
    grown = AuditResult(groups=[sorted(paths) for paths in joined_paths(chains)], pairs=grown.pairs)
    added, fixed = run(samples_of(old + new), grown, first)
    for last in (None, added):
        again, still = run(samples_of(old + new), grown, last, fixed)
        assert again.equals(added)
        assert still == fixed


def joined_paths(pairs: list[tuple[str, str]]) -> list[list[str]]:
    ids = sorted({id_ for pair in pairs for id_ in pair})
    positions = [(ids.index(a), ids.index(b)) for a, b in pairs]
    return [[f"{ids[i]}.png" for i in members] for members in joined_sets(len(ids), positions)]


def test_what_joins_two_fixed_sides_is_left_out_and_said():
    old = names(np.random.default_rng(1), 90)
    first, _ = run(samples_of(old), audited([]))
    before = sides(first)
    dev, test = (next(id_ for id_ in old if before[id_] == side) for side in ("dev", "test"))
    new = "0" * 16
    joined = AuditResult(groups=joined_paths([(dev, new), (new, test)]), pairs=audited([(dev, new), (new, test)]).pairs)
    added, _ = run(samples_of([*old, new]), joined, first)
    assert {id_: sides(added)[id_] for id_ in old} == before
    row = added.set_index("id").loc[new]
    assert (row["subset"], row["reason"].split(":")[0]) == ("excluded", "joins")
    assert added.loc[added["id"].isin([dev, test]), "group"].nunique() == 2


def test_old_samples_seen_to_be_one_never_change_sides():
    old = names(np.random.default_rng(6), 90)
    first, _ = run(samples_of(old), audited([]))
    before = sides(first)
    dev, test = (next(id_ for id_ in old if before[id_] == side) for side in ("dev", "test"))
    pair = audited([(min(dev, test), max(dev, test))])
    added, fixed = run(samples_of(old), pair, first)
    assert (sides(added)[dev], sides(added)[test]) == ("excluded", "test")
    assert run(samples_of(old), pair, added, fixed)[0].equals(added)


def test_another_seed_or_other_groups_divide_anew():
    old = names(np.random.default_rng(2), 200)
    samples = samples_of(old)
    first, _ = run(samples, audited([]))
    assert run(samples, audited([]), first, seed=8)[0].equals(run(samples, audited([]), seed=8)[0])
    grouped = samples.assign(group=[f"P{number // 4}" for number in range(200)])
    assert run(grouped, audited([]), first)[0].equals(run(grouped, audited([]))[0])


def test_without_additions_the_last_split_changes_nothing():
    old = names(np.random.default_rng(3), 120)
    copies = audited([(old[i], old[i + 60]) for i in range(50)])
    first, fixed = run(samples_of(old), copies)
    assert fixed == {}
    assert run(samples_of(old), copies, first)[0].equals(first)


def test_the_newest_groups_are_the_test_set():
    ids = names(np.random.default_rng(4), 100)
    table = samples_of(ids).assign(group=[f"p{i // 2}" for i in range(100)])
    params = SplitParams(by="time", time_column="date", min_test_per_class=1, folds=2)
    divided = split(table, AuditResult(), params, 7, times=pd.Series(np.arange(100.0)))
    assert sorted(divided.loc[divided["subset"] == "test", "group"]) == sorted(f"p{i // 2}" for i in range(80, 100))


@pytest.mark.parametrize(("quarters", "n_test"), [([0] * 85 + [1] * 5 + [2] * 10, 15), ([0] * 60 + [1] * 40, 40)])
def test_samples_of_one_date_stay_on_one_side(quarters, n_test):
    table, params = samples_of(names(np.random.default_rng(4), 100)), SplitParams(by="time", time_column="date")
    params = params.model_copy(update={"min_test_per_class": 1, "folds": 2})
    times = pd.Series(np.random.default_rng(0).permutation(quarters).astype(float))
    is_test = split(table, AuditResult(), params, 7, times=times).set_index("id")["subset"] == "test"
    assert is_test.sum() == n_test
    assert times[is_test[table["id"]].to_numpy()].min() > times[~is_test[table["id"]].to_numpy()].max()


def test_samples_of_one_date_have_no_newest():
    params = SplitParams(by="time", time_column="date", min_test_per_class=1, folds=2)
    with pytest.raises(SplitError, match="all samples have one date in 'date'"):
        split(samples_of(names(np.random.default_rng(4), 50)), AuditResult(), params, 7, times=pd.Series(np.ones(50)))
