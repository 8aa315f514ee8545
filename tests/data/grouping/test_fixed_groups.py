"""Samples stay on their side of the split, whatever is added."""

import numpy as np
import pandas as pd
import pytest

from pipeline.core.params_models import SplitParams
from pipeline.data.audit_result import AuditResult, PathPair
from pipeline.data.grouping.splitting import split

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


@pytest.mark.parametrize("seed", range(5))
def test_added_copies_move_no_sample(seed):
    rng = np.random.default_rng(seed)
    old, new = names(rng, 90), names(rng, 60)
    first = split(samples_of(old), audited([]), PARAMS, 7)
    copies = audited(list(zip(old, new, strict=False)))
    added = split(samples_of(old + new), copies, PARAMS, 7, first)
    before, after = sides(first), sides(added)
    assert {id_: after[id_] for id_ in old} == before
    assert all(after[b] == before[a] for a, b in zip(old, new, strict=False))
    assert sides(split(samples_of(old + new), copies, PARAMS, 7, added)) == after


def test_what_joins_two_fixed_sides_is_left_out_and_said():
    rng = np.random.default_rng(1)
    old = names(rng, 90)
    first = split(samples_of(old), audited([]), PARAMS, 7)
    before = sides(first)
    dev, test = (next(id_ for id_ in old if before[id_] == side) for side in ("dev", "test"))
    joined = audited([(dev, "0" * 16), ("0" * 16, test)])
    joined = AuditResult(groups=[[f"{dev}.png", "0" * 16 + ".png", f"{test}.png"]], pairs=joined.pairs)
    for last in (first, None):
        added = split(samples_of([*old, "0" * 16]), joined, PARAMS, 7, last)
        if last is None:
            continue
        assert {id_: sides(added)[id_] for id_ in old} == before
        row = added[added["id"] == "0" * 16].iloc[0]
        assert (row["subset"], row["reason"].split(":")[0]) == ("excluded", "joins")


def test_another_seed_divides_anew():
    old = names(np.random.default_rng(2), 200)
    first = split(samples_of(old), audited([]), PARAMS, 7)
    assert sides(split(samples_of(old), audited([]), PARAMS, 8, first)) == sides(
        split(samples_of(old), audited([]), PARAMS, 8)
    )


def test_without_additions_the_last_split_changes_nothing():
    rng = np.random.default_rng(3)
    old = names(rng, 120)
    copies = audited([(old[i], old[i + 60]) for i in range(50)])
    first = split(samples_of(old), copies, PARAMS, 7)
    assert split(samples_of(old), copies, PARAMS, 7, first).equals(first)


def test_the_newest_groups_are_the_test_set():
    ids = names(np.random.default_rng(4), 100)
    table = samples_of(ids).assign(group=[f"p{i // 2}" for i in range(100)])
    params = SplitParams(by="time", time_column="date", min_test_per_class=1, folds=2)
    found = split(table, AuditResult(), params, 7, times=pd.Series(np.arange(100.0)))
    assert sorted(found.loc[found["subset"] == "test", "group"]) == sorted(f"p{i // 2}" for i in range(80, 100))
