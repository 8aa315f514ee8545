"""Images within a report: samples scaled down, and figures, as data: URIs, so that one file is all."""

import base64
import io
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image

from pipeline.core.paths import TaskPaths
from pipeline.core.stage import require
from pipeline.data import uploads
from pipeline.data.audit_result import PathPair
from pipeline.data.folders.archives import folder_of
from pipeline.data.images import decoding, image_file, pixel_rule
from pipeline.data.images.pixel_rule import PixelRule
from pipeline.duplicates import summary
from pipeline.reporting import results_section
from pipeline.reporting.results import Study
from pipeline.reporting.results_section import Mistake

SIDE = 200  # px of a sample's longer side
MOST_PAIRS = 12
QUALITY = 85  # of JPEG


@dataclass(frozen=True)
class ShownPair:
    """A pair of samples that the audit found, what distinguishes it, and both images as data: URIs, none of rows."""

    pair: PathPair
    remark: str
    images: list[tuple[str, str]]


def uri(data: bytes, kind: str) -> str:
    """Return bytes as a data: URI; `kind` is png or jpeg."""
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def sample(path: Path, rule: PixelRule) -> str:
    """Return an image file, upright and scaled down, as a data: URI: without its metadata, which may name a patient."""
    image = Image.fromarray(decoding.decode(image_file.read(path), rule).pixels)
    scale = min(1.0, SIDE / max(image.size))
    image = image.resize([max(1, round(length * scale)) for length in image.size], Image.Resampling.BILINEAR)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=QUALITY)
    return uri(out.getvalue(), "jpeg")


def pairs(study: Study) -> list[ShownPair]:
    """Return the pairs of the audit that matter most."""
    shown = []
    for pair, remark in summary.ranked(study.audit, study.samples)[:MOST_PAIRS]:
        images = [(path, of_path(study, path)) for path in (pair.a, pair.b)] if study.task.kind == "image" else []
        shown.append(ShownPair(pair, remark, images))
    return shown


def mistakes(study: Study) -> list[Mistake]:
    """Return the champion's most confident mistakes with their images; of rows without."""
    wrong = results_section.mistakes(study)
    return [replace(row, image=of_path(study, row.path)) for row in wrong] if study.task.kind == "image" else wrong


def suspects(study: Study) -> list[Mistake]:
    """Return the samples whose label is most suspect, as mistakes, with their images; of rows without."""
    rows = results_section.suspects(study).head(results_section.MOST_MISTAKES).to_dict("records")
    shown = [Mistake(row["path"], row["label"], row["instead"], row["probability"]) for row in rows]
    return [replace(row, image=of_path(study, row.path)) for row in shown] if study.task.kind == "image" else shown


def of_path(study: Study, path: str) -> str:
    """Return the image with that path of samples.csv as a data: URI."""
    return sample(uploads.locate(folder_of(study.task.raw), path), pixel_rule.rule_of(study.task.read))


def charts(study: Study) -> dict[str, str]:
    """Return the champion's charts by name, as data: URIs: those that `evaluate` drew, and precision over recall."""
    from pipeline.evaluation import plots  # matplotlib, for which `track` does not wait

    folder = TaskPaths(study.name).figures(study.winner)
    names = ["roc", "reliability", "coverage", "history", *(["decision_curve"] if study.dev.positive else [])]
    embedded = {
        name: uri(require(folder / f"{name}.png", f"evaluate@{study.name}").read_bytes(), "png") for name in names
    }
    with tempfile.TemporaryDirectory() as scratch:
        drawn = Path(scratch, "precision.png")
        average = study.cv["average_precision"]
        plots.precision_recall(study.dev, study.proba, average, f"{study.winner}, out of fold", drawn)
        return embedded | {"precision": uri(drawn.read_bytes(), "png")}


def chart_elsewhere(task: str, name: str, chart: str) -> str:
    """Return a chart of the external data set `name` as a data: URI."""
    return uri(require(TaskPaths(task).external_figures(name) / f"{chart}.png", f"external@{name}").read_bytes(), "png")
