"""The champion on data of another source: what of it is in the task's own data already, and how good is it on the rest.

    python -m pipeline.external NAME TASK PATH [--label-map FILE] [--label COLUMN] [--group COLUMN]

adds the data at PATH, which are only read, to params.yaml and runs their stage. `external@NAME` audits them against all of the
task's data, development and test, leaves out what is in both, scores the rest by the Predictor that serves, and writes
`reports/<task>/external/<name>.json` and, to `reports/<task>/figures/<name>/`, roc.png, reliability.png and the same JSON.
"""

import argparse
import subprocess
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from tqdm import tqdm

from pipeline import (
    artifacts,
    check,
    edit_yaml,
    evaluate,
    included,
    layout,
    operating_point,
    params,
    plots,
    scan,
    tables,
)
from pipeline.assess import add_refusals, assess
from pipeline.audit import joined, take_all
from pipeline.beside import asked_for
from pipeline.dataset import Dataset
from pipeline.decision import decide
from pipeline.fingerprint import open_store
from pipeline.intervals import of_difference
from pipeline.look import look, task_params
from pipeline.parallel import run_parallel
from pipeline.params import ExternalParams, TaskParams
from pipeline.predictor import Predictor
from pipeline.same_picture import find_pairs, group, links_of
from pipeline.scan import report_unreadable
from pipeline.split import read_samples
from pipeline.stage import DataError, ParamsError, StageError, require, run

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
    listed, _ = layout.list_samples(source, name)
    split = pd.read_csv(
        require(f"data/{block.task}/split.csv", f"split@{block.task}"), dtype=str, keep_default_na=False
    )
    split = split.iloc[np.argsort([ORDER.index(subset) for subset in split["subset"]], kind="stable")]
    known = [included.locate(Path(task.raw), path) for path in split["path"]]
    paths, store, workers = [root / sample.path for sample in listed], open_store(), params.workers()
    prints = take_all([*known, *paths], store, name, workers)
    errors = [one.facts["error"] for one in prints]
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
    samples, features = scan.scan_table(source, name)
    columns = [field["name"] for field in schema]
    tables.check_columns([column for column in features if column in columns], schema)
    own = read_samples(block.task)
    split = pd.read_csv(
        require(f"data/{block.task}/split.csv", f"split@{block.task}"), dtype=str, keep_default_na=False
    )
    subset = own["path"].map(dict(zip(split["path"], split["subset"], strict=True))).fillna("excluded")
    order = np.argsort([ORDER.index(one) for one in subset], kind="stable")
    text = pd.read_csv(f"data/{block.task}/scan/columns.csv", dtype=str, keep_default_na=False)[columns].iloc[order]
    both = tables.typed(pd.concat([text, features[columns]], ignore_index=True)).map(str)
    inside, groups = judge(links_of(tables.row_ids(both)), subset.iloc[order].tolist(), samples["group"].tolist())
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
    inside, together = np.full(len(groups), "", dtype="U8"), np.zeros(len(groups), int)
    for members in joined(n_known + len(groups), links):
        if members[0] < n_known:
            inside[[i - n_known for i in members if i >= n_known]] = subsets[members[0]]
    own = [(a - n_known, b - n_known) for a, b in links if min(a, b) >= n_known]
    for number, members in enumerate(group(len(groups), own + links_of(groups))):
        together[members] = number
    return inside, together


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


def run_stage(name: str) -> None:
    """Write the report on the external data set `name`."""
    block = params.external(name)
    task = params.task(block.task)
    winner = artifacts.read_json(require(f"reports/{block.task}/selection.json", f"select_best@{block.task}"))["winner"]
    here = artifacts.read_json(require(f"reports/{block.task}/test/{winner}.json", f"holdout@{block.task}"))
    predictor = Predictor(require(f"models/{block.task}/best", f"select_best@{block.task}"))
    classes = predictor.classes
    source = task_params(task.kind, block.raw, block.read.model_dump(exclude_none=True))
    if task.kind == "image":
        found = pictures(block, source, classes, name, asked_for(predictor.info))
    else:
        found = rows(block, source, classes, name, predictor.info["schema"])
    bad = [(path, error) for path, error in zip(found.path, found.error, strict=True) if error]
    report_unreadable(bad, len(found.path), source, name)
    good = np.array([not error for error in found.error])
    labelled = np.array([bool(label) for label in found.label])
    own = found.known != ""
    kept = np.flatnonzero(good & labelled & ~own)
    answers = predict([found.data[i] for i in kept], predictor, name)
    scored = np.array([not isinstance(answer, str) for answer in answers], bool)
    kept, answers = kept[scored], [answer for answer in answers if not isinstance(answer, str)]
    if not len(kept):
        known, other = np.sum(good & own), np.sum(good & ~labelled)
        raise DataError(
            f"{block.raw}: no sample is left to score: of {len(found.path)}, {known} are in the task's own data, and {other} "
            f"have a label that is none of {', '.join(classes)}; --label-map gives labels other names"
        )
    data = Dataset(
        id=np.array([str(i) for i in kept]),
        path=np.array([found.path[i] for i in kept]),
        group=np.array([f"{found.group[i]:08}" for i in kept]),
        y=np.array([classes.index(found.label[i]) for i in kept]),
        fold=np.full(len(kept), -1),
        classes=classes,
        arrays={},
    )
    proba, refused = np.stack([answer[0] for answer in answers]), np.array([answer[1] for answer in answers])
    report = score(data, proba, refused, predictor.info["decision"], task)
    report |= {
        "model": winner,
        "overlap": {"n": int(np.sum(good & own)), "of": int(np.sum(good))}
        | {subset: int(np.sum(good & (found.known == subset))) for subset in ORDER},
        "left_out": {
            "label": int(np.sum(good & ~labelled & ~own)),
            "unreadable": len(bad) + int(np.sum(~scored)),
        },
        "change": changes(here, report),
    }
    write(report, data, proba, block.task, name)
    low, high = (f"{end:.3f}" for end in report["ci"]["roc_auc"])
    print(
        f"external {name}: {len(kept)} samples, {report['overlap']['n']} more are in the task's own data and left out: "
        f"roc_auc {report['roc_auc']:.3f} [{low}, {high}], internal test {here['roc_auc'] or np.nan:.3f}",
        file=sys.stderr,
    )


def score(data: Dataset, proba: np.ndarray, refused: np.ndarray, rule: dict, task: TaskParams) -> dict[str, Any]:
    """Return the report on predictions, as holdout writes it, with the mean probability and share of the positive class."""
    decided = decide(proba, rule)
    report = assess(data, proba, decided, task.select.draws, params.seed())
    add_refusals(report, data, decided, refused)
    if data.positive:
        report["operating_point"] = operating_point.describe(report, rule, task.select.operating_point.prevalence)
        report["calibration_in_the_large"] = {"predicted": proba[:, 1].mean(), "observed": np.mean(data.y == 1)}
    return report


def write(report: dict[str, Any], data: Dataset, proba: np.ndarray, task: str, name: str) -> None:
    """Write the report, and its charts."""
    drawn = Path(f"reports/{task}/figures/{name}")
    area = np.nan if report["roc_auc"] is None else report["roc_auc"]
    plots.roc(data, proba, area, name, drawn / "roc.png")
    plots.reliability(evaluate.reliability(data, proba), data.positive, name, drawn / "reliability.png")
    artifacts.write_json(drawn / "external.json", report)  # the report depends on this folder, which is always there
    artifacts.write_json(f"reports/{task}/external/{name}.json", report)


def read_words(path: Path | None) -> dict[str, str]:
    """Return the label map in a file of lines "theirs: ours"; raise DataError for anything else."""
    if path is None:
        return {}
    try:
        words = yaml.load(path.read_text(encoding="utf-8"), yaml.BaseLoader)  # BaseLoader: YES stays a word
    except OSError as error:
        raise DataError(f"{path.as_posix()}: cannot be opened ({error.strerror})") from None
    except (yaml.YAMLError, UnicodeDecodeError):
        words = None
    if not isinstance(words, dict) or not all(isinstance(word, str) for pair in words.items() for word in pair):
        raise DataError(f"{path.as_posix()}: expected lines such as 'melanoma: malignant', their label and ours")
    return words


def add(name: str, task: str, path: str, words: dict[str, str], label: str | None, group_by: str | None) -> None:
    """Write the external data set into params.yaml; raise ParamsError or DataError, and write nothing, where it does not fit."""
    content = params.load()
    check.check(content)
    if name in (content.get("external") or {}):
        raise ParamsError(f"params.yaml has external.{name} already; choose another name, or delete that block")
    kind = params.task(task).kind
    found = look(path, label, group_by, content["workers"])
    if found.kind != kind:
        raise DataError(f"{path}: holds data of kind {found.kind}; the task {task!r} is of kind {kind}")
    block = {"task": task, "raw": found.raw, "read": found.read} | ({"labels": words} if words else {})
    text = edit_yaml.add(params.PARAMS.read_bytes().decode(), "external", {name: block})
    check.check(yaml.safe_load(text))
    artifacts.write_bytes(params.PARAMS, text.encode())
    print(f"params.yaml: external.{name} is added: {len(found.samples)} samples, nothing of them is changed")


def main(*arguments: str) -> None:
    """Run the stage for a name alone; add a data set, and run its stage, for a name, a task and a path."""
    parser = argparse.ArgumentParser("python -m pipeline.external", description="Try the champion on other data.")
    parser.add_argument("name", help="of the data set: a-z, 0-9, - and _")
    parser.add_argument("task", nargs="?", help="whose champion is tried")
    parser.add_argument("path", nargs="?", help="a folder of pictures or a CSV; only read")
    parser.add_argument("--label-map", metavar="FILE", type=Path, help="lines 'theirs: ours' for labels of other names")
    parser.add_argument("--label", metavar="COLUMN", help="of the CSV: the class")
    parser.add_argument("--group", metavar="COLUMN", help="of the CSV: samples that belong together")
    given = parser.parse_args(arguments)
    if len(arguments) == 1:
        run_stage(given.name)
        return
    if not given.path:
        parser.error("give NAME, TASK and PATH; NAME alone runs the stage of what was added")
    add(given.name, given.task, given.path, read_words(given.label_map), given.label, given.group)
    stage = f"external@{given.name}"
    if subprocess.run([sys.executable, "-m", "dvc", "repro", stage], check=False).returncode:
        raise StageError(
            f"{stage} has failed, see above; mend it and run 'dvc repro {stage}', or delete external.{given.name}"
        )
    print(
        f"reports/{given.task}/external/{given.name}.json: every figure. Next: dvc repro, which puts it into the report"
    )


if __name__ == "__main__":
    run(main)
