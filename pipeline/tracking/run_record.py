"""The content of a model's run in MLflow, read from what the stages wrote; without MLflow."""

import json
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from pipeline.core import artifacts, params
from pipeline.core.artifacts import JSON
from pipeline.core.paths import TaskPaths
from pipeline.core.stage import durations, require
from pipeline.evaluation import selection
from pipeline.evaluation.new_data import test_set_evaluations
from pipeline.evaluation.report import Report, SiteReport, read_cv, read_external, read_test
from pipeline.evaluation.selection import Selection
from pipeline.tracking import curves
from pipeline.training.candidate import Candidate

LOCK = Path("dvc.lock")
SOURCES = ("params.yaml", "dvc.yaml", "pipeline")  # what makes results, apart from the raw data
UNNAMEABLE = re.compile(r"[^/\w.\- ]")  # what MLflow does not take in the name of a metric
# Aggregates only. confusion.csv stays out: it has a row per sample.
TABLES = ("roc", "history")
CHARTS = ("roc", "confusion", "history", "reliability", "coverage", "importance")


@dataclass(frozen=True)
class Record:
    """A model's run. `key` is the hash of its inputs and results; equal keys are the same run.

    `curve` holds (step, name, value) of the losses by epoch and of the ROC curve, `plots` the files to keep by their names in
    MLflow, `data` the fingerprint of the data set and `raw` the path of its raw files.
    """

    task: str
    model: str
    key: str
    params: dict[str, str]
    metrics: dict[str, float]
    curve: list[tuple[int, str, float]]
    plots: dict[str, Path]
    data: str
    raw: str = ""
    champion: bool = False


def read_records(name: str) -> list[Record]:
    """Return the records of the models in a task's list, in its order."""
    task = params.task(name)
    selected = selection.read(name)
    winner = selected.winner
    seconds = durations()
    common: dict[str, object] = {
        "seed": params.seed(),
        "kind": task.kind,
        "split": task.split.model_dump(exclude_none=True),
        "select": task.select.model_dump(exclude={"subgroups", "site"}),
    }
    if task.kind == "image":
        common["backbone"] = params.load().get("backbone")
    records = []
    for model in task.models:
        block = params.model(model).model_dump(exclude={"task"})
        record = read_model(name, model, flatten(common | block), seconds.get(f"train@{model}"))
        record = with_sites(replace(record, raw=task.raw))
        records.append(
            with_external(with_learning_curve(with_promise(record, selected))) if model == winner else record
        )
    return records


def read_model(task: str, model: str, given: dict[str, str], seconds: float | None) -> Record:
    """Return the record of a model alone; `given` are its parameters, `seconds` the duration of its training, if known."""
    paths = TaskPaths(task)
    files = [
        require(paths.cv(model), f"evaluate@{task}"),
        require(paths.test_report(model), f"holdout@{task}"),
        require(paths.decision_rule(model), f"evaluate@{task}"),
        require(paths.candidate_json(model), f"train@{model}"),
    ]
    plots = {f"{kind}.csv": paths.plot(kind, model) for kind in TABLES}
    plots |= {f"{kind}.png": paths.figures(model) / f"{kind}.png" for kind in CHARTS}
    report = read_cv(task, model)
    figures = figures_of(report, read_test(task, model))
    parameters = given | flatten(report.tuned.chosen if report.tuned else {}, "tuned.")
    return Record(
        task=task,
        model=model,
        key=content_key(files, parameters),
        params=parameters,
        metrics=figures if seconds is None else figures | {"train_seconds": seconds},
        curve=curves.losses(plots["history.csv"]) + curves.roc(plots["roc.csv"]),
        plots={name: path for name, path in plots.items() if path.exists()},
        data=Candidate.read(paths.candidate(model)).data_fingerprint,
    )


def with_sites(record: Record) -> Record:
    """Return a record with the figures at sites that the model was fitted without, as `sites/<site>/<figure>`."""
    task = record.task
    if not params.task(task).select.site:
        return record
    sites = SiteReport.read(task).models.get(record.model, [])
    if not sites:
        return record
    added: dict[str, float] = {}
    for scores in sites:
        figures = {"n": scores.n} | scores.figures
        if scores.difference:
            figures["roc_auc_difference"] = scores.difference.roc_auc
        added |= defined(f"{UNNAMEABLE.sub('_', f'sites/{scores.site}')}/", figures)
    key = content_key([], {"key": record.key, "sites": artifacts.rounded(sites)})
    return replace(record, key=key, metrics=record.metrics | added)


def with_learning_curve(record: Record) -> Record:
    """Return the champion's record with what twice the data are expected to bring, as `doubled_data_<metric>`."""
    path = TaskPaths(record.task).learning_curve
    if not path.exists():
        return record
    doubled = artifacts.read_json(path)["doubled"]
    gains = {name: values["gain"] for name, values in doubled.items() if values["gain"] is not None}
    key = content_key([path], {"key": record.key})
    return replace(record, key=key, metrics=record.metrics | defined("doubled_data_", gains))


def with_promise(record: Record, selected: Selection) -> Record:
    """Return the champion's record with its expected figure and the ends of its interval, as `expected_<metric>`."""
    record = replace(record, champion=True)
    if selected.expected is None:
        return record
    name, (low, high) = f"expected_{selected.metric}", selected.expected.ci
    added = {name: selected.expected.figure, f"{name}_low": low, f"{name}_high": high}
    added = {key: value for key, value in added.items() if value == value}
    return replace(
        record, key=content_key([], {"key": record.key, "expected": json.dumps(added)}), metrics=record.metrics | added
    )


def with_external(record: Record) -> Record:
    """Return the champion's record with its figures on external data sets, as `external/<name>/<figure>`."""
    task = record.task
    named = [name for name, block in (params.load().get("external") or {}).items() if block["task"] == task]
    if not named:
        return record
    added: dict[str, float] = {}
    for name in named:
        added |= defined(f"external/{name}/", read_external(task, name).figures)
    files = [TaskPaths(task).external(name) for name in named]
    return replace(record, key=content_key(files, {"key": record.key}), metrics=record.metrics | added)


def flatten(content: Mapping[str, object], prefix: str = "") -> dict[str, str]:
    """Return nested values as text under dotted names: {"a": {"b": None}} becomes {"a.b": "null"}."""
    flat: dict[str, str] = {}
    for name, value in content.items():
        if isinstance(value, dict) and value:
            flat |= flatten(value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = value if isinstance(value, str) else json.dumps(value)
    return flat


def figures_of(cv: Report, test: Report) -> dict[str, float]:
    """Return every figure of two reports as `oof_<name>` and `test_<name>`, and the ends of the intervals out of fold.

    Predictive values at a prevalence that params.yaml names become `<name>_at_prevalence`, figures of subgroups
    `subgroups/<column>/<value>/<prefix>_<name>`. Figures of samples that are answered together have by_group behind the prefix.
    """
    ends = {
        f"{name}_{end}": value for name, ci in cv.ci.items() for end, value in zip(("low", "high"), ci, strict=True)
    }
    figures = figures_of_side("oof", cv) | figures_of_side("test", test) | defined("oof_", ends)
    if cv.by_group is None or test.by_group is None:
        return figures
    by_group = figures_of(cv.by_group, test.by_group)
    return figures | {name_by_group(name): value for name, value in by_group.items()}


def name_by_group(name: str) -> str:
    """Return the name of a figure of samples that are answered together: by_group behind the first prefix, oof or test."""
    *above, own = name.split("/")
    side, _, figure = own.partition("_")
    return "/".join([*above, f"{side}_by_group_{figure}"])


def defined(prefix: str, figures: Mapping[str, float]) -> dict[str, float]:
    """Return the figures that are not NaN, with a prefix to their names."""
    return {f"{prefix}{name}": float(value) for name, value in figures.items() if value == value}


def figures_of_side(prefix: str, report: Report) -> dict[str, float]:
    """Return the figures of one report; see `figures_of`."""
    figures = dict(report.figures)
    if report.operating_point and "named" in report.operating_point.prevalence:
        values = report.operating_point.prevalence["named"].figures
        figures |= {f"{name}_at_prevalence": value for name, value in values.items()}
    added = defined(f"{prefix}_", figures)
    for scores in report.subgroups or []:
        group = UNNAMEABLE.sub("_", f"subgroups/{scores.column}/{scores.value}")
        added |= defined(f"{group}/{prefix}_", {"n": scores.n} | scores.figures)
    return added


def content_key(files: list[Path], tuned: dict[str, str]) -> str:
    """Return a SHA-256 over the files' bytes and the parameters."""
    parts = [artifacts.sha256(path.read_bytes()) for path in files]
    return artifacts.sha256(json.dumps([*parts, tuned], sort_keys=True).encode())


def tags_of_origin(records: list[Record]) -> dict[str, dict[str, str]]:
    """Return, by model, the tags on the origin of its results: the commit, hashes of its entries in dvc.lock, and the
    number of candidates that the test set was evaluated for.

    `dirty` says whether params.yaml, dvc.yaml or pipeline/ differ from the commit. dvc.lock does not count: while DVC runs
    a stage, it lacks the entry of that stage.
    """
    stages = lock_entries()
    common = commit()
    tags = {}
    for record in records:
        keys = {"train": record.model, "evaluate": record.task}
        entries = {name: stages.get(f"{name}@{key}") for name, key in keys.items()}
        texts = {name: json.dumps(entry, sort_keys=True, default=str) for name, entry in entries.items() if entry}
        hashes = {f"{name}_lock": artifacts.sha256(text.encode())[:16] for name, text in texts.items()}
        n_evaluated = test_set_evaluations.count(record.task, record.model)
        counted = {"test_looks": test_set_evaluations.in_words(n_evaluated)} if n_evaluated else {}
        tags[record.model] = {"task": record.task, "content_key": record.key} | common | hashes | counted
    return tags


def lock_entries() -> dict[str, JSON]:
    """Return the entries of dvc.lock by stage; empty where there is none. `dvc.api` has no access to them."""
    if not LOCK.exists():
        return {}
    return (yaml.load(artifacts.read_text(LOCK), Loader=params.LOADER) or {}).get("stages", {})


def commit() -> dict[str, str]:
    """Return the tags `commit` and `dirty`; none where there is no git or no commit."""
    head = git("rev-parse", "HEAD")
    if not head:
        return {}
    return {"commit": head, "dirty": "yes" if git("status", "--porcelain", "--", *SOURCES) else "no"}


def git(*arguments: str) -> str:
    """Return what git prints, or nothing where it is not installed or fails."""
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
