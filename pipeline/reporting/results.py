"""All results of one task, read once for its report."""

from dataclasses import dataclass
from functools import cached_property
from io import StringIO

import numpy as np
import pandas as pd

from pipeline.core import artifacts, params, params_models
from pipeline.core.params_models import TaskParams
from pipeline.core.paths import TaskPaths
from pipeline.core.stage import require
from pipeline.data import tables
from pipeline.data.audit_result import AuditResult
from pipeline.data.dataset import Dataset
from pipeline.data.folder_layout import COLUMNS
from pipeline.data.written_samples import read_samples, read_split
from pipeline.evaluation import out_of_fold, report, selection
from pipeline.evaluation.new_data import test_set_evaluations
from pipeline.evaluation.report import Report, SiteReport
from pipeline.evaluation.selection import Selection
from pipeline.evaluation.usefulness.learning_curve import LearningCurve
from pipeline.prediction.bundle import BundleInfo
from pipeline.prediction.decision_rule import calibrate
from pipeline.training.export import read_oof


@dataclass(frozen=True)
class Study:
    """A task's results.

    `samples`, `split`: as scan and split wrote them, every cell as text. `cv`, `test`: the champion's reports; `tests`: those of
    all models on the test set. `sites`: None where no column is named. `oof`: the champion's probabilities out of fold
    (n_dev, n_classes), not calibrated; of repeated folds those of the first.
    """

    name: str
    task: TaskParams
    samples: pd.DataFrame
    split: pd.DataFrame
    audit: AuditResult
    selection: Selection
    board: pd.DataFrame
    cv: Report
    test: Report
    tests: dict[str, Report]
    bundle: BundleInfo
    sites: SiteReport | None
    learning: LearningCurve
    dev: Dataset
    oof: np.ndarray

    @property
    def winner(self) -> str:
        """The champion's name."""
        return self.selection.winner

    @property
    def classes(self) -> list[str]:
        """The classes; if there are two, the positive one last."""
        return self.dev.classes

    @property
    def metric(self) -> str:
        """The key of the figure that the champion was chosen by."""
        return params_models.metric_key(self.selection.metric, len(self.classes))

    @property
    def verdict(self) -> str:
        """Which model won and why, with the figure under the name that readers know it by."""
        return self.selection.reason

    @property
    def what(self) -> str:
        """The noun for a sample."""
        return "image" if self.task.kind == "image" else "row"

    @cached_property
    def proba(self) -> np.ndarray:
        """The champion's calibrated probabilities out of fold, (n_dev, n_classes)."""
        return calibrate(self.oof, self.bundle.rule)

    @cached_property
    def decided(self) -> np.ndarray:
        """What the champion decided out of fold, int (n_dev,), by thresholds that did not see the sample."""
        return out_of_fold.read_decided(self.winner, self.bundle.rule, self.cv)

    @cached_property
    def n_evaluations(self) -> int:
        """How many candidates the test set is known to have seen."""
        return test_set_evaluations.count(self.name, self.winner)

    @cached_property
    def columns(self) -> pd.DataFrame:
        """What is known of each sample besides the image, in the order of `samples`: numbers as float64, words as str."""
        if self.task.kind == "table":
            text = pd.read_csv(TaskPaths(self.name).columns, dtype=str, keep_default_na=False)
        else:
            text = self.samples.drop(columns=COLUMNS)
        return tables.typed(text) if len(text.columns) else text


def read(name: str) -> Study:
    """Return what is known of the task `name`; raise StageError, naming the stage, where one has not run."""
    task = params.task(name)
    selected = selection.read(name)
    tests = {model: report.read_test(name, model) for model in task.models}
    dev = Dataset.read(name, "dev")
    board = artifacts.read_text(require(TaskPaths(name).leaderboard, f"holdout@{name}"))
    return Study(
        name=name,
        task=task,
        samples=read_samples(name),
        split=read_split(name),
        audit=AuditResult.read(name),
        selection=selected,
        board=pd.read_csv(StringIO(board)),
        cv=report.read_cv(name, selected.winner),
        test=tests[selected.winner],
        tests=tests,
        bundle=BundleInfo.read(name),
        learning=LearningCurve.read(name),
        sites=SiteReport.read(name) if task.select.site else None,
        dev=dev.rows(np.arange(len(dev.y))),  # without features, and so without an open file
        oof=read_oof(name, selected.winner)[: len(dev.y)],
    )
