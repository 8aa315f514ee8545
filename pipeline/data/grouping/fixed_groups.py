"""Keep samples on their side of the split when others are added that join them.

A group's side is decided by the hash of its name, and a set of groups that copies join bears the smallest of their names: a copy
with a smaller name would take the whole set to its own side. So the last split is read, and a group whose side would change keeps
the name that it had.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence

JOINS = "joins: a group in development and one in the test set, which were there before"
LEAK = "leak: a copy of it is in the test set"


def keep_sides(
    ids: Sequence[str],
    names: Sequence[str],
    pairs: Sequence[tuple[int, int]],
    known: dict[str, str],
    side: Callable[[str], str],
) -> tuple[list[str], dict[int, str]]:
    """Return each sample's group and the reasons for which samples are left out, by position.

    Parameters
    ----------
    ids : (n,) of the samples
    names : (n,) of their groups as they would be called without a past; samples with one name belong together
    pairs : positions of samples that show the same
    known : the group that each id had in the last split, of samples in development or test
    side : returns dev or test for a group's name
    """
    members = defaultdict(list)
    for position, name in enumerate(names):
        members[name].append(position)
    kept, reasons = list(names), {}
    for name, positions in members.items():
        before = {known[ids[position]] for position in positions if ids[position] in known}
        sides = {side(old) for old in before}
        if len(sides) == 1 and side(name) not in sides:
            for position in positions:
                kept[position] = min(before)
        elif len(sides) > 1:
            for position in positions:
                old = known.get(ids[position])
                kept[position] = old or name
                if old is None:
                    reasons[position] = JOINS
    for a, b in pairs:
        if a in reasons or b in reasons or kept[a] == kept[b]:
            continue
        of_pair = {side(kept[a]): a, side(kept[b]): b}
        if len(of_pair) == 2:  # both were there before it was seen that they are one
            reasons[of_pair["dev"]] = LEAK
    return kept, reasons
