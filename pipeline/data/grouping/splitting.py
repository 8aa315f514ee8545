"""Divide samples into development and test set and into folds, without ever dividing a group.

The functions are pure: a table of samples and the result of the audit go in, the table of split.csv comes out.
"""

import hashlib

import numpy as np
import pandas as pd

from pipeline.core.errors import FindingError, SplitError
from pipeline.core.params_models import SplitParams
from pipeline.data import uploads
from pipeline.data.audit_result import AuditResult
from pipeline.data.grouping.fixed_sides import Sides, hash_of, keep_sides, known_sides
from pipeline.stats.components import connected_components

DIVIDED = "leak: its image or group is also in the shipped test set"


def split(
    samples: pd.DataFrame,
    audit: AuditResult,
    params: SplitParams,
    seed: int,
    known: dict[str, str] | None = None,
    times: pd.Series | None = None,
) -> pd.DataFrame:
    """Return the samples sorted by id and path, with group, subset, fold and reason.

    `samples` are the rows of samples.csv. Samples of one group (the group column, and the sets that the audit found to be the
    same image, united) are never divided. By hash, a group is in test when the hash of seed and group falls below
    `test_fraction`, so adding samples never moves the old ones: `known` says where those that new copies join have been (see
    `find_known`). As shipped, the shipped test set is test, and development samples of a group that also is in test are left
    out. By time, the groups whose latest sample is newest are test; `times` (n,) has the dates. Uploads move no other sample,
    and never are test (see `add_uploads`). Raises SplitError if a class is too rare for the test set or the folds.
    """
    new = samples["path"].map(uploads.is_upload).to_numpy(bool)
    table = assign_raw(samples[~new], audit, params, seed, known or {}, None if times is None else times[~new])
    if new.any():
        table = add_uploads(table, pd.concat([samples[~new], samples[new]], ignore_index=True), audit)
    table = table.sort_values(["id", "path"], ignore_index=True)
    check_counts(table, params)
    names = ["fold", *(f"fold_{repeat}" for repeat in range(2, params.repeats + 1))]
    for repeat, name in enumerate(names):
        table[name] = folds(table, params.folds, seed + repeat)
    return table[["id", "path", "label", "group", "subset", "fold", "reason", *names[1:]]]


def assign_raw(
    samples: pd.DataFrame,
    audit: AuditResult,
    params: SplitParams,
    seed: int,
    known: dict[str, str],
    times: pd.Series | None = None,
) -> pd.DataFrame:
    """Return the raw samples with group, subset and reason."""
    table = samples[["id", "path", "label", "shipped", "error"]].copy()
    table["group"] = unite_groups(samples, audit.groups)
    table["reason"] = reasons(table, [] if audit.conflicts_kept else audit.label_conflicts)
    if params.by == "hash":
        kept = find_sides(samples, audit, params, seed, known)
        table["group"], sides = kept.names, kept.sides
        for position, reason in kept.reasons.items():
            row = table.index[position]
            table.loc[row, "reason"] = table.loc[row, "reason"] or reason
    usable = table["reason"] == ""
    if params.by == "time":
        sides = newest(table["group"], times, usable, params)
    elif params.by == "shipped":
        sides = shipped_sides(table)
    table["subset"] = np.where(usable, sides, "excluded")
    if params.by == "shipped":
        in_test = set(table.loc[table["subset"] == "test", "group"])
        leak = (table["subset"] == "dev") & table["group"].isin(in_test)
        table.loc[leak, "reason"] = DIVIDED
        table.loc[leak, "subset"] = "excluded"
    return table


def find_sides(
    samples: pd.DataFrame, audit: AuditResult, params: SplitParams, seed: int, known: dict[str, str]
) -> Sides:
    """Return group and side of the raw samples by hash, with those that are `known` where they have been."""
    position = {path: number for number, path in enumerate(samples["path"])}
    pairs = [(position[pair.a], position[pair.b]) for pair in audit.pairs]
    joined = unite_groups(samples, audit.groups)
    return keep_sides(
        samples["id"].tolist(), own_names(samples), joined, pairs, known, lambda name: side_of(name, params, seed)
    )


def find_known(
    samples: pd.DataFrame, params: SplitParams, seed: int, last: pd.DataFrame | None, fixed: dict[str, str]
) -> dict[str, str]:
    """Return dev or test of the samples that were there before, by id: from the last split.csv, and `fixed`, by `hash_of`."""
    raw = samples[~samples["path"].map(uploads.is_upload)]
    keys = sample_keys(raw, seed)
    rows: list[tuple[str, str, str]] = []
    if last is not None:
        old = last[last["subset"].isin(["dev", "test"]) & ~last["path"].map(uploads.is_upload) & last["id"].isin(keys)]
        rows = list(old[["id", "group", "subset"]].itertuples(index=False, name=None))
    return known_sides(keys, own_names(raw), rows, fixed, lambda name: side_of(name, params, seed))


def find_fixed(
    samples: pd.DataFrame, audit: AuditResult, params: SplitParams, seed: int, known: dict[str, str]
) -> dict[str, str]:
    """Return what fixed_sides.csv holds after this split, by `hash_of`: for a split by hash the sides that hashes do not tell."""
    if params.by != "hash":
        return {}
    raw = samples[~samples["path"].map(uploads.is_upload)]
    keys = sample_keys(raw, seed)
    return {keys[id_]: side for id_, side in find_sides(raw, audit, params, seed, known).fixed.items()}


def sample_keys(samples: pd.DataFrame, seed: int) -> dict[str, str]:
    """Return `hash_of` each sample, by id."""
    return {id_: hash_of(id_, name, seed) for id_, name in zip(samples["id"], own_names(samples), strict=True)}


def newest(groups: pd.Series, times: pd.Series | None, usable: pd.Series, params: SplitParams) -> list[str]:
    """Return test for the groups whose latest sample is newest, about `test_fraction` of the samples, and dev for the others.

    Groups of one date stay on one side: the newest date is test even where it has more samples than that.
    """
    if times is None or times[usable].isna().any():
        n_bad = 0 if times is None else int(times[usable].isna().sum())
        raise SplitError(
            f"split.by is 'time', but {n_bad or 'all'} samples have no date or number in {params.time_column!r}; fill "
            "them in, or set split.by: hash"
        )
    latest = times[usable].groupby(groups[usable]).max()
    sizes = groups[usable].map(latest).value_counts().sort_index()
    if len(sizes) < 2:
        raise SplitError(
            f"split.by is 'time', but all samples have one date in {params.time_column!r}, so none is newer: set split.by: hash"
        )
    is_test = sizes[::-1].cumsum()[::-1] <= params.test_fraction * usable.sum()
    since = sizes.index[is_test].min() if is_test.any() else sizes.index[-1]
    return ["test" if latest.get(group, -np.inf) >= since else "dev" for group in groups]


def add_uploads(table: pd.DataFrame, samples: pd.DataFrame, audit: AuditResult) -> pd.DataFrame:
    """Return `table`, the assigned raw samples, with the uploads behind them, which are dev or excluded.

    `samples` are the raw samples and then the uploads, `audit.uploads` the pairs that hold an upload. Left out is what shares
    a group or an image with a test sample, and what is there under another label. Development samples that an upload joins
    get one group, so that no fold divides them.
    """
    links = [[pair.a, pair.b] for pair in audit.uploads or []]
    copies = [[pair.a, pair.b] for pair in [*audit.pairs, *(audit.uploads or [])] if pair.copy]
    united = pd.Series(unite_groups(samples, audit.groups + links))
    same_image = pd.Series(unite_groups(samples.assign(group=""), copies))
    whole = pd.concat(
        [table, samples.loc[len(table) :, table.columns.intersection(samples.columns)]], ignore_index=True
    )
    new = whole.index >= len(table)
    near_test = united.isin(united[whole["subset"] == "test"])
    contrary = whole["label"].groupby(same_image).transform("nunique") > 1
    reason = np.where(near_test, "leak: its image or group is also in the test set", "")
    reason = np.where(contrary & ~near_test, "label conflict: the same under another label", reason)
    whole.loc[new, "reason"] = reason[new]
    whole.loc[new, "subset"] = np.where(reason[new] == "", "dev", "excluded")
    # A joined group bears the name of a raw one, by which the next split knows its side.
    raw_names = whole["group"][~new & (whole["subset"] != "test")].groupby(united[~new]).min()
    joined = united.map(raw_names).fillna(united)
    whole["group"] = whole["group"].where(near_test & ~new, joined)
    return whole


def unite_groups(samples: pd.DataFrame, same_images: list[list[str]]) -> list[str]:
    """Return each sample's group: its group column (else its id), joined with the groups of images that are the same.

    A joined group has the smallest of the names it unites, so that its subset does not depend on the order of files.
    """
    own = np.where(samples["group"] != "", "group:", "id:") + np.array(own_names(samples), dtype=str)
    names, code = np.unique(own, return_inverse=True)
    of_path = dict(zip(samples["path"], code, strict=True))
    links = [(of_path[paths[0]], of_path[other]) for paths in same_images for other in paths[1:]]
    component = connected_components(len(names), links)
    # names are sorted, so the first of each component is its smallest
    _, smallest = np.unique(component, return_index=True)
    return [names[smallest[component[own_code]]].split(":", 1)[1] for own_code in code]


def own_names(samples: pd.DataFrame) -> list[str]:
    """Return what each sample's group is called: the cell of its group column, else its id."""
    return samples["group"].where(samples["group"] != "", samples["id"]).tolist()


def reasons(table: pd.DataFrame, conflicts: list[list[str]]) -> np.ndarray:
    """Return the reason to exclude each sample whatever its group, or ""."""
    conflicting = {path for paths in conflicts for path in paths}
    return np.where(
        table["error"] != "",
        "unreadable: " + table["error"],
        np.where(table["path"].isin(conflicting), "label conflict: the same under another label", ""),
    )


def shipped_sides(table: pd.DataFrame) -> list[str]:
    """Return dev or test for every sample, as shipped."""
    if (table["shipped"] == "").any():
        path = table.loc[table["shipped"] == "", "path"].iloc[0]
        raise SplitError(f"split.by is 'shipped', but {path} belongs to no shipped split; set split.by: hash")
    return ["test" if shipped == "test" else "dev" for shipped in table["shipped"]]


def side_of(group: str, params: SplitParams, seed: int) -> str:
    """Return dev or test for a group by the hash of its name."""
    return "test" if unit_hash(group, seed, params.draw) < params.test_fraction else "dev"


def unit_hash(group: str, seed: int, draw: int = 0) -> float:
    """Return a number in [0, 1) that depends on nothing but the group's name, the seed and `split.draw`."""
    salt = f"{seed}.{draw}" if draw else seed
    return int(hashlib.sha256(f"{salt}:{group}".encode()).hexdigest()[:13], 16) / 16**13


def check_counts(table: pd.DataFrame, params: SplitParams) -> None:
    """Raise SplitError, with counts and remedy, unless every class has enough test samples and a group for every fold.

    A class without samples must not vanish silently: a model would be certain of the others.
    """
    dev, test = table[table["subset"] == "dev"], table[table["subset"] == "test"]
    for label in sorted(set(table["label"]) - {""}):
        of_label = table[table["label"] == label]
        n_groups = dev.loc[dev["label"] == label, "group"].nunique()
        divided = of_label["reason"].eq(DIVIDED)
        if divided.any() and n_groups < params.folds:
            raise FindingError(
                f"class {label!r}: {divided.sum()} of its {len(of_label)} samples are left out of development because their "
                f"image or group (patient) is in the shipped test set too, {n_groups} groups remain: the shipped split divides "
                f"them. Set split.by: hash, which keeps each group on one side"
            )
        if (of_label["subset"] == "excluded").all():
            raise SplitError(
                f"class {label!r}: all of its {len(of_label)} samples are left out, the first as "
                f"{of_label['reason'].iloc[0]!r}. Mend them, or remove the class from the raw data"
            )
        n_test = int((test["label"] == label).sum())
        if n_test < params.min_test_per_class:
            raise SplitError(
                f"class {label!r} has {n_test} test samples; split.min_test_per_class asks for "
                f"{params.min_test_per_class}{left_out(of_label)}. Collect more, raise split.test_fraction or lower the minimum"
            )
        if n_groups < params.folds:
            raise SplitError(
                f"class {label!r} has {n_groups} groups for development, fewer than split.folds ({params.folds})"
                f"{left_out(of_label)}. Collect more or lower split.folds"
            )


def left_out(samples: pd.DataFrame) -> str:
    """Return how many of a class's samples are left out and the commonest reason, for an error; "" where none is."""
    why = samples.loc[samples["subset"] == "excluded", "reason"]
    return f"; {len(why)} of its samples are left out, most as {why.mode().iloc[0]!r}" if len(why) else ""


def folds(table: pd.DataFrame, n_folds: int, seed: int) -> pd.Series:
    """Return the fold of each development sample, grouped and stratified; <NA> for the others."""
    from sklearn.model_selection import StratifiedGroupKFold

    dev = table.index[table["subset"] == "dev"]
    fold_of = pd.Series(pd.NA, index=table.index, dtype="Int64")
    divided = StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed).split(
        dev, table.loc[dev, "label"], table.loc[dev, "group"]
    )
    for fold, (_, held_out) in enumerate(divided):
        fold_of[dev[held_out]] = fold
    return fold_of
