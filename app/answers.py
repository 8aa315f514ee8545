"""Answers to requests: of each sample, or of the samples of each patient together. A 422 if none can be used."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from starlette.datastructures import State

from app import together
from app.problems import Problem
from app.serving import Answer, Served
from pipeline.core.artifacts import JSON
from pipeline.prediction.predictor import Sample

REASON = 500  # characters of a reason in an answer: it may quote the request


async def answer(
    state: State, served: Served, samples: Sequence[tuple[str, Sample]], explain: bool, groups: Sequence[str] = ()
) -> Answer:
    """Return the predictions; raise a 422 with their reasons if no sample could be used. `groups`: ids of their groups."""
    items = await state.models.predict(served, samples, explain, groups)
    for item in items:
        item["reason"] = item["reason"][:REASON]
    count(state, served.task, items)
    if not any(item["class"] for item in items):
        first = f"{items[0]['file']}: {items[0]['reason']}"
        raise Problem(
            422, first if len(items) == 1 else f"None of {len(items)} samples can be used; {first}", predictions=items
        )
    return {"bundle": served.id, "task": served.task, "predictions": items}


async def answer_groups(state: State, served: Served, groups: Sequence[together.Group]) -> JSON:
    """Return one answer to the samples of each group; raise a 422 with the reasons if no group gets one."""
    items = await state.models.predict_groups(served, groups)
    for item in items:
        for part in (item, *item["samples"]):
            part["reason"] = part["reason"][:REASON]
        count(state, served.task, item["samples"])
    if not any(item["class"] for item in items):
        raise Problem(422, f"{items[0]['file']}: {items[0]['reason']}", predictions=items)
    return {"bundle": served.id, "task": served.task, "predictions": items}


def count(state: State, task: str, items: Iterable[Mapping[str, Any]]) -> None:
    """Count the answers for /metrics."""
    for name, n in Counter(item["class"] for item in items).items():
        state.metrics.predictions.labels(task, name).inc(n)
