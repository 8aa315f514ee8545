"""Accept classes that became known later over HTTP, as JSON or CSV; `pipeline.monitoring.outcomes` says what a row needs."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response
from pydantic import BaseModel
from python_multipart.multipart import parse_options_header

from app import limits, schemas
from app.problems import Problem, to_json
from app.recorder import Recorder, today
from app.rows import read_rows
from app.serving import Served
from pipeline.core.errors import DataError
from pipeline.monitoring import outcomes


class Counted(BaseModel):
    """How many outcomes were sent, and how many of them were not known yet."""

    task: str
    n: int
    new: int


OUTCOME = {
    "type": "object",
    "required": ["id", "label", "class", "day"],
    "properties": {
        "id": {"type": "string", "description": "any name by which the same outcome is known again"},
        "label": {"type": "string", "description": "the class that became known"},
        "class": {"type": "string", "description": "the class that was answered, empty where it was refused"},
        "probability": {
            "type": "number",
            "description": "as answered: of the positive class; with more than two classes, of the answer",
        },
        "day": {"type": "string", "description": "of the answer, as 2026-11-28"},
        "bundle": {"type": "string", "description": "that answered; by default the champion"},
    },
}
OUTCOMES = {
    "application/json": {
        "schema": {
            "type": "object",
            "required": ["rows"],
            "properties": {"rows": {"type": "array", "minItems": 1, "items": OUTCOME}},
        }
    },
    "text/csv": {
        "schema": {"type": "string", "description": "columns id, label, class, probability, day; bundle if needed"}
    },
}
router = APIRouter(responses=schemas.problems(400, 431, 500))


@router.post(
    "/v1/tasks/{task}/outcomes",
    response_model=Counted,
    responses=schemas.problems(401, 404, 408, 413, 415, 422, 503),
    openapi_extra=schemas.request_body(OUTCOMES),
)
async def count_outcomes(
    task: Annotated[str, Path(description="a task that /v1/tasks lists", examples=["lesions"])], request: Request
) -> Response:
    """Send classes that became known later, with the answers that they belong to, as JSON or CSV: the performance in use.

    Nothing but counts and keyed hashes of the ids is kept. Those whose id is known are not counted again.
    """
    models = request.app.state.models
    content = await take(request, models.champion(task), models.recorder)
    return Response(to_json(content), media_type="application/json")


async def take(request: Request, served: Served, recorder: Recorder) -> dict[str, object]:
    """Count the outcomes in a request; return how many there are, and how many of them are new.

    Raises Problem: 413 and 415 as for rows, 422 where a row is wrong (then nothing is counted), 503 if counts cannot be written.
    """
    with request.app.state.gate.admit() as ticket:
        kind, _ = parse_options_header(request.headers.get("content-type"))
        try:
            if kind == b"text/csv":
                data = b"".join([chunk async for chunk in limits.chunks(request, ticket, limits.JSON_BYTES)])
                rows = outcomes.read_csv(data)
            else:
                rows = [row for _, row in await read_rows(request, ticket) if isinstance(row, dict)]
            given = outcomes.parse(rows, served.info.classes, served.id, today())
        except DataError as error:
            raise Problem(422, str(error)) from None
        try:
            loop = asyncio.get_running_loop()
            n_new = await loop.run_in_executor(None, recorder.add_outcomes, served.task, given)
        except OSError as error:
            reason = error.strerror or "locked"
            raise Problem(503, f"The outcomes cannot be written ({reason}). Send them again later.") from None
    return {"task": served.task, "n": len(given), "new": n_new}
