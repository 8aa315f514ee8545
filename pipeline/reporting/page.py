"""Render a task's report: one HTML file that needs no network and no script."""

import math
from pathlib import Path
from typing import Any

from pipeline import __version__
from pipeline.core import artifacts, params
from pipeline.core.paths import TaskPaths
from pipeline.evaluation import by_group, scoring, suspect_labels
from pipeline.evaluation.metric_names import NAMES, PROMISE
from pipeline.evaluation.usefulness import learning_curve, sample_size
from pipeline.reporting import data_section, embedded_images, limits, model_card, results, results_section, tripod_ai

TEMPLATE = Path(__file__).parent / "templates" / "report.html"


def three(value: float | None) -> str:
    """Return a figure with three decimals."""
    return "not defined" if value is None or math.isnan(value) else f"{value:.3f}"


def span(ends: list[float] | None) -> str:
    """Return an interval as "0.872 to 0.955"."""
    return "" if not ends or any(map(math.isnan, ends)) else f"{ends[0]:.3f} to {ends[1]:.3f}"


def signed(value: float) -> str:
    """Return a difference with its sign."""
    return "not defined" if math.isnan(value) else f"{value:+.3f}"


def percent(value: float) -> str:
    """Return a share in percent, without decimals."""
    return f"{value:.0%}"


# What CITATION.cff says, in a line.
CITATION = (
    "The Assay authors (2026). Assay: a reproducible experiment pipeline for classifying medical images and tables. "
    f"Version {__version__}."
)


def fingerprints(study: results.Study) -> list[tuple[str, str | None]]:
    """Return (name, SHA-256) of what the results were made from, and of the results."""
    paths = TaskPaths(study.name)
    return [
        *((path.as_posix(), artifacts.sha256(path.read_bytes())) for path in (paths.samples, paths.split)),
        ("development set: ids, groups, labels, folds", study.bundle.data_fingerprint),
        ("test set: ids, groups, labels", study.test.data_fingerprint),
        (paths.bundle.as_posix(), study.selection.bundle),
    ]


def content(study: results.Study, images: bool) -> dict[str, Any]:
    """Return the variables of the template; without `images` it holds nothing of a single sample."""
    shown = {
        "pairs": embedded_images.pairs(study),
        "mistakes": embedded_images.mistakes(study),
        "suspects": embedded_images.suspects(study),
        "unreadable": study.audit.unreadable,
    }
    useful = results_section.usefulness(study)
    return {
        "study": study,
        "cv": study.cv,
        "test": study.test,
        "images": shown if images else None,
        "charts": embedded_images.charts(study),
        "elsewhere": results_section.external(study),
        "unit": study.bundle.rule.unit,
        "per_unit": by_group.per(study.bundle.rule.unit),
        "chart_elsewhere": embedded_images.chart_elsewhere,
        "card": model_card.card(study),
        "limits": limits.limits(study),
        "decides": model_card.decides(study),
        "smooth": (TaskPaths(study.name).figures(study.winner) / "calibration_curve.csv").exists(),
        "suspect": suspect_labels.in_words(results_section.suspects(study), len(study.dev.y), study.what),
        "natural": results_section.natural_frequencies(study),
        "useful": useful,
        "in_short": f"{useful.partition('; select.')[0].rstrip('.')}." if useful else "",
        "more_data": learning_curve.in_words(study.learning),
        "size": sample_size.in_words(study.cv.sample_size) if study.cv.sample_size else "",
        "calibrated": model_card.calibrated(study),
        "checklist": tripod_ai.checklist(study),
        "fingerprints": fingerprints(study),
        "metric": NAMES[study.metric],
        "promise": PROMISE,
        "names": NAMES,
        "few": scoring.FEW,
        "seed": params.seed(),
        "citation": CITATION,
        "data": data_section,
        "results": results_section,
    }


def render(name: str, images: bool = True) -> str:
    """Return the report of a task as HTML; raise StageError where a stage before it has not run."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"three": three, "span": span, "signed": signed, "percent": percent}
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    return template.render(content(results.read(name), images))
