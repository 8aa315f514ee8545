"""Keep samples on their side of the split when others are added that join them.

A side is decided by the hash of a group's name, and a set of groups that copies join bears the smallest of their names: a copy
with a smaller name would take the whole set to its own side. Which of two joined samples was there before cannot be told from
the data, and leaving out every set that touches both sides would cost a third of all copies. So the last split.csv is read, and
the samples for which it mattered are written to reports/<task>/fixed_sides.csv, which git keeps: a clone without DVC's cache
divides the same data in the same way. A sample is named there by a hash.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

JOINS = "joins: samples in development and in the test set, which were there before"
LEAK = "leak: a copy of it is in the test set"
DEV = "dev"


@dataclass(frozen=True)
class Sides:
    """What `keep_sides` returns.

    names, sides : (n,) of each sample: its group, and dev or test
    reasons : why samples are left out, by position
    fixed : dev or test of the samples whose side is not that of their group's hash, or of others in their group, by id
    """

    names: list[str]
    sides: list[str]
    reasons: dict[int, str]
    fixed: dict[str, str]


def keep_sides(
    ids: Sequence[str],
    own: Sequence[str],
    joined: Sequence[str],
    pairs: Iterable[tuple[int, int]],
    known: dict[str, str],
    side: Callable[[str], str],
) -> Sides:
    """Return each sample's group and side, so that no sample with a known side changes it.

    Parameters
    ----------
    ids : (n,) of the samples
    own : (n,) names of their groups as the data name them
    joined : (n,) names of the sets that copies make of these; samples with one name belong together
    pairs : positions of samples that show the same
    known : dev or test of samples that were there before, by id
    side : returns dev or test for a group's name
    """
    members = defaultdict(list)
    for position, name in enumerate(joined):
        members[name].append(position)
    result = Sides(list(joined), [side(name) for name in joined], {}, {})
    for name, positions in members.items():
        before = {position: known[ids[position]] for position in positions if ids[position] in known}
        kept = set(before.values())
        if kept <= {side(name)}:
            continue
        for position in positions:
            if len(kept) == 1:
                result.sides[position] = next(iter(kept))
            elif position in before:
                result.sides[position] = before[position]
                result.names[position] = min(own[i] for i, of in before.items() if of == before[position])
            else:
                result.reasons[position] = JOINS
                continue
            result.fixed[ids[position]] = result.sides[position]
    for a, b in pairs:
        if a not in result.reasons and b not in result.reasons and result.sides[a] != result.sides[b]:
            result.reasons[a if result.sides[a] == DEV else b] = (
                LEAK  # both were there before it was seen that they are one
            )
    return result


def known_sides(
    keys: dict[str, str],
    names: Iterable[str],
    last: Sequence[tuple[str, str, str]],
    fixed: dict[str, str],
    side: Callable[[str], str],
) -> dict[str, str]:
    """Return dev or test of the samples that were there before, by id.

    Parameters
    ----------
    keys : `hash_of` of each sample that there is, by id
    names : of their groups as the data name them
    last : id, group and subset of the development and test samples of the last split that still are there
    fixed : what fixed_sides.csv holds: dev or test by `hash_of`
    side : returns dev or test for a group's name

    Notes
    -----
    A last split says nothing where it was made with another seed or fraction, or of other groups.
    """
    known = {id_: fixed[key] for id_, key in keys.items() if key in fixed}
    free = [row for row in last if row[0] not in known]
    named = set(names)
    if all(side(group) == subset for _, group, subset in free) and 2 * sum(row[1] in named for row in last) >= len(
        last
    ):
        known |= {id_: subset for id_, _, subset in free}
    return known


def hash_of(id_: str, own: str, seed: int) -> str:
    """Return 16 hex digits that stand for a sample in fixed_sides.csv; others with another seed or group."""
    return hashlib.sha256(f"{seed}:{own}:{id_}".encode()).hexdigest()[:16]
