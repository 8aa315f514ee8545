"""The shapes of requests and answers, as the OpenAPI page shows them. Answers are written by hand, not validated again."""

from typing import Any

from pydantic import BaseModel, Field

LESION = {
    "file": "IMG_1.jpg",
    "class": "malignant",
    "probabilities": {"benign": 0.12, "malignant": 0.88},
    "decision": "malignant: the probability of malignant is at or above 0.5",
    "refused": False,
    "reason": "",
}
BROKEN = {
    "file": "notes.txt",
    "class": "",
    "probabilities": {},
    "decision": "",
    "refused": True,
    "reason": "not a readable image; expected one of JPEG, PNG, BMP, TIFF, WEBP",
}
ANSWER = {"bundle": "lesions-mobilenetv2@2c6cc7aa1487", "task": "lesions", "predictions": [LESION, BROKEN]}


class Contribution(BaseModel):
    """What one column adds to the answer."""

    column: str
    value: float | str | None = Field(description="as it was sent")
    contribution: float


class Explanation(BaseModel):
    """What an answer rests on: where in the picture, or on which columns."""

    kind: str = Field(
        description="class activation map: its mean is the log-odds of the answer (of more than two classes its logit less the "
        "mean of all); places left out, squares covered, changes of the probability: how much of the answer's probability is "
        "gone without; terms of the log-odds: what each column adds to them. All before calibration"
    )
    map: list[list[float]] | None = Field(None, description="of a picture: values by place, rows from the top")
    png: str | None = Field(
        None, description="of a picture: 224x224 in base64, orange speaks for the answer, blue against"
    )
    columns: list[Contribution] | None = Field(None, description="of a row, the largest first")


class Item(BaseModel):
    """One sample's answer. A sample that cannot be used has an empty class and the reason."""

    file: str = Field(description="the name it was sent under, or 'row 1' and so on")
    answer: str = Field(alias="class")
    probabilities: dict[str, float] = Field(description="by class, 6 digits")
    decision: str = Field(description="the answer in words")
    refused: bool
    reason: str = Field(description="why it was refused, or what is doubtful about a number of the row")
    explanation: Explanation | None = Field(None, description="only with ?explain=true; null where there is no answer")


class Predictions(BaseModel):
    """The answer to one or many samples, in the order they were sent."""

    model_config = {"json_schema_extra": {"examples": [ANSWER]}}
    bundle: str = Field(description="the model and the first digits of its bundle.json's SHA-256")
    task: str
    predictions: list[Item]


class OnePrediction(Predictions):
    """The same, with the answer to the first picture that could be used at the top."""

    model_config = {
        "json_schema_extra": {"examples": [ANSWER | {"predicted_class": "malignant", "confidence_score": 0.88}]}
    }
    predicted_class: str
    confidence_score: float = Field(description="the probability of predicted_class")


class Stored(BaseModel):
    """What became of a sample that was handed in."""

    file: str = Field(description="the name it was sent under, or 'row 1' and so on")
    id: str = Field(description="the hash it is stored under; empty where it could not be read")
    accepted: bool
    reason: str = Field(description="why it was refused")


STORED = {"file": "IMG_1.jpg", "id": "2c6cc7aa14870f3d", "accepted": True, "reason": ""}
AGAIN = {"file": "IMG_2.jpg", "id": "90b1c7aa14870f3d", "accepted": False, "reason": "already there (benign/7.jpg)"}


class Collected(BaseModel):
    """The batch that the samples went to, and what became of each, in the order they were sent."""

    model_config = {
        "json_schema_extra": {"examples": [{"task": "lesions", "batch": "2026-11-25", "samples": [STORED, AGAIN]}]}
    }
    task: str
    batch: str
    samples: list[Stored]


class ProblemDocument(BaseModel):
    """What went wrong and what to do (RFC 9457)."""

    model_config = {
        "extra": "allow",
        "json_schema_extra": {
            "examples": [
                {
                    "type": "about:blank",
                    "title": "Service Unavailable",
                    "status": 503,
                    "detail": "64 requests are waiting already. Send this one again after a second.",
                }
            ]
        },
    }
    type: str
    title: str
    status: int
    detail: str


class Task(BaseModel):
    """A task that has a champion."""

    task: str
    kind: str = Field(description="image or table")
    model: str
    bundle: str
    classes: list[str]


class Tasks(BaseModel):
    """All of them."""

    tasks: list[Task]


class Description(Task):
    """All that is known of a task's champion.

    `schema` holds a table's columns, or those that the model takes beside a picture; else it is null.
    """

    columns: list[dict[str, Any]] | None = Field(alias="schema")
    metrics: dict[str, Any] = Field(description="out_of_fold and, where the test set was opened for this bundle, test")
    card: dict[str, Any]


class Drift(BaseModel):
    """Whether what was shown is like what the champion was trained on."""

    verdict: str = Field(description="unlike, shifted (but not surely by much), alike, too few, or unknown")
    sentence: str
    days: int = Field(description="that are looked at together, today among them")
    n: int = Field(description="samples in them that could be read")
    at_least: int = Field(description="samples below which nothing is said")
    figures: list[dict[str, Any]] = Field(
        description="of refused and answer: shares served and in training, their difference; of distance and place: beyond, the "
        "share of pairs in which the served sample lies beyond the training one. ci holds in 95 % for all of them together"
    )


class Monitor(BaseModel):
    """Counts of what a champion was shown, without a picture, row or name. Histograms have the bins that are given."""

    task: str
    kind: str = Field(description="image or table")
    bundle: str
    drift: Drift
    counts: dict[str, Any] = Field(description="of the same days")
    by_day: list[dict[str, Any]] = Field(description="of the last 28 days (UTC), the oldest first")
    training: dict[str, Any] | None = Field(description="the same counts out of fold, over n_groups groups")
    bins: dict[str, list[float]]


class Health(BaseModel):
    """The process answers."""

    status: str
    versions: dict[str, str]


class Readiness(BaseModel):
    """The champions answer as they should. `refused`: new bundles that were not taken up, and why; the old ones go on."""

    ready: bool
    tasks: dict[str, str] = Field(description="the bundle that answers, by task")
    refused: dict[str, str]


COLUMN = {
    "type": "string",
    "description": "where the model takes columns beside the picture (`schema` of the task lists them): the value of each, under "
    "its name, once for all pictures or once for each in their order; empty where it is not known",
}


def files(field: str, many: bool) -> dict[str, Any]:
    """Return OpenAPI's request body of a form with pictures under `field`."""
    picture = {"type": "string", "format": "binary", "description": "JPEG, PNG, BMP, TIFF or WebP"}
    shape = {"type": "array", "items": picture, "minItems": 1} if many else picture
    form = {"type": "object", "required": [field], "properties": {field: shape}, "additionalProperties": COLUMN}
    return {"multipart/form-data": {"schema": form, "encoding": {field: {"contentType": "image/jpeg, image/png"}}}}


ROWS = {
    "application/json": {
        "schema": {
            "type": "object",
            "required": ["rows"],
            "properties": {
                "rows": {
                    "type": "array",
                    "minItems": 1,
                    "items": {"type": "object", "additionalProperties": {"type": ["number", "string", "null"]}},
                }
            },
        },
        "example": {"rows": [{"age": 61.5, "site": "arm", "size": None}]},
    }
}


def request_body(content: dict[str, Any]) -> dict[str, Any]:
    """Return what FastAPI adds to a route's entry in OpenAPI."""
    return {"requestBody": {"required": True, "content": content}}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return OpenAPI's entries of the errors that a route can answer with."""
    content = {"application/problem+json": {"schema": ProblemDocument.model_json_schema()}}
    return {status: {"description": MEANINGS[status], "content": content} for status in statuses}


MEANINGS = {
    400: "Not HTTP as it should be",
    401: "No key, or not one of the server's",
    403: "The server has no keys, without which nothing is taken",
    404: "No such task",
    408: "The request took too long to arrive",
    413: "Over a limit of size or number",
    415: "Another content type is expected",
    422: "Nothing in it could be used; the reason is said",
    431: "The headers are too large",
    500: "A bug of ours",
    507: "The disk is full; what was not accepted is not stored",
    503: "Busy, loading or refused: try again after Retry-After seconds",
}
