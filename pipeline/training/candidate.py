"""The candidate: what a prediction needs to know about a fitted model, and how the model was made (candidate.json).

Light to import: the API and the app read it too.
"""

from dataclasses import dataclass
from pathlib import Path

from pipeline.core import artifacts
from pipeline.core.artifacts import JSON
from pipeline.data.tabular.formats import Field

# An estimator's own parameters by name; each estimator says in `Params` which it takes
Values = JSON


@dataclass(frozen=True)
class Tuned:
    """The values that tuning chose: for the model that is kept, and for each fold of each repeat in turn.

    tried: each combination with `log_loss`, its mean over all out-of-fold predictions; the smallest is not the model's score.
    """

    chosen: Values
    by_fold: list[Values]
    tried: list[Values]


@dataclass(frozen=True)
class Candidate:
    """The content of candidate.json.

    features: what the files take, `pixels` for a whole network. files: {file name: SHA-256}. schema: the columns, null in the
    file where there are none. tuned: None where no values are listed.
    """

    task: str
    model: str
    estimator: str
    features: str
    hyperparameters: Values
    kind: str
    classes: list[str]
    positive: str | None
    input: JSON | None
    versions: dict[str, str]
    data_fingerprint: str
    files: dict[str, str]
    schema: list[Field]
    tuned: Tuned | None = None

    def to_json(self) -> JSON:
        """Return the content of candidate.json; `tuned` is left out where there is none."""
        content = {name: value for name, value in vars(self).items() if name != "tuned" or value}
        return content | {"schema": self.schema or None}

    @classmethod
    def read(cls, folder: Path) -> "Candidate":
        """Return the candidate in a folder."""
        return artifacts.from_json(cls, artifacts.read_json(folder / "candidate.json"))

    def write(self, folder: Path) -> None:
        """Write candidate.json to the folder."""
        artifacts.write_json(folder / "candidate.json", self)
