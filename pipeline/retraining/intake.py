"""Check labelled uploads and store them: once each, as pixels or a row under their hash, with a line in the ledger."""

import json
import os
import re
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.core import params
from pipeline.core.errors import DataError
from pipeline.data import image_file, images, tables, upload_ledger, uploads
from pipeline.duplicates import fingerprint
from pipeline.retraining.existing_samples import Known, Place, positions

BATCH = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
LONGEST = 200  # characters of a group


@dataclass(frozen=True)
class Offer:
    """A sample that is handed in. `data`: an image file's bytes or a row; `name` is only shown; `fault`: why it is unusable."""

    name: str
    data: bytes | dict[str, Any]
    label: str
    group: str = ""
    fault: str = ""


def collect(task: str, offers: list[Offer], batch: str, who: str, source: str) -> list[dict[str, Any]]:
    """Store what can be used under its hash, and return of each offer: file, id, accepted, reason.

    What is accepted is on the disk, and in the ledger with `who`, `source` and the time, when this returns. Raises DataError
    where the whole batch cannot be taken, OSError where the disk is full: then what was accepted before stays whole, and can
    be handed in again without harm.
    """
    check_batch(batch)
    with upload_ledger.locked(task):
        decided = upload_ledger.decision(task, batch)
        if decided in ("promoted", "rejected"):
            raise DataError(f"the batch {batch!r} was {decided} already: hand in new samples under another name")
        known = Known(task)
        faults = [offer.fault or fault_of(offer, known) for offer in offers]
        store = store_rows if known.kind == "table" else store_pictures
        return store(known, offers, faults, {"batch": batch, "who": who, "source": source})


def check_batch(batch: str) -> None:
    """Raise DataError unless a batch can bear that name."""
    if not BATCH.fullmatch(batch):
        raise DataError(f"a batch's name is made of letters, digits, - and _, 64 at most; found {batch[:80]!r}")


def new_batch() -> str:
    """Return the name of the batch that samples go to where none is named: today's."""
    return datetime.now(UTC).strftime("%Y-%m-%d")


def fault_of(offer: Offer, known: Known) -> str:
    """Return why a sample is refused for its label or group, or ""."""
    if offer.label not in known.labels:
        return f"there is no class {offer.label[:80]!r}; there are: {', '.join(known.labels)}"
    if len(offer.group) > LONGEST or not offer.group.isprintable():
        return f"a group's name has at most {LONGEST} characters, all of them printable"
    if offer.group in known.test_groups:
        return "its group is in the test set: a model that was shown it could no longer be judged by it"
    return ""


def answer(offer: Offer, id_: str, reason: str) -> dict[str, Any]:
    """Return what is said of an offer."""
    return {"file": offer.name, "id": id_, "accepted": not reason, "reason": reason}


def store_pictures(known: Known, offers: list[Offer], faults: list[str], about: dict[str, str]) -> list[dict[str, Any]]:
    """Store pictures; see `collect`. All are compared at once with what is known and with each other, then taken in order."""
    incoming: dict[str, Path] = {}  # by hash, beside the place they go to
    ids: list[str] = []
    with ExitStack() as stack:
        for offer, fault in zip(offers, faults, strict=True):
            ids.append("")
            if fault:
                continue
            try:
                picture = images.decode(offer.data)
            except DataError as error:
                faults[len(ids) - 1] = f"unreadable: {error}"
                continue
            ids[-1] = picture.id
            if picture.id not in known.ids and picture.id not in incoming:
                part = uploads.stored(known.task, "image", picture.id).with_suffix(".part")
                stack.callback(part.unlink, missing_ok=True)
                write_through(part, images.to_png(picture.pixels))
                incoming[picture.id] = part
        near = compare(known, incoming)
        found = []
        for offer, id_, fault in zip(offers, ids, faults, strict=True):
            reason = fault or objection(offer, id_, known, near)
            if not reason:
                place = uploads.stored(known.task, "image", id_)
                keep(known, incoming[id_], place, offer, id_, about)
            found.append(answer(offer, id_, reason))
        return found


def compare(known: Known, incoming: dict[str, Path]) -> dict[str, list[tuple[Place | str, str, bool]] | None]:
    """Return what each new picture is near to: (place, or another new picture's hash; what was done; is it a copy?).

    None stands for a picture that shows too little to be compared.
    """
    if not incoming:
        return {}
    hashes, paths = list(incoming), list(incoming.values())
    prints = [fingerprint.take(path, fingerprint.open_store())[0] for path in paths]
    places, pairs = known.pairs(paths, prints)
    everything = [*places, *hashes]
    return {
        id_: [(everything[other], pair.kind, pair.copy) for other, pair in positions(pairs, at)] if one.judged else None
        for at, (id_, one) in enumerate(zip(hashes, prints, strict=True), start=len(places))
    }


def objection(offer: Offer, id_: str, known: Known, near: dict) -> str:
    """Return why a picture is refused, or ""; what was accepted before it in the same request is known by now."""
    if id_ in known.ids:
        return known.ids[id_].objection(offer.label, "the same")
    if near[id_] is None:
        return "shows too little detail to be told from the pictures of the test set"
    for other, kind, copy in near[id_]:
        place = known.ids.get(other) if isinstance(other, str) else other
        if place and (copy or place.subset == "test"):
            return place.objection(offer.label, f"the same picture ({kind})")
    return ""


def store_rows(known: Known, offers: list[Offer], faults: list[str], about: dict[str, str]) -> list[dict[str, Any]]:
    """Store rows of a table; see `collect`."""
    rows, found = known.rows(), []
    for offer, fault in zip(offers, faults, strict=True):
        id_, reason = "", fault
        if not reason:
            try:
                cells = rows.cells(offer.data)
            except DataError as error:
                found.append(answer(offer, "", f"unusable: {error}"))
                continue
            id_ = tables.row_ids(pd.DataFrame([cells], dtype=object))[0]
            same = rows.find(cells)
            reason = same.objection(offer.label, "the same") if same else ""
        if not reason:
            place = uploads.stored(known.task, "table", id_)
            part = place.with_suffix(".part")
            write_through(part, json.dumps(cells, ensure_ascii=False).encode("utf-8", "replace"))
            rows.add(cells, keep(known, part, place, offer, id_, about))
        found.append(answer(offer, id_, reason))
    return found


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


def keep(known: Known, part: Path, place: Path, offer: Offer, id_: str, about: dict[str, str]) -> Place:
    """Put a sample in its place and into the ledger: both or neither, but for a killed process, which told nobody yet."""
    new = not place.exists()  # it may be there from a batch that was rejected
    os.replace(part, place)
    try:
        upload_ledger.append(known.task, "collected", id=id_, label=offer.label, group=offer.group, **about)
    except OSError:
        if new:
            place.unlink()
        raise
    known.ids[id_] = Place(place.as_posix(), offer.label, "uploaded")
    return known.ids[id_]


def read_file(task: str, file: str, label: str | None, group: str) -> list[Offer]:
    """Return the samples in a file: a picture, or the rows of a CSV. A bad file is one offer with its fault."""
    try:
        return read_data(task, file, image_file.read(Path(file)), label, group)
    except DataError as error:
        return [Offer(file, b"", "", fault=str(error))]


def read_data(task: str, file: str, data: bytes, label: str | None, group: str) -> list[Offer]:
    """Return the samples in a file's bytes; see `read_file`. `file` only names them."""
    if params.task(task).kind == "image":
        return [Offer(file, data, label or "", group)]
    try:
        rows = tables.read_csv(Path(file), data).to_dict("records")
    except DataError as error:
        return [Offer(file, b"", "", fault=str(error))]
    return [from_row(task, f"{file}: row {number}", row, label, group) for number, row in enumerate(rows, start=1)]


def from_row(task: str, name: str, row: dict[str, Any], label: str | None, group: str) -> Offer:
    """Return a row as an offer; its own columns of label and group come before `label` and `group`."""
    read, row = params.task(task).read, dict(row)
    own = {key: row.pop(column, None) for key, column in (("label", read.label), ("group", read.group)) if column}
    row.pop(read.shipped, None)
    return Offer(name, row, str(own.get("label") or label or ""), str(own.get("group") or group))
