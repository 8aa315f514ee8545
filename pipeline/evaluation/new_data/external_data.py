"""Read external samples and find those that the task's own data contain: these are not new to the model."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.core import params
from pipeline.core.errors import DataError
from pipeline.core.params_models import ExternalParams, TaskParams
from pipeline.core.paths import TaskPaths
from pipeline.data import folder_layout, own_features, tables, uploads
from pipeline.data.folders.archives import folder_of
from pipeline.data.images.pixel_rule import rule_of
from pipeline.data.rows import check_columns
from pipeline.data.samples import ScannedTable, report_unreadable, scan_table, task_params
from pipeline.data.tabular.formats import Field
from pipeline.data.tabular.numbers import unit_key
from pipeline.data.written_samples import read_samples, read_split
from pipeline.duplicates.images.fingerprint import open_store, take_all
from pipeline.duplicates.images.pairs import find_pairs
from pipeline.duplicates.rows.equal_rows import copied_pairs
from pipeline.evaluation import by_group
from pipeline.prediction.predictor import Predictor
from pipeline.stats.components import connected_components, joined_sets, pairs_of_equal

ORDER = ("dev", "test", "excluded")  # a sample that is in several subsets counts for the first


@dataclass(frozen=True)
class ExternalSamples:
    """Samples of another source, each list and array (n,).

    `path`; `label` in the task's words or ""; `subset`, str, of the task's own data that has it (dev, test, excluded) or
    ""; `group`, int; `unit`, the value of the column that `select.unit` names, "" where it names none; `error`, why it cannot
    be used; `data`, a file's path, a row, or both, as the Predictor takes them.
    """

    path: list[str]
    label: list[str]
    subset: np.ndarray
    group: np.ndarray
    unit: list[str]
    error: list[str]
    data: list[Any]

    @property
    def is_readable(self) -> np.ndarray:
        """Whether each sample could be read, bool (n,)."""
        return np.array([not error for error in self.error])

    @property
    def is_labelled(self) -> np.ndarray:
        """Whether each sample has one of the task's classes, bool (n,)."""
        return np.array([bool(label) for label in self.label])

    @property
    def is_overlap(self) -> np.ndarray:
        """Whether each sample is in the task's own data, bool (n,)."""
        return self.subset != ""


def read(name: str, block: ExternalParams, predictor: Predictor) -> ExternalSamples:
    """Return the samples of the external data set `name`; report those that cannot be read."""
    task = params.task(block.task)
    source = task_params(task.kind, block.raw, block.read.model_dump(exclude_none=True))
    unit = by_group.name_of(task.select) if predictor.rule.pooling else by_group.GROUP
    column = "" if unit == by_group.GROUP else unit
    if task.kind == "image":
        samples = read_images(block, source, predictor.classes, name, predictor.info.clinical_columns, column)
    else:
        samples = read_rows(block, source, predictor.classes, name, predictor.info.schema, column)
    if predictor.info.is_vector:
        samples = with_vectors(samples, block, predictor.info.schema)
    unreadable = [(path, error) for path, error in zip(samples.path, samples.error, strict=True) if error]
    report_unreadable(unreadable, len(samples.path), source, name)
    return samples


def with_vectors(samples: ExternalSamples, block: ExternalParams, schema: list[Field]) -> ExternalSamples:
    """Return the samples with the features that the user computed as their data, from the file in `read.features`.

    Raises DataError where there is none, or where features or a readable image are missing.
    """
    if not block.read.features:
        raise DataError(
            f"{block.raw}: the model takes features that were computed elsewhere: name their file in read.features"
        )
    own = own_features.read(Path(block.raw) / block.read.features)
    if own.key != "path":
        raise DataError(
            f"{own.file.as_posix()}: features of external images are found by a column path; it has {own.key!r}"
        )
    check_columns(own.names, schema)
    listed = pd.DataFrame({"path": samples.path, "error": samples.error})
    return replace(samples, data=pd.DataFrame(own.of_samples(listed), columns=own.names).to_dict("records"))


def translate(labels: list[str], classes: list[str], words: dict[str, str]) -> list[str]:
    """Return the labels in the task's `classes`, mapped by `words` {theirs: ours}; "" for a label that is none of them."""
    ours = (words.get(label, label) for label in labels)
    return [label if label in classes else "" for label in ours]


def require_unit(column: str, columns: Iterable[str], block: ExternalParams) -> None:
    """Raise DataError where samples are answered together by a `column`, "" for none, that the data do not have."""
    if column and column not in columns:
        raise DataError(
            f"{block.raw}: there is no column {column!r}, by which samples are answered together "
            f"(tasks.{block.task}.select.unit); add it, with a value of its own for each sample that stands alone"
        )


def read_images(
    block: ExternalParams, source: TaskParams, classes: list[str], name: str, columns: list[str], unit: str
) -> ExternalSamples:
    """Return the images of an external data set, compared with those of the task, and the `columns` that the model takes.

    They are read by the task's rule for pixels: it is the model's. `unit`: the column of their units, "" for none.
    """
    listed, _ = folder_layout.list_samples(source, name)
    lacking = [column for column in columns if column not in listed[0].extra]
    if lacking:
        raise DataError(
            f"{block.raw}: the model takes the clinical columns {', '.join(lacking)}; the data have no such column"
        )
    require_unit(unit, listed[0].extra, block)
    folder = folder_of(block.raw)
    paths = [folder / sample.path for sample in listed]
    subset, group, errors = find_copies(block.task, paths, [sample.group for sample in listed], name)
    labels = translate([sample.label for sample in listed], classes, block.labels)
    rows = [{column: sample.extra[column] for column in columns} for sample in listed]
    data = list(zip(paths, rows, strict=True)) if columns else paths
    units = [sample.extra[unit] if unit else "" for sample in listed]
    return ExternalSamples([sample.path for sample in listed], labels, subset, group, units, errors, data)


def find_copies(task: str, paths: list[Path], groups: list[str], name: str) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Return `match_copies` of external images with those of the task, and why each cannot be read, "" where it can."""
    block = params.task(task)
    store, workers = open_store(rule_of(block.read)), params.workers()
    split = read_split(task)
    split = split.iloc[np.argsort([ORDER.index(subset) for subset in split["subset"]], kind="stable")]
    task_folder = folder_of(block.raw)
    files = [*(uploads.locate(task_folder, path) for path in split["path"]), *paths]
    prints = take_all(files, store, name, workers)
    errors = [fingerprint.facts.error for fingerprint in prints]
    readable = [i for i, error in enumerate(errors) if not error]
    pairs = find_pairs([files[i] for i in readable], [prints[i] for i in readable], store, workers, name)
    links = [(readable[pair.a], readable[pair.b]) for pair in pairs]
    return *match_copies(links, split["subset"].tolist(), groups), errors[len(split) :]


def read_rows(
    block: ExternalParams, source: TaskParams, classes: list[str], name: str, schema: list[Field], unit: str
) -> ExternalSamples:
    """Return the rows of an external data set, compared with those of the task in the model's columns; `unit` as for images."""
    scanned = scan_table(source, name)
    samples, features = scanned.samples, scanned.features
    require_unit(unit, [*samples, *features], block)
    columns = [field.name for field in schema]
    check_columns([column for column in features if column in columns], schema)
    own = read_samples(block.task)
    split = read_split(block.task)
    subset = own["path"].map(dict(zip(split["path"], split["subset"], strict=True))).fillna("excluded")
    order = np.argsort([ORDER.index(name) for name in subset], kind="stable")
    text = pd.read_csv(TaskPaths(block.task).columns, dtype=str, keep_default_na=False)[columns].iloc[order]
    both = tables.typed(pd.concat([text, features[columns]], ignore_index=True))
    inside, groups = match_copies(copied_pairs(both, len(text)), subset.iloc[order].tolist(), samples["group"].tolist())
    labels = translate(samples["label"].tolist(), classes, block.labels)
    units = (samples if unit in samples else features)[unit].astype(str).tolist() if unit else [""] * len(samples)
    return ExternalSamples(
        samples["path"].tolist(), labels, inside, groups, units, samples["error"].tolist(), to_values(scanned, schema)
    )


def to_values(scanned: ScannedTable, schema: list[Field]) -> list[dict]:
    """Return the rows of an external table as the model takes them; raise DataError where a column has another unit."""
    columns = {}
    for field in schema:
        name, form = field.name, scanned.formats[field.name]
        if form.unit and field.unit and unit_key(form.unit) != unit_key(field.unit):
            raise DataError(
                f"external data: column {name!r} is in {form.unit}; the model takes {field.unit}: convert it first"
            )
        is_read = field.is_number and form.kind == "number" and not field.format.is_usual
        columns[name] = tables.typed(scanned.features[[name]])[name] if is_read else scanned.features[name]
    return pd.DataFrame(columns).to_dict("records")


def match_copies(links: list[tuple[int, int]], subsets: list[str], groups: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """For each external sample, return the subset of the task's data that it duplicates, str (n,), and its group, int (n,).

    `links` are pairs of copies; the task's own samples, whose `subsets` come in `ORDER`, are numbered first. "" stands for no
    duplicate. Copies of one another and samples with equal names in `groups` are one group.
    """
    n_known = len(subsets)
    inside = np.full(len(groups), "", dtype="U8")
    for members in joined_sets(n_known + len(groups), links):
        if members[0] < n_known:
            inside[[i - n_known for i in members if i >= n_known]] = subsets[members[0]]
    own = [(a - n_known, b - n_known) for a, b in links if min(a, b) >= n_known]
    return inside, connected_components(len(groups), own + pairs_of_equal(groups))
