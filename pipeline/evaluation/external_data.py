"""Compare samples of another source with the task's own, and score the champion on those that are new."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

from pipeline.core import params
from pipeline.core.errors import DataError
from pipeline.core.parallel import run_parallel
from pipeline.core.params_models import ExternalParams, TaskParams
from pipeline.core.paths import TaskPaths
from pipeline.core.stage import require
from pipeline.data import folder_layout, tables, uploads
from pipeline.data.dataset import Dataset
from pipeline.data.samples import read_samples, scan_table
from pipeline.duplicates.fingerprint import open_store, take_all
from pipeline.duplicates.pairs import find_pairs
from pipeline.evaluation import operating_point
from pipeline.evaluation.scoring import add_refusals, assess
from pipeline.prediction.decision_rule import DecisionRule, decide
from pipeline.prediction.predictor import Predictor
from pipeline.stats.components import connected_components, joined_sets, pairs_of_equal
from pipeline.stats.intervals import of_difference

BATCH = 32  # samples handed to a worker at once
ORDER = ("dev", "test", "excluded")  # of the task's own samples: what was trained on counts first
COMPARED = ("roc_auc", "average_precision", "accuracy", "recall", "specificity", "brier_score_loss", "log_loss", "ece")


@dataclass(frozen=True)
class Found:
    """Samples of another source, each list and array (n,).

    `path`; `label` in the task's words or ""; `known`, str, in which subset of the task's own data it is (dev, test, excluded) or
    ""; `group`, int; `error`, why it cannot be used; `data`, a file's path, a row, or both, as the Predictor takes them.
    """

    path: list[str]
    label: list[str]
    known: np.ndarray
    group: np.ndarray
    error: list[str]
    data: list[Any]


def translate(labels: list[str], classes: list[str], words: dict[str, str]) -> list[str]:
    """Return the labels in the task's `classes`, by `words` {theirs: ours} where it has them; "" for what is none of them."""
    ours = (words.get(label, label) for label in labels)
    return [label if label in classes else "" for label in ours]


def pictures(block: ExternalParams, source: TaskParams, classes: list[str], name: str, columns: list[str]) -> Found:
    """Return the pictures of an external data set, compared with those of the task, and the `columns` that the model takes."""
    task, root = params.task(block.task), Path(block.raw)
    listed, _ = folder_layout.list_samples(source, name)
    split = pd.read_csv(require(TaskPaths(block.task).split, f"split@{block.task}"), dtype=str, keep_default_na=False)
    split = split.iloc[np.argsort([ORDER.index(subset) for subset in split["subset"]], kind="stable")]
    known = [uploads.locate(Path(task.raw), path) for path in split["path"]]
    paths, store, workers = [root / sample.path for sample in listed], open_store(), params.workers()
    prints = take_all([*known, *paths], store, name, workers)
    errors = [one.facts.error for one in prints]
    usable = [i for i, error in enumerate(errors) if not error]
    found = find_pairs([[*known, *paths][i] for i in usable], [prints[i] for i in usable], store, workers, name)
    links = [(usable[pair.a], usable[pair.b]) for pair in found]
    inside, groups = judge(links, split["subset"].tolist(), [sample.group for sample in listed])
    labels = translate([sample.label for sample in listed], classes, block.labels)
    lacking = [column for column in columns if column not in listed[0].extra]
    if lacking:
        raise DataError(
            f"{block.raw}: the model takes {', '.join(lacking)} beside the picture; there is no such column"
        )
    rows = [{column: sample.extra[column] for column in columns} for sample in listed]
    data = list(zip(paths, rows, strict=True)) if columns else paths
    return Found([sample.path for sample in listed], labels, inside, groups, errors[len(known) :], data)


def rows(block: ExternalParams, source: TaskParams, classes: list[str], name: str, schema: list[dict]) -> Found:
    """Return the rows of an external data set, compared with those of the task in the model's columns."""
    samples, features = scan_table(source, name)
    columns = [field["name"] for field in schema]
    tables.check_columns([column for column in features if column in columns], schema)
    own = read_samples(block.task)
    split = pd.read_csv(require(TaskPaths(block.task).split, f"split@{block.task}"), dtype=str, keep_default_na=False)
    subset = own["path"].map(dict(zip(split["path"], split["subset"], strict=True))).fillna("excluded")
    order = np.argsort([ORDER.index(one) for one in subset], kind="stable")
    text = pd.read_csv(TaskPaths(block.task).columns, dtype=str, keep_default_na=False)[columns].iloc[order]
    both = tables.typed(pd.concat([text, features[columns]], ignore_index=True)).map(str)
    inside, groups = judge(pairs_of_equal(tables.row_ids(both)), subset.iloc[order].tolist(), samples["group"].tolist())
    labels = translate(samples["label"].tolist(), classes, block.labels)
    return Found(
        samples["path"].tolist(),
        labels,
        inside,
        groups,
        samples["error"].tolist(),
        features[columns].to_dict("records"),
    )


def judge(links: list[tuple[int, int]], subsets: list[str], groups: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return of each sample behind the task's own, whose `subsets` come in `ORDER`, to which of these a set of copies joins it
    first, str (n,), "" for none, and the number of its group, int (n,): copies of one another and equal names of `groups` stand
    together.
    """
    n_known = len(subsets)
    inside = np.full(len(groups), "", dtype="U8")
    for members in joined_sets(n_known + len(groups), links):
        if members[0] < n_known:
            inside[[i - n_known for i in members if i >= n_known]] = subsets[members[0]]
    own = [(a - n_known, b - n_known) for a, b in links if min(a, b) >= n_known]
    return inside, connected_components(len(groups), own + pairs_of_equal(groups))


def predict_some(items: list[Any], predictor: Predictor) -> list[tuple[np.ndarray, bool] | str]:
    """Return probabilities (n_classes,) and whether it is refused of some samples, one by one as a server would, or the error."""
    answers = []
    for item in items:
        try:
            score = predictor.score(predictor.features(opened(item)))
            answers.append((score.proba, score.is_refused))
        except DataError as error:
            answers.append(str(error))
    return answers


def opened(item: Any) -> Any:
    """Return a sample as the Predictor takes it: of a path, alone or with columns, the file's bytes."""
    if isinstance(item, tuple):
        return item[0].read_bytes(), item[1]
    return item.read_bytes() if isinstance(item, Path) else item


def predict(items: list[Any], predictor: Predictor, name: str) -> list[tuple[np.ndarray, bool] | str]:
    """Return `predict_some` of all samples."""
    parts = [items[start : start + BATCH] for start in range(0, len(items), BATCH)]
    done = run_parallel(partial(predict_some, predictor=predictor), parts, params.workers())
    shown = tqdm(done, f"external {name}", total=len(parts), unit=" batches", delay=3)
    return [answer for part in shown for answer in part]


def changes(here: dict[str, Any], there: dict[str, Any]) -> dict[str, Any]:
    """Return of each figure what two reports differ by, elsewhere less the internal test: difference and `ci`."""
    found = {}
    for key in (key for key in COMPARED if key in here and key in there):
        ends = [report["ci"].get(key) for report in (there, here)]
        difference = np.nan if None in (here[key], there[key]) else there[key] - here[key]
        ci = of_difference(there[key], ends[0], here[key], ends[1])
        found[key] = {"difference": difference, "ci": ci}
    return found


def score(
    data: Dataset, proba: np.ndarray, refused: np.ndarray, rule: DecisionRule, task: TaskParams
) -> dict[str, Any]:
    """Return the report on predictions, as holdout writes it, with the mean probability and share of the positive class."""
    decided = decide(proba, rule)
    report = assess(data, proba, decided, task.select.draws, params.seed())
    add_refusals(report, data, decided, refused)
    if data.positive:
        report["operating_point"] = operating_point.describe(report, rule, task.select.operating_point.prevalence)
        report["calibration_in_the_large"] = {"predicted": proba[:, 1].mean(), "observed": np.mean(data.y == 1)}
    return report
