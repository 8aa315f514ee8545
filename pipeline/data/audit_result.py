"""The content of audit.json: `duplicates` finds it, the split, the reports and the app read it."""

from dataclasses import asdict, dataclass, field
from pathlib import Path

from pipeline.core.artifacts import JSON
from pipeline.core.paths import TaskPaths
from pipeline.core.stage import read_result
from pipeline.data.folders.sample_files import Skipped


@dataclass(frozen=True, slots=True)
class Pair:
    """Two positions `a` < `b` that hold the same image or row.

    `kind`: what was done (`exact`, or see `duplicates.images.edits`); `score`: the correlation of their detail, 1 at most;
    `copy`: whether they certainly are one image, not two images of the same subject in the same view.
    """

    a: int
    b: int
    kind: str
    score: float
    copy: bool


@dataclass(frozen=True, slots=True)
class PathPair:
    """Two samples that show the same, by their paths; `kind`, `score` and `copy` as in `Pair`."""

    a: str
    b: str
    kind: str
    score: float
    copy: bool


@dataclass(frozen=True, slots=True)
class Shortcut:
    """An acquisition property that predicts the label: with this cross-fitted ROC AUC, macro one-vs-rest of several classes.

    `accuracy` is that of the more probable class, `majority` the share of the commonest one.
    """

    name: str
    accuracy: float
    majority: float
    roc_auc: float | None = None  # None in records of older versions

    def __str__(self) -> str:
        known = f"accuracy {self.accuracy:.0%}" if self.roc_auc is None else f"ROC AUC {self.roc_auc:.2f}"
        return f"{self.name} ({known})"


FEWEST_OF_SET, MOST_OF_SET = 4, 16  # images of a set; larger ones may be a class or a scanner, smaller ones are chance


@dataclass(frozen=True, slots=True)
class Clusters:
    """Samples that lie closer together than chance explains, and whose groups do not explain it.

    `share` of the samples do so, chance explains `limit`; `columns` are those that were compared, none of images. With `by_label`
    the nearest rows share their label instead, and `share` is by how much more than farther ones explain, 1 for always.
    """

    share: float
    limit: float
    columns: list[str]
    by_label: bool = False


@dataclass(frozen=True, slots=True)
class EqualRowCounts:
    """Rows that are equal in all features: `n_rows` in `n_pairs` pairs, of which the columns explain `expected`."""

    n_rows: int
    n_pairs: int
    expected: float
    n_duplicates: int


@dataclass(frozen=True)
class AuditResult:
    """What an audit found; the fields are the keys of audit.json.

    `groups`: paths of samples that show the same; `leaks`: those of them on both sides of a shipped split, with `n_leaked` test
    samples; `label_conflicts`: copies under several labels; `unjudged`: images too empty to be compared. `uploads`: the pairs of
    which one is an upload, None (and no key) for data without uploads. What was not found has no key either:
    `divided_groups`: on both sides of a shipped split; `misfits`: images whose values do not look like those of the others;
    `clusters`; `upload_clusters`: the same of uploads among all samples, where the raw ones show none; `equal_rows`: of tables.
    With `conflicts_kept` rows that are equal under several labels are different patients, and stay.
    """

    n_files: int = 0
    n_unreadable: int = 0
    n_leaked: int = 0
    groups: list[list[str]] = field(default_factory=list)
    leaks: list[list[str]] = field(default_factory=list)
    label_conflicts: list[list[str]] = field(default_factory=list)
    unjudged: list[str] = field(default_factory=list)
    unreadable: list[Skipped] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    confounders: list[Shortcut] = field(default_factory=list)
    pairs: list[PathPair] = field(default_factory=list)
    uploads: list[PathPair] | None = None
    divided_groups: list[str] | None = None
    misfits: list[Skipped] | None = None
    clusters: Clusters | None = None
    upload_clusters: Clusters | None = None
    equal_rows: EqualRowCounts | None = None
    conflicts_kept: bool | None = None

    def to_json(self) -> JSON:
        """Return the content of audit.json."""
        return {key: value for key, value in asdict(self).items() if value is not None}

    @classmethod
    def read(cls, task: str, root: Path = Path()) -> "AuditResult":
        """Return what the audit of a task's data found."""
        return read_result(cls, TaskPaths(task, root).audit, f"audit@{task}")
