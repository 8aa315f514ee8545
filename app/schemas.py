"""Schemas of requests and responses for the OpenAPI page. Responses are not validated against them."""

from typing import Any

from pydantic import BaseModel, Field
from pydantic.config import JsonDict

from app.problems import MEANINGS

LESION: JsonDict = {
    "file": "IMG_1.jpg",
    "class": "malignant",
    "probabilities": {"benign": 0.12, "malignant": 0.88},
    "decision": "malignant: the probability of malignant is at or above 0.5",
    "refused": False,
    "reason": "",
}
BROKEN: JsonDict = {
    "file": "notes.txt",
    "class": "",
    "probabilities": {},
    "decision": "",
    "refused": True,
    "reason": "not a readable image; expected one of JPEG, PNG, BMP, TIFF, WEBP, DICOM",
}
ANSWER: JsonDict = {"bundle": "lesions-mobilenetv2@2c6cc7aa1487", "task": "lesions", "predictions": [LESION, BROKEN]}


GROUP = (
    "what the samples share, such as a pseudonym of the patient, so that monitoring counts patients; it is hashed and kept in "
    "memory only. Rows may have it in a field `group`"
)


class Contribution(BaseModel):
    """The contribution of one column to a prediction."""

    column: str
    value: float | str | None = Field(description="as it was sent")
    contribution: float


class Explanation(BaseModel):
    """The explanation of a prediction: a map of the image, or contributions of columns."""

    kind: str = Field(
        description="class activation map: its mean is the log-odds of the predicted class (of more than two classes, its logit "
        "minus the mean of all); places left out, squares covered, changes of the probability: the decrease of the predicted "
        "probability without this part; terms of the log-odds: the contribution of each column. All before calibration"
    )
    map: list[list[float]] | None = Field(None, description="of an image: a value for each cell, rows from the top")
    png: str | None = Field(
        None, description="of an image: 224x224 in base64; yellow supports the predicted class, cyan contradicts it"
    )
    columns: list[Contribution] | None = Field(None, description="of a row, largest first")


class Item(BaseModel):
    """The prediction for one sample. A sample that cannot be used has an empty class and a reason."""

    file: str = Field(description="the name in the request, or 'row 1' and so on")
    answer: str = Field(alias="class")
    probabilities: dict[str, float] = Field(description="by class, 6 digits")
    decision: str = Field(description="the prediction in words")
    refused: bool
    reason: str = Field(description="why it was refused, or which values are out of range")
    warning: str | None = Field(None, description="only where the model is not better than guessing: on what grounds")
    explanation: Explanation | None = Field(None, description="only with ?explain=true; null without a prediction")


class Member(Item):
    """A sample of a group, and its part in the answer."""

    contribution: float | None = Field(
        description="by how much the group's answer would be less probable without it; null for the only usable sample"
    )
    differs: bool = Field(description="its own answer is another than the group's")


class GroupItem(Item):
    """With ?together=true: the answer to all samples of a patient; `file` is the first file, or the group of rows."""

    n: int = Field(description="samples of the group")
    n_used: int = Field(description="samples that the answer rests on; with fewer than half of them there is none")
    pooling: str = Field(
        description="how the probabilities become one: mean_log_odds, mean, max or top_3, for instance"
    )
    samples: list[Member]


class Predictions(BaseModel):
    """The predictions for one or more samples, in the order of the request."""

    model_config = {"json_schema_extra": {"examples": [ANSWER]}}
    bundle: str = Field(description="the model and the first digits of its bundle.json's SHA-256")
    task: str
    predictions: list[Item | GroupItem]


class OnePrediction(Predictions):
    """The same, with the prediction for the first usable image at the top level."""

    model_config = {
        "json_schema_extra": {"examples": [ANSWER | {"predicted_class": "malignant", "confidence_score": 0.88}]}
    }
    predicted_class: str
    confidence_score: float = Field(description="the probability of predicted_class")


class Stored(BaseModel):
    """The outcome of a submitted sample."""

    file: str = Field(description="the name in the request, or 'row 1' and so on")
    id: str = Field(description="the hash under which it is stored; empty if it could not be read")
    accepted: bool
    reason: str = Field(description="why it was refused")


STORED: JsonDict = {"file": "IMG_1.jpg", "id": "2c6cc7aa14870f3d", "accepted": True, "reason": ""}
AGAIN: JsonDict = {
    "file": "IMG_2.jpg",
    "id": "90b1c7aa14870f3d",
    "accepted": False,
    "reason": "already stored (benign/7.jpg)",
}


class Collected(BaseModel):
    """The batch, and the outcome of each sample, in the order of the request."""

    model_config = {
        "json_schema_extra": {"examples": [{"task": "lesions", "batch": "2026-11-25", "samples": [STORED, AGAIN]}]}
    }
    task: str
    batch: str
    samples: list[Stored]


class ProblemDocument(BaseModel):
    """An error and what to do (RFC 9457)."""

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
    warning: str = Field(description="why the model is not better than guessing; empty if it is")


class Tasks(BaseModel):
    """All tasks that have a champion."""

    tasks: list[Task]


class Description(Task):
    """Description of a task's champion.

    `schema` has a table's columns, or the clinical columns of a model for images; otherwise it is null.
    """

    columns: list[dict[str, Any]] | None = Field(alias="schema")
    metrics: dict[str, Any] = Field(description="out_of_fold and, if the test set was evaluated for this bundle, test")
    card: dict[str, Any]


class Drift(BaseModel):
    """Comparison of recent samples with the champion's training data."""

    verdict: str = Field(
        description="unlike, shifted (significantly different, but by a small margin), alike, too few, or unknown"
    )
    sentence: str
    days: int = Field(description="number of days that are compared, including today")
    n: int = Field(description="readable samples in these days")
    at_least: int = Field(description="smallest number of samples for a verdict")
    figures: list[dict[str, Any]] = Field(
        description="refused, outside (of the training range), missing, category and answer: shares served and in training, and "
        "their difference; distance, place and probability: beyond, the share of pairs in which the served sample has the larger "
        "value. ci: 95 % intervals that hold for all figures together"
    )


class Monitor(BaseModel):
    """Counts of the samples that a champion received, without images, rows or names. `bins` has the edges of the histograms."""

    task: str
    kind: str = Field(description="image or table")
    bundle: str
    drift: Drift
    counts: dict[str, Any] = Field(description="of the same days")
    by_day: list[dict[str, Any]] = Field(description="of the last 28 days (UTC), oldest first")
    performance: list[dict[str, Any]] = Field(
        description="of the last four weeks, oldest first: figures estimated from the probabilities, and measured from outcomes, "
        "each with its interval"
    )
    training: dict[str, Any] | None = Field(
        description="the same counts of out-of-fold predictions, over n_groups groups"
    )
    bins: dict[str, list[float]]


class Health(BaseModel):
    """The process is alive."""

    status: str
    versions: dict[str, str]


class Readiness(BaseModel):
    """The champions reproduce their golden predictions. `refused`: reasons why new bundles were refused."""

    ready: bool
    tasks: dict[str, str] = Field(description="the bundle in use, by task")
    refused: dict[str, str]
    warnings: dict[str, str] = Field(description="by task, why a champion is not better than guessing")


COLUMN = {
    "type": "string",
    "description": "for a model with clinical columns (listed in `schema` of the task): the value of each column, under its "
    "name, once for all images or once for each in their order; empty if unknown",
}


def files(field: str, many: bool) -> dict[str, Any]:
    """Return OpenAPI's request body of a form with images under `field`."""
    image = {"type": "string", "format": "binary", "description": "JPEG, PNG, BMP, TIFF, WebP or DICOM"}
    shape = {"type": "array", "items": image, "minItems": 1} if many else image
    form = {"type": "object", "required": [field], "properties": {field: shape}, "additionalProperties": COLUMN}
    return {
        "multipart/form-data": {
            "schema": form,
            "encoding": {field: {"contentType": "image/jpeg, image/png, application/dicom"}},
        }
    }


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
