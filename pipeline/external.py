"""The champion on data of another source: what of it is in the task's own data already, and how good is it on the rest.

    python -m pipeline.external NAME TASK PATH [--label-map FILE] [--label COLUMN] [--group COLUMN]

adds the data at PATH, which are only read, to params.yaml and runs their stage. `external@NAME` audits them against all of the
task's data, development and test, leaves out what is in both, scores the rest by the Predictor that serves, and writes
`reports/<task>/external/<name>.json` and, to `reports/<task>/figures/<name>/`, roc.png, reliability.png and the same JSON.
"""

import argparse
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from pipeline.core import artifacts, params, yaml_edit
from pipeline.core.errors import DataError, ParamsError, StageError
from pipeline.core.paths import TaskPaths
from pipeline.core.stage import require, run
from pipeline.data.dataset import Dataset
from pipeline.data.image_with_columns import asked_for
from pipeline.data.samples import report_unreadable, task_params
from pipeline.evaluation import curves, plots
from pipeline.evaluation.external_data import ORDER, changes, pictures, predict, rows, score
from pipeline.prediction.predictor import Predictor
from pipeline.tasks import validate
from pipeline.tasks.inspect_data import inspect


def run_stage(name: str) -> None:
    """Write the report on the external data set `name`."""
    block = params.external(name)
    task = params.task(block.task)
    winner = artifacts.read_json(require(TaskPaths(block.task).selection, f"select_best@{block.task}"))["winner"]
    here = artifacts.read_json(require(TaskPaths(block.task).test_report(winner), f"holdout@{block.task}"))
    predictor = Predictor(require(TaskPaths(block.task).best, f"select_best@{block.task}"))
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
    report = score(data, proba, refused, predictor.rule, task)
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


def write(report: dict[str, Any], data: Dataset, proba: np.ndarray, task: str, name: str) -> None:
    """Write the report, and its charts."""
    drawn = TaskPaths(task).figures(name)
    area = np.nan if report["roc_auc"] is None else report["roc_auc"]
    plots.roc(data, proba, area, name, drawn / "roc.png")
    plots.reliability(curves.reliability(data, proba), data.positive, name, drawn / "reliability.png")
    artifacts.write_json(drawn / "external.json", report)  # the report depends on this folder, which is always there
    artifacts.write_json(TaskPaths(task).external(name), report)


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
    validate.check(content)
    if name in (content.get("external") or {}):
        raise ParamsError(f"params.yaml has external.{name} already; choose another name, or delete that block")
    kind = params.task(task).kind
    found = inspect(path, label, group_by, content["workers"])
    if found.kind != kind:
        raise DataError(f"{path}: holds data of kind {found.kind}; the task {task!r} is of kind {kind}")
    block = {"task": task, "raw": found.raw, "read": found.read} | ({"labels": words} if words else {})
    text = yaml_edit.add(params.PARAMS.read_bytes().decode(), "external", {name: block})
    validate.check(yaml.safe_load(text))
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
