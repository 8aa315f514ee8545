"""Present an audit: lines for the log of a stage, a table of pairs, the exit code."""

from pathlib import Path

import pandas as pd

from pipeline.core.errors import DataError, FindingError
from pipeline.core.params_models import AuditParams
from pipeline.core.paths import TaskPaths
from pipeline.core.read_params import ReadParams
from pipeline.core.text_table import aligned
from pipeline.data.audit_result import FEWEST_OF_SET, MOST_OF_SET, AuditResult, Clusters, PathPair

ROWS = 40  # of the table; --json lists all
CLEAN, FOUND = 0, 3  # exit codes


def ranked(result: AuditResult, samples: pd.DataFrame) -> list[tuple[PathPair, str]]:
    """Return the pairs with a remark each, most important first: leaks, two labels, two groups; the lowest score first."""
    of = samples.set_index("path")[["label", "group", "shipped"]].to_dict("index")
    rows = []
    for pair in result.pairs:
        a, b = of[pair.a], of[pair.b]
        leak = crosses({a["shipped"], b["shipped"]})
        conflict = a["label"] != b["label"]
        groups = a["group"] != b["group"]
        remarks = [f"{a['shipped']} / {b['shipped']}"] if leak else []
        remarks += [f"{a['label']} / {b['label']}"] if conflict else []
        remarks += [] if pair.copy else ["near"]
        rows.append(((not leak, not conflict, not groups, pair.score, pair.a, pair.b), pair, ", ".join(remarks)))
    return [(pair, remark) for _, pair, remark in sorted(rows, key=lambda row: row[0])]


def crosses(shipped: set[str]) -> bool:
    """Return whether the shipped splits of one set of copies are test and another."""
    return "test" in shipped and bool(shipped & {"train", "valid"})


def table(result: AuditResult, samples: pd.DataFrame) -> list[str]:
    """Return the pairs as aligned lines; `near`: two images of one subject in the same view, not certainly copies."""
    rows = [(pair.a, pair.b, pair.kind, f"{pair.score:.3f}", remark) for pair, remark in ranked(result, samples)[:ROWS]]
    if not rows:
        return []
    head = ("image", "is", "changed", "alike", "")
    lines = aligned([head, *rows])
    more = len(result.pairs) - ROWS
    return [*lines, *([f"... and {more} more pairs: --json lists all"] if more > 0 else [])]


def summary(result: AuditResult, what: str, done: bool = False) -> list[str]:
    """Return a line for each kind of finding: first what may make every figure too good, last what the split handles.

    `what`: image or row; `done`: add how the pipeline handles it.
    """
    usable = result.n_files - result.n_unreadable
    lines = [f"{usable} {what}s, {result.n_unreadable} unreadable, {len(result.skipped)} other files skipped"]

    def add(line: str, consequence: str) -> None:
        lines.append(f"{line}; {consequence}" if done else line)

    if result.clusters:
        lines.append(describe_clusters(result.clusters))
    if result.upload_clusters:
        lines.append(f"of the uploads: {describe_clusters(result.upload_clusters)}")
    for shortcut in result.confounders:
        add(
            f"shortcut: {shortcut.name} alone predicts the label with ROC AUC {shortcut.roc_auc:.2f}",
            "nothing is left out, but a model may learn it",
        )
    if result.leaks:
        add(
            f"sets in the shipped test set and outside it: {len(result.leaks)} ({result.n_leaked} test {what}s)",
            "split.by: shipped leaves out what is outside, hash keeps each set together",
        )
    if result.divided_groups:
        add(
            f"groups in the shipped test set and outside it: {listed(result.divided_groups)}",
            "split.by: shipped leaves out what is outside, hash keeps each group together",
        )
    if result.label_conflicts:
        consequence = "different patients: they stay" if result.conflicts_kept else "all of them are left out"
        add(f"sets under more than one label: {len(result.label_conflicts)}", consequence)
    if result.misfits:
        first = result.misfits[0]
        lines.append(f"other values than the rest: {len(result.misfits)} images, first {first.path}: {first.reason}")
    if result.unjudged:
        add(
            f"nearly empty, cannot be compared with others: {len(result.unjudged)}, first {result.unjudged[0]}",
            "nothing is left out, but copies of them may be missed",
        )
    if result.groups:
        sets, members = len(result.groups), sum(map(len, result.groups))
        add(f"same {what}: {sets} sets ({members} {what}s)", "each set stays on one side of the split")
    if result.equal_rows:
        equal = result.equal_rows
        add(
            f"equal in all features: {equal.n_rows} rows in {equal.n_pairs} pairs, of which the columns explain "
            f"{equal.expected:.0f}; duplicates: {equal.n_duplicates} rows",
            "duplicates stay on one side of the split, the others are different patients",
        )
    return lines


def listed(names: list[str]) -> str:
    """Return how many there are and the first three."""
    return f"{len(names)} ({', '.join(names[:3])}{', ...' if len(names) > 3 else ''})"


def describe_clusters(clusters: Clusters) -> str:
    """Return what was found where rows or images come in clusters that no group explains."""
    what = "rows" if clusters.columns else "images"
    if clusters.by_label:
        return (
            f"{what} share their label with the most similar {what}: agreement is {clusters.share:.2f} higher than that with "
            f"less similar ones explains (chance: up to {clusters.limit:.2f}; 1 is always), as those of one patient do"
        )
    if not clusters.columns:
        return (
            f"images come in clusters: {clusters.share:.0%} of them lie in sets of {FEWEST_OF_SET} to {MOST_OF_SET} that are "
            f"each other's most alike (chance: up to {clusters.limit:.0%}), as several images of one patient do"
        )
    return (
        f"rows come in clusters: {clusters.share:.0%} of them lie closer to others than the spread of {len(clusters.columns)} "
        f"columns explains (chance: up to {clusters.limit:.0%}), as repeated visits of one patient or edited copies do"
    )


def warnings(task: str, root: Path = Path()) -> list[str]:
    """Return what stands next to every figure of a task: its audit found clusters that no group explains."""
    clusters = AuditResult.read(task, root).clusters if TaskPaths(task, root).audit.exists() else None
    if not clusters:
        return []
    described = describe_clusters(clusters)
    return [f"{described[0].upper()}{described[1:]}. If they do, all figures here are too good"]


def require_groups(result: AuditResult, read: ReadParams, raw: str, name: str) -> None:
    """Raise FindingError where samples come in clusters and nobody has said whether they are one patient's."""
    if not result.clusters or knows_groups(read):
        return
    what, where, option = ("row", "group", "--group COLUMN")
    if not result.clusters.columns:
        what, where, option = ("image", "group, or the part of the path: group_from", f"{option} or --group-from REGEX")
    raise FindingError(
        f"{raw}: {describe_clusters(result.clusters)}. Name the column that says which {what}s are one patient's: "
        f"tasks.{name}.read.{where}, or init_task {option}. If each {what} is another patient, set "
        f"tasks.{name}.read.no_group: true (init_task --no-group)"
    )


def about_unknown_groups(read: ReadParams, what: str) -> list[str]:
    """Return the line that is always printed where nothing says which samples are one patient's: no test sees all of them."""
    if knows_groups(read):
        return []
    return [
        f"no group is known: each {what} is taken as another patient. If it is not, all figures are too good: name the patient "
        "(read.group; init_task --group COLUMN). If it is, read.no_group: true says so"
    ]


def knows_groups(read: ReadParams) -> bool:
    """Return whether somebody has said which samples are one patient's, or that none are."""
    return bool(read.group or read.group_from or read.dicom_group or read.no_group)


def refuse(result: AuditResult, tolerated: AuditParams, raw: str, name: str) -> None:
    """Raise DataError for leaks or label conflicts where the task `name` does not tolerate them."""
    cases = [
        ("leaks", tolerated.leaks, result.leaks, "both in the shipped test set and outside it"),
        ("conflicts", tolerated.conflicts, result.label_conflicts, "the same under more than one label"),
    ]
    for key, wanted, sets, what in cases:
        if wanted == "error" and sets:
            first = "; ".join(" = ".join(paths[:3]) + (" ..." if len(paths) > 3 else "") for paths in sets[:3])
            raise DataError(
                f"{raw}: {len(sets)} sets are {what}: {first}{'; ...' if len(sets) > 3 else ''}. Remove all but one "
                f"of each (data/{name}/audit.json lists them), or set tasks.{name}.audit.{key}: drop"
            )


def exit_code(result: AuditResult, shipped: bool, has_groups: bool = False) -> int:
    """Return FOUND for one image across a shipped split or under two labels, or twice anywhere if no split ships.

    So for groups on both sides of a shipped split, and for clusters where no group is known (`has_groups`); equal rows of
    a table under two labels are different patients.
    """
    conflicts = result.label_conflicts and not result.conflicts_kept
    clusters = result.clusters and not has_groups
    bad = result.leaks or conflicts or result.divided_groups or clusters or (result.groups and not shipped)
    return FOUND if bad else CLEAN
