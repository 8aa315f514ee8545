"""Lines of (title, text) that describe a data set; a line with an empty text is left out."""

from collections import Counter
from collections.abc import Iterable

import pandas as pd

from pipeline.core.artifacts import JSON
from pipeline.data.columns.column_roles import ColumnRoles
from pipeline.data.tabular.missing import missing_in

SHOWN = 5  # files passed over; more are counted
FEW_GROUPS = 20
MOST_WORDS = 20  # classes or columns; more are counted


def about_columns(roles: ColumnRoles, read: JSON, label: str | None, group: str | None) -> list[tuple[str, str]]:
    """Return the lines that say which columns `read` takes, and of those that were guessed why, and how to take others."""
    why = f", {roles.reason}" if roles.reason else ""
    guessed = {
        "label": "" if label else f" (guessed{why}; --label takes another)",
        "group": ": samples that share it stay together"
        if group
        else " (guessed; --group takes another): samples that share it stay together",
        "shipped": " (guessed): the split that it ships with",
    }
    columns = {key: [read[key]] for key in guessed if key in read}
    if "group" in read:
        columns["group"] += read.get("group_with", [])
    return [(key, f"column {' and '.join(map(repr, names))}{guessed[key]}") for key, names in columns.items()]


def about_samples(samples: pd.DataFrame) -> list[tuple[str, str]]:
    """Return the lines on classes, groups, shipped splits and what cannot be read."""
    good, bad = samples[samples["error"] == ""], samples[samples["error"] != ""]
    groups = set(good["group"]) - {""}
    few = ": few, figures will be uncertain" if len(groups) < FEW_GROUPS else ""
    return [
        ("classes", counted(good["label"])),
        ("groups", f"{len(groups)}{few}" if groups else ""),
        (
            "subsets",
            counted(good["shipped"]) if good["shipped"].any() else "none are shipped: a test set will be drawn",
        ),
        ("unreadable", listing(list(zip(bad["path"], bad["error"], strict=True)))),
    ]


def empty_cells(features: pd.DataFrame) -> dict[str, int]:
    """Return the number of missing cells of each column that has any."""
    counts = {name: int(features[name].isin(missing_in(features[name])).sum()) for name in features}
    return {name: count for name, count in counts.items() if count}


def sizes(all_sizes: list[tuple[int, int]]) -> str:
    """Return the commonest size in px, and the range of the others."""
    if not all_sizes:
        return ""
    counts = Counter(all_sizes)
    (width, height), most = counts.most_common(1)[0]
    if len(counts) == 1:
        return f"all {width}x{height} px"
    sides = [side for size in counts for side in size]
    return f"{len(counts)} sizes, {min(sides)} to {max(sides)} px a side; {most} are {width}x{height}"


def counted(values: Iterable[str]) -> str:
    """Return "benign 600, malignant 600", the commonest first."""
    return some([f"{value} {count}" for value, count in Counter(sorted(values)).most_common()], MOST_WORDS)


def some(words: list[str], most: int = MOST_WORDS) -> str:
    """Return the words separated by commas; of more than `most`, the first and how many more there are."""
    return ", ".join(words[:most]) + (f" and {len(words) - most} more" if len(words) > most else "")


def listing(files: list[tuple[str, str]]) -> str:
    """Return how many files there are and the first of them with the reason, each on a line of its own."""
    if not files:
        return ""
    more = [f"... and {len(files) - SHOWN} more"] if len(files) > SHOWN else []
    return "\n".join([f"{len(files)}", *(f"{path}: {reason}" for path, reason in files[:SHOWN]), *more])
