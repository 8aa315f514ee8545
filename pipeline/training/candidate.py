"""The candidate: what a prediction must know of a fitted model, and where the model comes from (candidate.json).

Light to import: what serves predictions reads it too.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipeline.core import artifacts


@dataclass(frozen=True)
class Tuned:
    """What tuning chose of the listed values: for the model that is kept, and for each fold of each repeat in turn.

    tried: each combination with `log_loss`, its mean over all samples out of fold. The least of them is not the model's score.
    """

    chosen: dict[str, Any]
    by_fold: list[dict[str, Any]]
    tried: list[dict[str, Any]]


@dataclass(frozen=True)
class Candidate:
    """The content of candidate.json.

    features: what the files take, `pixels` for a whole network. files: {file name: SHA-256}. schema: the columns; None without.
    tuned: None where no values are listed.
    """

    task: str
    model: str
    estimator: str
    features: str
    hyperparameters: dict[str, Any]
    kind: str
    classes: list[str]
    positive: str | None
    input: dict[str, Any] | None
    versions: dict[str, str]
    data_fingerprint: str
    files: dict[str, str]
    schema: list[dict[str, Any]] | None
    tuned: Tuned | None = None

    def to_json(self) -> dict[str, Any]:
        """Return plain data; `tuned` is left out where there is none."""
        content = asdict(self)
        return content if self.tuned else {key: value for key, value in content.items() if key != "tuned"}

    @classmethod
    def read(cls, folder: Path) -> "Candidate":
        """Return the candidate in a folder."""
        return artifacts.from_json(cls, artifacts.read_json(folder / "candidate.json"))

    def write(self, folder: Path) -> None:
        """Write candidate.json to the folder."""
        artifacts.write_json(folder / "candidate.json", self.to_json())
