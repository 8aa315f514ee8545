"""What comparison.json holds, as types: the effect of a batch on the champion, and the profile of the batch itself.

Keys on disk may be added, never renamed. A figure that is not defined is NaN here and null on disk.
"""

import math
from dataclasses import asdict, dataclass, field
from typing import TypedDict

from pipeline.core.artifacts import JSON
from pipeline.data.audit_result import Shortcut


class Outcome(TypedDict):
    """What became of a submitted sample: `id` is the hash under which it is stored.

    `reason` says why it was refused, or what is unusual about the values of one that was accepted.
    """

    file: str
    id: str
    accepted: bool
    reason: str


@dataclass(frozen=True)
class Change:
    """A metric of champion and challenger, and their difference with its 95 % interval."""

    champion: float
    challenger: float
    difference: float
    ci: tuple[float, float]

    @property
    def is_defined(self) -> bool:
        """Whether the difference has an interval."""
        return not any(map(math.isnan, (self.difference, *self.ci)))


@dataclass(frozen=True)
class SubgroupChange:
    """The metrics of a subgroup; `few` marks one that is too small to conclude from."""

    column: str
    value: str
    n: int
    few: bool
    metrics: dict[str, Change]


@dataclass(frozen=True)
class Drift:
    """Distance of the batch's `n` development samples to the champion's development set.

    `farther` is the probability that a sample of the batch is farther from the training data than a training sample (0.5: no
    difference, None: no sample takes part), `ci` its interval over groups, `distance` the medians of both.
    """

    n: int
    farther: float | None
    ci: tuple[float, float] = (math.nan, math.nan)
    distance: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class BatchProfile:
    """A batch: `n` samples by label, and how many the audit leaves out, by reason.

    `joined` counts samples that show what an earlier sample shows; they share its fold. `shortcuts` are acquisition properties
    that distinguish the batch from the rest, as `duplicates.shortcuts` finds them; `development` has {label: {before, with_it}};
    `refused` is the share that the champion refuses; `clusters` says in words where uploads share their label with near
    samples, and did not before.
    """

    n: int
    labels: dict[str, int]
    left_out: dict[str, int]
    joined: int
    shortcuts: list[Shortcut]
    development: dict[str, dict[str, int]]
    refused: float
    refused_ci: tuple[float, float]
    drift: Drift
    clusters: str = ""

    @property
    def n_used(self) -> int:
        """How many samples take part."""
        return self.n - sum(self.left_out.values())

    def to_json(self) -> JSON:
        """Return the profile as comparison.json holds it."""
        return {"told_by" if key == "shortcuts" else key: value for key, value in asdict(self).items()}

    @classmethod
    def fields_of_json(cls, content: JSON) -> JSON:
        """Return the content of comparison.json by field."""
        return {"shortcuts" if key == "told_by" else key: value for key, value in content.items()}


@dataclass(frozen=True)
class Comparison:
    """Champion against challenger on the champion's `n` development samples.

    `champion` and `challenger` are {model, bundle}; `metric` is the one that models are selected by, `failed` those of the
    `guarded` metrics that may be worse by more than `margin`; `hashes` are the samples of the batch. `tries`: how many
    comparisons with this champion there have been; `too_good`: a gain beyond what the learning curve allows, in words.
    """

    champion: dict[str, str]
    challenger: dict[str, str]
    n: int
    metric: str
    margin: float
    guarded: list[str]
    failed: list[str]
    passed: bool
    recommendation: str
    metrics: dict[str, Change]
    per_class: dict[str, dict[str, Change]]
    subgroups: list[SubgroupChange]
    batch: BatchProfile
    hashes: list[str]
    cautions: list[str] = field(default_factory=list)
    tries: int = 1
    too_good: str = ""
