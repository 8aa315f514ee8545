"""Read rows of a table from a JSON body."""

import json
from typing import Any

from python_multipart.multipart import parse_options_header
from starlette.requests import Request

from app import limits
from app.problems import Problem
from app.uploads import describe
from pipeline.prediction.predictor import Sample

SHAPE = 'expected {"rows": [{"column": value, ...}, ...]}'


async def read_rows(request: Request, ticket: limits.Ticket) -> list[tuple[str, Sample]]:
    """Return name ("row 1") and cells of every row in the body, at least one.

    Raises Problem: 415 for another content type, 413 over a limit, 422 if the body is not rows in JSON.
    """
    kind, _ = parse_options_header(request.headers.get("content-type"))
    if kind != b"application/json":
        raise Problem(415, f"Found {describe(kind)}; expected application/json: this task takes rows, {SHAPE}")
    data = b"".join([chunk async for chunk in limits.chunks(request, ticket, limits.JSON_BYTES)])
    try:
        content = json.loads(data, parse_constant=refuse, object_pairs_hook=unique)
    except RecursionError:
        raise Problem(422, f"The JSON is nested too deeply; {SHAPE}") from None
    except ValueError as error:  # from the JSON, its encoding, or a number with thousands of digits
        raise Problem(422, f"The body is not JSON ({error}); {SHAPE}") from None
    rows = content.get("rows") if isinstance(content, dict) else None
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise Problem(422, f"The JSON does not contain rows; {SHAPE}")
    if len(rows) > limits.ROWS:
        raise Problem(
            413, f"Found {len(rows)} rows; at most {limits.ROWS} can be predicted at once. Send several requests."
        )
    for number, row in enumerate(rows, start=1):
        nested = [name for name, value in row.items() if isinstance(value, (dict, list))]
        if nested:
            raise Problem(
                422, f"Row {number}, column {nested[0][:80]!r}: expected a number, a text, true, false or null"
            )
    return [(f"row {number}", row) for number, row in enumerate(rows, start=1)]


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object; raise ValueError if it has one key twice, where each parser would take another value."""
    content = dict(pairs)
    if len(content) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice[:80]!r} is there more than once in one object: send each once")
    return content


def refuse(name: str) -> None:
    """Raise ValueError for NaN and infinities, which JSON does not allow."""
    raise ValueError(f"{name} is not JSON: send null for a missing value")
