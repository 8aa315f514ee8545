"""What belongs together stays together, what is test stays test, and what is left out is left out for a stated reason."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline import split
from pipeline.core import artifacts
from pipeline.core.errors import DataError, FindingError, SplitError, StageError
from pipeline.core.params_models import SplitParams
from pipeline.data.audit_result import AuditResult, PathPair
from pipeline.data.grouping import splitting
from tests.helpers.samples import table, task, write_params

LOOSE = SplitParams(folds=2, min_test_per_class=1)
SHIPPED = SplitParams(by="shipped", folds=2, min_test_per_class=1)


def divide(samples: pd.DataFrame, params: SplitParams = LOOSE, seed: int = 7, **findings: list) -> pd.DataFrame:
    """Return the split, by path."""
    return splitting.split(samples, AuditResult(**findings), params, seed).set_index("path")


def random_samples(seed: int, n: int = 200) -> tuple[pd.DataFrame, list[list[str]]]:
    """Return samples in random groups, some alone, and random sets of the same image across them."""
    rng = np.random.default_rng(seed)
    groups = [f"g{number}" if number < 60 else "" for number in rng.integers(0, 90, n)]
    samples = table("".join(rng.choice(list("ab"), n)), groups)
    paths = list(rng.permutation(samples["path"]))
    sets = [sorted(paths.pop() for _ in range(rng.integers(2, 4))) for _ in range(8)]
    return samples, sets


def shipped_samples(**where: str) -> pd.DataFrame:
    """Return samples a and b, as many as letters in `where`: their shipped split by its first letter."""
    words = {"t": "train", "v": "valid", "x": "test"}
    labels = "".join(label * len(parts) for label, parts in where.items())
    return table(labels, shipped=[words[letter] for parts in where.values() for letter in parts])


# groups


@pytest.mark.parametrize("seed", range(12))
def test_what_belongs_together_is_never_divided(seed):
    samples, sets = random_samples(seed)
    divided = divide(samples, SplitParams(folds=3, min_test_per_class=1), seed, groups=sets)
    # the place of a sample: test, or its fold of the development set
    side = divided["subset"] + divided["fold"].fillna(-1).astype(str)
    named = samples[samples["group"] != ""].set_index("path")["group"]
    assert side[named.index].groupby(named).nunique().max() == 1
    assert all(side[paths_of_set].nunique() == 1 for paths_of_set in sets)
    assert side.groupby(divided["group"]).nunique().max() == 1
    assert set(divided["subset"]) == {"dev", "test"}


@pytest.mark.parametrize("seed", range(12))
def test_samples_of_new_groups_never_move_the_old_ones(seed):
    samples, sets = random_samples(seed)
    before = divide(samples, seed=seed, groups=sets)
    more = random_samples(seed + 1000)[0]
    more["id"], more["path"] = "f" + more["id"].str[1:], "new/" + more["path"]
    more["group"] = [f"new {group}" if group else "" for group in more["group"]]
    after = divide(pd.concat([more, samples], ignore_index=True), seed=seed, groups=sets)
    assert len(after) == 2 * len(before)
    pd.testing.assert_series_equal(after.loc[before.index, "subset"], before["subset"])


def test_the_order_of_the_files_changes_nothing():
    samples, sets = random_samples(1)
    once = splitting.split(samples, AuditResult(groups=sets), LOOSE, 7)
    shuffled = samples.sample(frac=1, random_state=1, ignore_index=True)
    again = splitting.split(shuffled, AuditResult(groups=[paths_of_set[::-1] for paths_of_set in sets[::-1]]), LOOSE, 7)
    pd.testing.assert_frame_equal(once, again)
    assert once["id"].is_monotonic_increasing


def test_chained_groups_and_copies_take_the_smallest_name():
    samples = table("abab" * 40, ["p3", "p2", "p2", "p1"] + [f"q{n}" for n in range(156)])
    paths = samples["path"]
    divided = divide(samples, groups=[[paths[0], paths[1]], [paths[2], paths[3]]])
    assert set(divided.loc[paths[:4], "group"]) == {"p1"}


def test_without_groups_equal_images_share_a_group():
    samples = table("ab" * 60)
    samples.loc[7, "id"] = samples.loc[3, "id"]
    divided = divide(samples)
    assert divided.loc[samples["path"][3], "group"] == divided.loc[samples["path"][7], "group"] == samples.loc[3, "id"]


def test_another_seed_draws_another_test_set_of_that_fraction():
    samples = table("ab" * 1000)
    first, other = (divide(samples, seed=seed)["subset"] == "test" for seed in (1, 2))
    assert not first.equals(other)
    assert abs(first.mean() - 0.2) < 0.03


def test_a_larger_fraction_keeps_what_was_test():
    samples = table("ab" * 100)
    small, large = (
        divide(samples, SplitParams(test_fraction=fraction, folds=2, min_test_per_class=1))["subset"] == "test"
        for fraction in (0.1, 0.4)
    )
    assert small.sum() < large.sum()
    assert large[small].all()


# what is left out


def test_label_conflicts_are_left_out_of_both_sides():
    samples = shipped_samples(a="ttttxxx", b="ttttxxx")
    conflicts = [["a/0.png", "b/7.png"], ["a/4.png", "b/11.png"]]
    divided = divide(samples, SHIPPED, groups=conflicts, label_conflicts=conflicts)
    out = divided[divided["subset"] == "excluded"]
    assert set(out.index) == {path for paths_of_set in conflicts for path in paths_of_set}
    assert set(out["reason"]) == {"label conflict: the same under another label"}


def test_the_unreadable_are_left_out_with_their_reason():
    samples = table("ab" * 60)
    samples.loc[3, ["id", "error"]] = "", "not a readable image (0 bytes)"
    divided = divide(samples).loc[samples["path"][3]]
    assert (divided["subset"], divided["reason"]) == ("excluded", "unreadable: not a readable image (0 bytes)")
    assert pd.isna(divided["fold"])


def test_a_class_without_usable_samples_is_an_error():
    samples = table("ab" * 60 + "c")
    samples.loc[120, "error"] = "not a readable image (0 bytes)"
    with pytest.raises(
        SplitError, match="class 'c': all of its 1 samples are left out, the first as 'unreadable: not a"
    ):
        divide(samples)


def test_rows_without_a_label_are_no_class():
    samples = table("ab" * 60)
    samples.loc[3, ["label", "error"]] = "", "the label is empty"
    assert divide(samples).loc[samples["path"][3], "subset"] == "excluded"


# as shipped


def test_the_shipped_test_set_is_test_and_valid_is_development():
    samples = shipped_samples(a="tttvvxx", b="ttvvxx")
    divided = divide(samples, SHIPPED)
    expected = samples.set_index("path")["shipped"].map({"train": "dev", "valid": "dev", "test": "test"})
    assert divided["subset"].to_dict() == expected.to_dict()
    assert (divided["reason"] == "").all()


def test_leaks_are_dropped_from_development_only_and_with_a_reason():
    samples = shipped_samples(a="tttvxx", b="tttxx")
    leaks = [["a/0.png", "a/4.png"], ["a/3.png", "a/5.png"]]
    divided = divide(samples, SHIPPED, groups=leaks, leaks=leaks)
    out = divided[divided["subset"] == "excluded"]
    assert set(out.index) == {"a/0.png", "a/3.png"}
    assert set(out["reason"]) == {"leak: its image or group is also in the shipped test set"}
    assert (divided.loc[["a/4.png", "a/5.png"], "subset"] == "test").all()


def test_patients_of_the_shipped_test_set_leave_development():
    samples = shipped_samples(a="tttxx", b="tttxx")
    samples["group"] = [f"p{row}" for row in range(9)] + ["p0"]
    assert divide(samples, SHIPPED)["subset"].value_counts().to_dict() == {"dev": 5, "test": 4, "excluded": 1}


def test_an_excluded_test_sample_removes_no_development_sample():
    samples = shipped_samples(a="tttxx", b="tttxx")
    samples.loc[4, "error"] = "not a readable image"
    divided = divide(samples, SHIPPED, groups=[["a/0.png", "a/4.png"]])
    assert divided.loc["a/0.png", "subset"] == "dev"


def test_a_sample_without_shipped_split_is_named():
    samples = shipped_samples(a="tttxx", b="tttxx")
    samples.loc[2, "shipped"] = ""
    with pytest.raises(SplitError, match=r"split.by is 'shipped', but a/2.png belongs to no .+; set split.by: hash"):
        divide(samples, SHIPPED)


# folds


@pytest.mark.parametrize("seed", range(6))
def test_folds_fill_the_development_set_only(seed):
    samples, sets = random_samples(seed)
    divided = divide(samples, SplitParams(folds=4, min_test_per_class=1), seed, groups=sets)
    assert divided["fold"].isna().equals(divided["subset"] != "dev")
    assert sorted(divided["fold"].dropna().unique()) == [0, 1, 2, 3]


def test_repeats_add_folds_and_keep_the_first():
    samples, sets = random_samples(3)
    once, thrice = (
        divide(samples, SplitParams(folds=4, repeats=n, min_test_per_class=1), 3, groups=sets) for n in (1, 3)
    )
    pd.testing.assert_frame_equal(thrice[once.columns], once)
    assert thrice.columns[-2:].tolist() == ["fold_2", "fold_3"]
    dev = thrice[thrice["subset"] == "dev"]
    for name in ("fold_2", "fold_3"):
        assert thrice[name].isna().equals(thrice["subset"] != "dev")
        assert (dev.groupby("group")[name].nunique() == 1).all()
        assert (dev[name] != dev["fold"]).any()


def test_folds_are_stratified():
    samples = table("aaaab" * 60)
    counts = divide(samples, SplitParams(folds=5, min_test_per_class=1)).groupby("fold")["label"].value_counts()
    assert counts[:, "a"].max() - counts[:, "a"].min() <= 2
    assert counts[:, "b"].max() - counts[:, "b"].min() <= 2


def test_every_fold_is_fitted_on_every_class():
    samples = table("a" * 200 + "b" * 30, [f"g{row}" for row in range(200)] + [f"h{row % 10}" for row in range(30)])
    divided = divide(samples, SplitParams(folds=5, min_test_per_class=1), seed=3)
    for fold in range(5):
        fitted_on = divided[(divided["subset"] == "dev") & (divided["fold"] != fold)]
        assert set(fitted_on["label"]) == {"a", "b"}


# too few


def test_too_few_test_samples_are_counted_with_the_remedies():
    text = (
        r"class 'b' has \d+ test samples; split.min_test_per_class asks for 30. Collect more, raise split.test_fraction"
    )
    with pytest.raises(SplitError, match=text):
        divide(table("a" * 400 + "b" * 40), SplitParams(min_test_per_class=30))


def test_too_few_groups_for_the_folds_are_counted():
    samples = table("a" * 100 + "b" * 40, [f"g{row}" for row in range(100)] + [f"h{row % 5}" for row in range(40)])
    text = r"class 'b' has \d groups for development, fewer than split.folds \(5\). Collect more or lower split.folds"
    with pytest.raises(SplitError, match=text):
        divide(samples, SplitParams(min_test_per_class=1, test_fraction=0.5), seed=3)


def test_one_group_for_everything_cannot_be_split():
    with pytest.raises(SplitError, match="Collect more"):
        divide(table("ab" * 50, ["g"] * 100))


# the stage


def test_the_stage_is_reproducible_and_counts_samples(empty_folder, capsys):
    samples, sets = random_samples(5)
    samples.loc[3, "error"] = "unreadable: really"
    write_params(task(split={"folds": 2, "min_test_per_class": 1}))
    artifacts.write_csv("data/skin/scan/samples.csv", samples)
    artifacts.write_json("data/skin/audit.json", AuditResult(groups=sets).to_json())
    written = []
    for _ in range(2):
        split.main("skin")
        written.append(Path("data/skin/split.csv").read_bytes())
    assert written[0] == written[1]
    assert written[0].startswith(b"id,path,label,group,subset,fold,reason\n")
    assert "1 excluded (unreadable 1)" in capsys.readouterr().err


def test_two_clones_divide_a_grown_set_alike(empty_folder):
    samples = table("ab" * 100)
    samples["id"] = [f"{number:016x}" for number in np.random.default_rng(0).integers(0, 2**62, 200)]
    write_params(task(split={"folds": 2, "min_test_per_class": 1}))
    paths = samples["path"].tolist()
    pairs = [PathPair(a, b, "resized", 0.9, False) for a, b in zip(paths[:60], paths[140:], strict=True)]
    grown = AuditResult(groups=[[pair.a, pair.b] for pair in pairs], pairs=pairs)
    for n, audit in ((140, AuditResult()), (200, grown)):
        artifacts.write_csv("data/skin/scan/samples.csv", samples[:n])
        artifacts.write_json("data/skin/audit.json", audit.to_json())
        split.main("skin")
    file, kept = Path("data/skin/split.csv"), Path("reports/skin/fixed_sides.csv")
    written = file.read_bytes(), kept.read_bytes()
    assert len(written[1].splitlines()) > 5
    split.main("skin")
    assert (file.read_bytes(), kept.read_bytes()) == written
    file.unlink()  # a clone without DVC's cache has what git keeps
    split.main("skin")
    assert (file.read_bytes(), kept.read_bytes()) == written


def test_marks_of_a_merge_in_fixed_sides_are_refused(empty_folder):
    write_params(task())
    artifacts.write_csv("data/skin/scan/samples.csv", table("ab"))
    artifacts.write_json("data/skin/audit.json", AuditResult().to_json())
    artifacts.write_bytes("reports/skin/fixed_sides.csv", b"sample,subset\n<<<<<<< HEAD\n")
    with pytest.raises(DataError, match=r"fixed_sides.csv: expected the header sample,subset"):
        split.main("skin")


def test_a_missing_input_names_its_stage(empty_folder):
    write_params(task())
    with pytest.raises(StageError, match=r"data/skin/scan/samples.csv is missing: run 'dvc repro scan@skin'"):
        split.main("skin")


def test_a_shipped_split_dividing_patients_is_named_as_cause():
    samples = table("x" * 40 + "y" * 40, [f"P{row // 4}" for row in range(80)], ["train", "test"] * 40)
    with pytest.raises(
        FindingError, match=r"in the shipped test set too, 0 groups remain: .+ Set split.by: hash"
    ) as error:
        splitting.split(samples, AuditResult(), SplitParams(by="shipped", min_test_per_class=1), 7)
    assert error.value.exit_code == 3
