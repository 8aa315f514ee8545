"""Answers to requests: of each sample, or of the samples of each patient together. A 422 if none can be used."""

from collections.abc import Sequence

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
        state.metrics.predictions.labels(served.task, item["class"]).inc()
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
        for sample in item["samples"]:
            state.metrics.predictions.labels(served.task, sample["class"]).inc()
    if not any(item["class"] for item in items):
        raise Problem(422, f"{items[0]['file']}: {items[0]['reason']}", predictions=items)
    return {"bundle": served.id, "task": served.task, "predictions": items}
