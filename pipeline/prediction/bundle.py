"""A bundle: a folder with all that a prediction needs, which is the model, the embedder if it needs one, and bundle.json.

bundle.json carries the SHA-256 of every other file and is written last: a folder without it, or with files that do not
match it, is not a bundle.
"""

import json
import re
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.core import artifacts, paths
from pipeline.core.artifacts import JSON
from pipeline.core.errors import BundleError
from pipeline.core.paths import TaskPaths
from pipeline.core.stage import read_result, require
from pipeline.data.image_with_columns import has_columns, image_part
from pipeline.data.tabular.formats import Field
from pipeline.training.candidate import Candidate, Values

if TYPE_CHECKING:
    from pipeline.data.images.pixel_rule import PixelRule
    from pipeline.prediction.decision_rule import DecisionRule

FORMAT = 1
KEYS = {"kind": str, "classes": list, "features": str, "decision": dict, "files": dict}  # what no reader can do without
PLAIN_NAME = re.compile(r"\w[\w.-]*")


@dataclass(frozen=True)
class GoldenPrediction:
    """What the bundle answered to a made-up input where it was exported: probabilities, (n_classes,), before the decision."""

    input: Any
    probabilities: list[float]


@dataclass(frozen=True)
class BundleInfo:
    """The content of bundle.json. What a bundle of an older version lacks has its default.

    `kind`: image or table. `features`: what the model takes, such as pixels, embedding or columns. `decision`: the content of
    `rule`. `schema`: the columns of a table, or the clinical columns. `metrics`: the report out of fold, and under `reference`
    what monitoring compares with. `files`: SHA-256 by name. `warning`: what every answer carries, "" for nothing.
    """

    kind: str
    classes: list[str]
    features: str
    decision: JSON
    files: dict[str, str]
    task: str = ""
    model: str = "model"
    positive: str | None = None
    estimator: str | None = None
    hyperparameters: Values = field(default_factory=dict)
    input: JSON | None = None
    schema: list[Field] = field(default_factory=list)
    metrics: JSON = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    data_fingerprint: str | None = None
    golden: list[GoldenPrediction] = field(default_factory=list)
    warning: str = ""

    @classmethod
    def fields_of_json(cls, content: JSON) -> JSON:
        """Return what bundle.json holds under names that are known here; null stands for the default."""
        return {part.name: content[part.name] for part in fields(cls) if content.get(part.name) is not None}

    @classmethod
    def read(cls, task: str) -> "BundleInfo":
        """Return the bundle.json of a task's champion, whose files are not checked."""
        return read_result(cls, TaskPaths(task).bundle, f"select_best@{task}")

    @property
    def is_table(self) -> bool:
        """Whether samples are rows: of a table, or vectors."""
        return self.kind == "table" or self.is_vector

    @property
    def is_vector(self) -> bool:
        """Whether a sample is a vector of features that the user computed of an image (see `data.own_features`)."""
        return "vector" in (self.input or {})

    @property
    def clinical_columns(self) -> list[str]:
        """The names of the columns that the model takes with an image; none for other models."""
        return [column.name for column in self.schema] if has_columns(self.features) else []

    @cached_property
    def pixel_rule(self) -> "PixelRule":
        """How image files are read: as the training data were."""
        from pipeline.data.images.pixel_rule import PixelRule  # brings Pillow

        return PixelRule.from_json(self.input)

    @cached_property
    def rule(self) -> "DecisionRule":
        """How probabilities become an answer."""
        from pipeline.prediction.decision_rule import (
            DecisionRule,  # brings numpy, for which the app's first page does not wait
        )

        return artifacts.from_json(DecisionRule, self.decision)


@dataclass(frozen=True)
class Bundle:
    """A bundle that was checked: the content of bundle.json, its SHA-256, and the bytes of the other files by name."""

    info: BundleInfo
    sha256: str
    files: dict[str, bytes]

    @property
    def id(self) -> str:
        """The model's name and the first digits of bundle.json's SHA-256."""
        return f"{self.info.model}@{self.sha256[:12]}"


# What makes the bundle's files, by name, of those of a candidate
Remake = Callable[[Candidate, dict[str, bytes], "DecisionRule"], dict[str, bytes]]


def write(
    folder: Path,
    candidate: Path,
    rule: "DecisionRule",
    metrics: JSON,
    golden: list[GoldenPrediction] | None = None,
    warning: str = "",
    remake: Remake | None = None,
) -> None:
    """Copy a candidate's files into `folder`: all are written next to the old ones first, and then replace them.

    bundle.json comes last, so that a reader meets the old bundle, the new one or a mismatch, which `read` refuses. `rule`
    are the numbers that turn probabilities into an answer, `metrics` what is known of how well it does, `golden` what it
    answers to known inputs, `warning` what every answer carries. `remake` gives the files that take
    the place of the candidate's (see `portable_files.make`). Files that are not the new bundle's are removed at the end.
    Raises BundleError where the candidate's files are not those that its training wrote.
    """
    described = Candidate.read(candidate)
    files = {name: read_file(candidate, name, expected, "candidate.json") for name, expected in described.files.items()}
    if image_part(described.features) == "embedding" and "vector" not in (described.input or {}):
        files["embedder.tflite"] = require(paths.EMBEDDER, "backbone").read_bytes()
    if remake:
        files = remake(described, files, rule)
    content = described.to_json() | {"format": FORMAT, "decision": rule, "metrics": metrics, "golden": golden}
    content["warning"] = warning
    content["files"] = {name: artifacts.sha256(data) for name, data in files.items()}
    with ExitStack() as stack:  # closes in reverse: bundle.json, entered first, is put in place last
        artifacts.write_json(stack.enter_context(artifacts.replacing(folder / "bundle.json")), content)
        for name, data in files.items():
            stack.enter_context(artifacts.replacing(folder / name)).write_bytes(data)
    for path in folder.iterdir():
        if path.is_file() and path.name not in files and path.name != "bundle.json":
            path.unlink()


def expected_sha256(task: str) -> str:
    """Return the SHA-256 that `reports/<task>/selection.json`, which git keeps, gives for the champion's bundle.json.

    A `.joblib` file is code that runs when it is loaded, and whoever can write to `models/` could put one there together with
    a bundle.json that fits it. What serves others therefore asks git's reports. Raises BundleError where they say nothing.
    """
    path = TaskPaths(task).selection
    try:
        return artifacts.read_json(path)["bundle"]
    except (OSError, ValueError, KeyError, TypeError):
        raise BundleError(
            f"{path.as_posix()}, which names the hash of models/{task}/best, is missing or names none: "
            f"run 'dvc repro select_best@{task}', or restore it with git"
        ) from None


def read(folder: Path, expected_sha256: str | None = None) -> Bundle:
    """Return a bundle after checking every hash on the bytes that are returned.

    Raises BundleError where anything is missing, not JSON, of another format, does not match, or is not the
    `expected_sha256`.
    """
    where = folder.as_posix()
    try:
        data = (folder / "bundle.json").read_bytes()
        content = json.loads(data)
    except FileNotFoundError:
        raise BundleError(
            f"{where} has no bundle.json: run 'dvc repro', or restore it with 'dvc checkout {where}'"
        ) from None
    except (ValueError, RecursionError):
        raise BundleError(f"{where}/bundle.json is not JSON: restore it with 'dvc checkout {where}'") from None
    except OSError as error:
        raise BundleError(f"{where} is no bundle: bundle.json cannot be opened ({error.strerror})") from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise BundleError(f"{where}/bundle.json is not of format {FORMAT}: run 'dvc repro' with this version of Assay")
    lacking = [key for key, kind in KEYS.items() if not isinstance(content.get(key), kind)]
    if lacking:
        raise BundleError(f"{where}/bundle.json lacks {', '.join(lacking)}: restore it with 'dvc checkout {where}'")
    sha256 = artifacts.sha256(data)
    if expected_sha256 not in (None, sha256):
        raise BundleError(
            f"{where}/bundle.json is not the one that selection.json names (sha256 differs): restore both, "
            f"with 'dvc checkout {where}' and git, or run 'dvc repro'"
        )
    files = {name: read_file(folder, name, expected) for name, expected in content["files"].items()}
    try:
        info = artifacts.from_json(BundleInfo, content)
    except (TypeError, KeyError, AttributeError, ValueError) as error:
        raise BundleError(f"{where}/bundle.json has a part that cannot be read ({error}): run 'dvc repro'") from None
    return Bundle(info, sha256, files)


def read_file(folder: Path, name: str, expected: str, listed_in: str = "bundle.json") -> bytes:
    """Return a file's bytes; raise BundleError unless it lies in the folder itself and has the expected SHA-256."""
    where = folder.as_posix()
    if not PLAIN_NAME.fullmatch(name):
        raise BundleError(f"{where}/{listed_in} names {name!r}, which is not a file of its own folder: do not use it")
    try:
        data = (folder / name).read_bytes()
    except FileNotFoundError:
        raise BundleError(f"{where}/{name} is missing: restore it with 'dvc checkout {where}'") from None
    except OSError as error:
        raise BundleError(f"{where}/{name} cannot be opened ({error.strerror})") from None
    if artifacts.sha256(data) != expected:
        raise BundleError(
            f"{where}/{name} does not match {listed_in} (sha256 differs): restore it with 'dvc checkout {where}'"
        )
    return data
