"""Check labelled uploads and store them: once each, as pixels or a row under their hash, with a line in the ledger."""

import json
import os
import re
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pandas as pd

from pipeline.core import params
from pipeline.core.errors import DataError
from pipeline.data import tables, upload_ledger, uploads
from pipeline.data.columns.words import plain
from pipeline.data.grouping.group_cells import join_cells, read_groups
from pipeline.data.images import decoding, image_file, pixel_rule, squares
from pipeline.data.tabular.file_rows import rows_of
from pipeline.data.tabular.files import read_table
from pipeline.duplicates.images import fingerprint
from pipeline.prediction.answer import Row
from pipeline.prediction.ood_tables import beyond_training, unseen_categories
from pipeline.retraining.existing_samples import Existing, ExistingSamples, Rows, positions, read_fields
from pipeline.retraining.records import Outcome
from pipeline.retraining.upload_groups import group_of

BATCH = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
LONGEST = 200  # characters of a group


@dataclass(frozen=True)
class Offer:
    """A submitted sample. `data`: bytes of an image file, or a row; `name`: for messages; `fault`: why it cannot be used.

    `note`: what is said of one that is accepted.
    """

    name: str
    data: bytes | Row
    label: str
    group: str = ""
    fault: str = ""
    note: str = ""


def collect(task: str, offers: list[Offer], batch: str, who: str, source: str) -> list[Outcome]:
    """Store what can be used under its hash, and return of each offer: file, id, accepted, reason.

    What is accepted is on the disk, and in the ledger with `who`, `source` and the time, when this returns. Raises DataError
    where the whole batch cannot be taken, OSError where the disk is full: then what was accepted before stays whole, and can
    be submitted again.
    """
    check_batch(batch)
    with upload_ledger.locked(task):
        decided = upload_ledger.decision(task, batch)
        if decided in ("promoted", "rejected"):
            raise DataError(f"the batch {batch!r} was {decided} already: submit new samples as another batch")
        if params.task(task).read.features:
            raise DataError(
                f"{task}: its features are computed elsewhere (read.features): add images and features to the raw data"
            )
        existing = ExistingSamples(task)
        offers = [with_group(offer, existing) for offer in offers]
        faults = [offer.fault or fault_of(offer, existing) for offer in offers]
        store = store_rows if existing.kind == "table" else store_images
        return store(existing, offers, faults, {"batch": batch, "who": who, "source": source})


def with_group(offer: Offer, existing: ExistingSamples) -> Offer:
    """Return an offer with its group as the task has it, and a note where the task has groups and nothing says its one."""
    group = group_of(offer.data, offer.group, existing)
    is_unknown = existing.groups and not group
    notes = [offer.note, "no group (patient) is given: it counts as another one" if is_unknown else ""]
    return replace(offer, group=group, note="; ".join(filter(None, notes)))


def check_batch(batch: str) -> None:
    """Raise DataError unless a batch may have that name."""
    if not BATCH.fullmatch(batch):
        raise DataError(f"the name of a batch has letters, digits, - and _, 64 at most; found {batch[:80]!r}")


def new_batch() -> str:
    """Return the name of the batch that samples go to where none is named: today's."""
    return datetime.now(UTC).strftime("%Y-%m-%d")


def fault_of(offer: Offer, existing: ExistingSamples) -> str:
    """Return why a sample is refused for its label or group, or ""."""
    if not offer.label:
        column = params.task(existing.task).read.label
        where = f" (column {column!r})" if existing.kind == "table" and column else ""
        return f"has no label{where}; expected one of {', '.join(existing.labels)}"
    if offer.label not in existing.labels:
        return f"there is no class {offer.label[:80]!r}; there are: {', '.join(existing.labels)}"
    if len(offer.group) > LONGEST or not offer.group.isprintable():
        return f"a group's name has at most {LONGEST} characters, all of them printable"
    if offer.group in existing.test_groups:
        return "its group is in the test set: a model trained on it could no longer be evaluated on it"
    return ""


def answer(offer: Offer, id_: str, reason: str, note: str = "") -> Outcome:
    """Return what became of an offer; `note`: what is unusual about one that was accepted."""
    notes = "; ".join(filter(None, (note, offer.note)))
    return {"file": offer.name, "id": id_, "accepted": not reason, "reason": reason or notes}


def store_images(
    existing: ExistingSamples, offers: list[Offer], faults: list[str], about: dict[str, str]
) -> list[Outcome]:
    """Store images; see `collect`. All are compared with existing images and with each other, then accepted in order."""
    incoming: dict[str, Path] = {}  # by hash: where the image waits until it is accepted
    ids: list[str] = []
    misfits: dict[str, str] = {}  # by hash
    rule = pixel_rule.rule_of(params.task(existing.task).read)
    with ExitStack() as stack:
        for offer, fault in zip(offers, faults, strict=True):
            ids.append("")
            if fault:
                continue
            if not isinstance(offer.data, bytes):
                faults[len(ids) - 1] = "unusable: found a row; expected an image file"
                continue
            try:
                image = decoding.decode(offer.data, rule)
            except DataError as error:
                faults[len(ids) - 1] = f"unreadable: {error}"
                continue
            ids[-1] = image.id
            misfits[image.id] = image.misfit
            if image.id not in existing.ids and image.id not in incoming:
                part = uploads.stored(existing.task, "image", image.id).with_suffix(".part")
                stack.callback(part.unlink, missing_ok=True)
                write_through(part, squares.to_png(image.pixels))
                incoming[image.id] = part
        near = compare(existing, incoming)
        answers = []
        for offer, id_, fault in zip(offers, ids, faults, strict=True):
            reason = fault or objection(offer, id_, existing, near)
            if not reason:
                path = uploads.stored(existing.task, "image", id_)
                keep(existing, incoming[id_], path, offer, id_, about)
            answers.append(answer(offer, id_, reason, misfits.get(id_, "")))
        return answers


def compare(
    existing: ExistingSamples, incoming: dict[str, Path]
) -> dict[str, list[tuple[Existing | str, str, bool]] | None]:
    """Return what each new image resembles: (existing sample or hash of a new image, kind of edit, whether it is a copy).

    None stands for an image with too little detail to be compared.
    """
    if not incoming:
        return {}
    hashes, paths = list(incoming), list(incoming.values())
    store = fingerprint.open_store(pixel_rule.rule_of(params.task(existing.task).read))
    prints = [fingerprint.take(path, store)[0] for path in paths]
    samples, pairs = existing.pairs(paths, prints)
    everything: list[Existing | str] = [*samples, *hashes]
    return {
        id_: [(everything[other], pair.kind, pair.copy) for other, pair in positions(pairs, index)]
        if fp.is_comparable
        else None
        for index, (id_, fp) in enumerate(zip(hashes, prints, strict=True), start=len(samples))
    }


def objection(offer: Offer, id_: str, existing: ExistingSamples, near: dict) -> str:
    """Return why an image is refused, or ""; images accepted earlier in the same request count as existing."""
    if id_ in existing.ids:
        return existing.ids[id_].objection(offer.label, "the same sample")
    if near[id_] is None:
        return "shows too little detail to be compared with the images of the test set"
    for other, kind, copy in near[id_]:
        sample = existing.ids.get(other) if isinstance(other, str) else other
        if sample and (copy or sample.subset == "test"):
            return sample.objection(offer.label, f"the same image ({kind})")
    return ""


def store_rows(
    existing: ExistingSamples, offers: list[Offer], faults: list[str], about: dict[str, str]
) -> list[Outcome]:
    """Store rows of a table; see `collect`."""
    rows, answers = existing.rows(), []
    read: list[dict[str, str]] = []  # the cells of each offer, none where it cannot be used
    for position, offer in enumerate(offers):
        try:
            if isinstance(offer.data, bytes) and not faults[position]:
                raise DataError("found a file; expected a row")
            read.append({} if isinstance(offer.data, bytes) or faults[position] else rows.cells(offer.data))
        except DataError as error:
            read.append({})
            faults[position] = f"unusable: {error}"
    rows.expect_copies([cells for cells in read if cells])
    are_copies, seen = rows.copies_of_test([cells for cells in read if cells]), Counter[str]()
    for offer, fault, cells in zip(offers, faults, read, strict=True):
        id_, reason, unusual = "", fault, ""
        if not fault:
            id_ = tables.row_ids(pd.DataFrame([cells], dtype=object))[0]
            seen[id_] += 1
            reason = objection_to_row(rows, cells, offer.label, are_copies, seen[id_], about["batch"])
        if not reason:
            ids = (uploads.id_of_equal(id_, number) for number in count())
            id_ = next(free for free in ids if free not in existing.ids)
            path = uploads.stored(existing.task, "table", id_)
            part = path.with_suffix(".part")
            write_through(part, json.dumps(cells, ensure_ascii=False).encode("utf-8", "replace"))
            rows.add(cells, keep(existing, part, path, offer, id_, about))
            unusual = "; ".join([*beyond_training([cells], rows.fields), *unseen_categories([cells], rows.fields)])
        answers.append(answer(offer, id_, reason, unusual))
    return answers


def objection_to_row(rows: Rows, cells: dict[str, str], label: str, are_copies: bool, number: int, batch: str) -> str:
    """Return why a row is refused, or "".

    Rows that are equal in a few columns of few values are other patients, unless so many of those submitted equal the test set
    that they were copied (`are_copies`). It is the `number`-th of equal rows submitted at once; where the batch has as many, it
    was submitted before.
    """
    same, near = rows.find(cells), rows.near(cells)
    if same and rows.is_explained(cells) and not (are_copies and same.subset == "test"):
        return "already stored in this batch" if rows.n_uploaded(cells, batch) >= number else ""
    if same:
        return same.objection(label, "the same sample")
    return near.objection(label, "nearly the same row") if near and near.subset == "test" else ""


def write_through(path: Path, data: bytes) -> None:
    """Write a file and wait until the disk has it; where it cannot be written whole, nothing of it stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        path.unlink(missing_ok=True)
        raise


def keep(existing: ExistingSamples, part: Path, path: Path, offer: Offer, id_: str, about: dict[str, str]) -> Existing:
    """Store a sample and add it to the ledger: both or neither, unless the process is killed before it answers."""
    new = not path.exists()  # it may be there from a batch that was rejected
    os.replace(part, path)
    try:
        line = upload_ledger.Collected(id=id_, label=offer.label, group=offer.group, **about)
        upload_ledger.append(existing.task, line)
    except OSError:
        if new:
            path.unlink()
        raise
    existing.ids[id_] = Existing(path.as_posix(), offer.label, "uploaded", about["batch"])
    return existing.ids[id_]


def read_file(task: str, file: str, label: str | None, group: str) -> list[Offer]:
    """Return the samples in a file: an image, or the rows of a CSV. A file that cannot be read is one offer with its fault."""
    try:
        return read_data(task, file, image_file.read(Path(file)), label, group)
    except DataError as error:
        return [Offer(file, b"", "", fault=str(error))]


def read_data(task: str, file: str, data: bytes, label: str | None, group: str) -> list[Offer]:
    """Return the samples in a file's bytes; see `read_file`. `file` is for messages."""
    if params.task(task).kind == "image":
        return [Offer(file, data, label or "", group)]
    try:
        rows = rows_of(read_table(Path(file), data, params.task(task).read.header), read_fields(task))
    except DataError as error:
        return [Offer(file, b"", "", fault=str(error))]
    return [from_row(task, f"{file}: row {number}", row, label, group) for number, row in enumerate(rows, start=1)]


def from_row(task: str, name: str, row: Row, label: str | None, group: str) -> Offer:
    """Return a row as an offer; its own columns of label and group take precedence over `label` and `group`."""
    read, cells = params.task(task).read, dict(row)
    missing = {plain(column): column for column in [read.label or "", *read.group_columns] if column not in cells}
    cells = {missing.get(plain(column), column): value for column, value in cells.items()}  # Patient_ID for patient_id
    own_label = str(cells.pop(read.label, None) or "")
    own_group = join_cells([str(cells.pop(column, None) or "") for column in read.group_columns] or [""])
    for column in (read.shipped or "", *read.exclude):
        cells.pop(column, None)
    named = read_groups([own_group], read.group_from)[0]
    differs = own_label and label and own_label != label
    note = f"its column {read.label!r} counts, not the label {label!r}" if differs else ""
    return Offer(name, cells, own_label or label or "", named or group, note=note)
