"""Images within a report: samples scaled down, and figures, as data: URIs, so that one file is all."""

import base64
import io
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image

from pipeline.core.paths import TaskPaths
from pipeline.core.stage import require
from pipeline.data import images, uploads
from pipeline.data.folders.archives import folder_of
from pipeline.duplicates import summary
from pipeline.evaluation import plots
from pipeline.reporting.results import Study

SIDE = 200  # px of a sample's longer side
MOST_PAIRS = 12
QUALITY = 85  # of JPEG


def uri(data: bytes, kind: str) -> str:
    """Return bytes as a data: URI; `kind` is png or jpeg."""
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def sample(path: Path) -> str:
    """Return an image file, upright and scaled down, as a data: URI: without its metadata, which may name a patient."""
    image = Image.fromarray(images.decode(path.read_bytes()).pixels)
    scale = min(1.0, SIDE / max(image.size))
    image = image.resize([max(1, round(length * scale)) for length in image.size], Image.Resampling.BILINEAR)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=QUALITY)
    return uri(out.getvalue(), "jpeg")


def pairs(study: Study) -> list[dict[str, Any]]:
    """Return the pairs of the audit that matter most, each with both images (of tables without), what was done, a remark."""
    shown = summary.ranked(study.audit, study.samples)[:MOST_PAIRS]
    root = folder_of(study.task.raw)
    of_images = study.task.kind == "image"
    return [
        {"kind": pair.kind, "score": pair.score, "copy": pair.copy, "remark": remark}
        | {
            "sides": [
                {"path": path, "image": sample(uploads.locate(root, path)) if of_images else ""}
                for path in (pair.a, pair.b)
            ]
        }
        for pair, remark in shown
    ]


def with_images(study: Study, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return rows that have a path with their image added."""
    root = folder_of(study.task.raw)
    return [
        row | {"image": sample(uploads.locate(root, row["path"])) if study.task.kind == "image" else ""} for row in rows
    ]


def charts(study: Study) -> dict[str, str]:
    """Return the champion's charts by name, as data: URIs: those that `evaluate` drew, and precision over recall."""
    folder = TaskPaths(study.name).figures(study.winner)
    names = ("roc", "reliability", "coverage", "history")
    embedded = {
        name: uri(require(folder / f"{name}.png", f"evaluate@{study.winner}").read_bytes(), "png") for name in names
    }
    with tempfile.TemporaryDirectory() as scratch:
        drawn = Path(scratch, "precision.png")
        average = study.cv[study.winner]["average_precision"]
        plots.precision_recall(study.dev, study.proba, average, f"{study.winner}, out of fold", drawn)
        return embedded | {"precision": uri(drawn.read_bytes(), "png")}


def chart_elsewhere(task: str, name: str, chart: str) -> str:
    """Return a chart of the external data set `name` as a data: URI."""
    return uri(require(TaskPaths(task).figures(name) / f"{chart}.png", f"external@{name}").read_bytes(), "png")
