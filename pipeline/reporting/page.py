"""Render a task's report: one HTML file that needs no network and no script."""

from pathlib import Path
from typing import Any

from pipeline.core import artifacts, params
from pipeline.core.paths import TaskPaths
from pipeline.evaluation import subgroups, test_set_evaluations
from pipeline.evaluation.metric_names import NAMES
from pipeline.reporting import data_section, embedded_images, limits, model_card, results, results_section, tripod_ai

TEMPLATE = Path(__file__).parent / "templates" / "report.html"


def three(value: float | None) -> str:
    """Return a figure with three digits behind the point."""
    return "not defined" if value is None or value != value else f"{value:.3f}"


def span(ends: list[float] | None) -> str:
    """Return an interval as "0.872 to 0.955"."""
    return "" if not ends or None in ends or ends != ends else f"{ends[0]:.3f} to {ends[1]:.3f}"


def signed(value: float | None) -> str:
    """Return a difference with its sign."""
    return "not defined" if value is None else f"{value:+.3f}"


def percent(value: float) -> str:
    """Return a share in percent, without digits behind the point."""
    return f"{value:.0%}"


def fingerprints(found: results.Study) -> list[tuple[str, str]]:
    """Return what the results were made from and came out as: (what, SHA-256)."""
    paths = TaskPaths(found.name)
    return [
        *((path.as_posix(), artifacts.sha256(path.read_bytes())) for path in (paths.samples, paths.split)),
        ("development set: ids, groups, labels, folds", found.bundle["data_fingerprint"]),
        ("test set: ids, groups, labels", found.test[found.winner]["data_fingerprint"]),
        (paths.bundle.as_posix(), found.selection["bundle"]),
    ]


def content(found: results.Study, pictures: bool) -> dict[str, Any]:
    """Return what the template shows; without `pictures` nothing in it is of a single sample."""
    elsewhere = results_section.external(found)
    for one in elsewhere:
        one["charts"] = {
            chart: embedded_images.chart_elsewhere(found.name, one["name"], chart) for chart in ("roc", "reliability")
        }
    shown = {
        "pairs": embedded_images.pairs(found),
        "mistakes": embedded_images.with_pictures(found, results_section.mistakes(found)),
        "unreadable": found.audit.unreadable,
    }
    return {
        "study": found,
        "cv": found.cv[found.winner],
        "test": found.test[found.winner],
        "pictures": shown if pictures else None,
        "looks": test_set_evaluations.in_words(found.looks),
        "charts": embedded_images.charts(found),
        "elsewhere": elsewhere,
        "card": model_card.card(found),
        "limits": limits.limits(found),
        "decides": model_card.decides(found),
        "calibrated": model_card.calibrated(found),
        "checklist": tripod_ai.checklist(found),
        "fingerprints": fingerprints(found),
        "metric": NAMES[found.metric],
        "few": subgroups.FEW,
        "seed": params.seed(),
        "data": data_section,
        "results": results_section,
    }


def render(name: str, pictures: bool = True) -> str:
    """Return the report of a task as HTML; raise StageError where a stage before it has not run."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"three": three, "span": span, "signed": signed, "percent": percent}
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    return template.render(content(results.read(name), pictures))
