"""Accept labelled samples over HTTP; `pipeline.retraining.intake`, imported when needed, checks and stores them."""

import asyncio
import errno
import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

from starlette.requests import Request

from app import keys
from app.problems import Problem
from app.rows import read_rows
from app.serving import Served
from app.uploads import read_files
from pipeline.core.errors import AssayError, ParamsError, StageError
from pipeline.core.stage import REFUSALS
from pipeline.prediction.predictor import Sample

if TYPE_CHECKING:  # pipeline.retraining may not be installed where the API runs
    from pipeline.retraining.records import Outcome


@dataclass(frozen=True)
class Labels:
    """What a request says of all its samples, "" where it does not; rows may have a label and a group in columns."""

    label: str
    group: str
    batch: str


class Collected(TypedDict):
    """The task, the batch, and the outcome of each sample in order."""

    task: str
    batch: str
    samples: "list[Outcome]"


async def take(request: Request, served: Served, known: list[bytes], about: Labels) -> Collected:
    """Store the samples of a request; return the batch and the outcome of each sample.

    Raises Problem: 403 if the server has no keys, 422 if nothing is accepted, 503 if the packages that check samples
    are not installed, 507 if the disk is full.
    """
    if not known:
        raise Problem(403, "Only a server with keys accepts samples: set ASSAY_API_KEYS and restart it.")
    who = f"key {keys.sent(request.scope['headers']).hex()[:8]}"
    with request.app.state.gate.admit() as ticket:
        is_table = served.info.is_table
        samples = await (read_rows(request, ticket) if is_table else read_files(request, "files", ticket))
        content = await asyncio.get_running_loop().run_in_executor(None, store, served, samples, who, about)
    if not any(item["accepted"] for item in content["samples"]):
        first = content["samples"][0]
        raise Problem(422, f"Nothing was accepted; {first['file']}: {first['reason']}", **content)
    return content


def store(served: Served, samples: list[tuple[str, Sample]], who: str, about: Labels) -> Collected:
    """Store the samples; see `take`."""
    try:
        intake = importlib.import_module("pipeline.retraining.intake")
    except ImportError as error:
        raise Problem(
            503, f"This server only predicts: it has no {error.name}. Submit samples where the model is trained."
        ) from None
    batch = about.batch or intake.new_batch()
    try:
        if served.info.is_table:
            offers = [intake.from_row(served.task, name, row, about.label, about.group) for name, row in samples]
        else:
            offers = [intake.Offer(name, data, about.label, about.group) for name, data in samples]
        return {"task": served.task, "batch": batch, "samples": intake.collect(served.task, offers, batch, who, "API")}
    except (StageError, ParamsError) as error:
        raise Problem(503, f"Samples cannot be checked here: {error}") from None
    except AssayError as error:
        raise Problem(422, str(error)) from None
    except OSError as error:
        if error.errno not in REFUSALS:
            raise
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise Problem(
            507 if full else 503, f"{error.strerror}: samples that were not yet accepted are not stored."
        ) from None
