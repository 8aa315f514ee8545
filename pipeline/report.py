"""Stage `report@task`: all that is known of a task in one file that can be handed over, `reports/<task>/report.html`.

    python -m pipeline.report TASK                            writes it, pictures of samples included
    python -m pipeline.report TASK --no-images [--out FILE]   one to share: no picture, name or row of any sample

The file needs no network and no script. It says what stages wrote, the same bytes every time; nothing in it is typed by hand.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

from pipeline import (
    artifacts,
    checklist,
    looks,
    model_card,
    params,
    report_data,
    report_pictures,
    report_results,
    study,
    subgroups,
)
from pipeline.names import NAMES
from pipeline.stage import run

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


def fingerprints(found: study.Study) -> list[tuple[str, str]]:
    """Return what the results were made from and came out as: (what, SHA-256)."""
    data = Path(f"data/{found.name}")
    return [
        (f"{data.as_posix()}/scan/samples.csv", artifacts.sha256((data / "scan/samples.csv").read_bytes())),
        (f"{data.as_posix()}/split.csv", artifacts.sha256((data / "split.csv").read_bytes())),
        ("development set: ids, groups, labels, folds", found.bundle["data_fingerprint"]),
        ("test set: ids, groups, labels", found.test[found.winner]["data_fingerprint"]),
        (f"models/{found.name}/best/bundle.json", found.selection["bundle"]),
    ]


def content(found: study.Study, pictures: bool) -> dict[str, Any]:
    """Return what the template shows; without `pictures` nothing in it is of a single sample."""
    elsewhere = report_results.external(found)
    for one in elsewhere:
        one["charts"] = {
            chart: report_pictures.chart_elsewhere(found.name, one["name"], chart) for chart in ("roc", "reliability")
        }
    shown = {
        "pairs": report_pictures.pairs(found),
        "mistakes": report_pictures.with_pictures(found, report_results.mistakes(found)),
        "unreadable": found.audit["unreadable"],
    }
    return {
        "study": found,
        "cv": found.cv[found.winner],
        "test": found.test[found.winner],
        "pictures": shown if pictures else None,
        "looks": looks.in_words(found.looks),
        "charts": report_pictures.charts(found),
        "elsewhere": elsewhere,
        "card": model_card.card(found),
        "limits": model_card.limits(found),
        "decides": model_card.decides(found),
        "calibrated": model_card.calibrated(found),
        "checklist": checklist.checklist(found),
        "fingerprints": fingerprints(found),
        "metric": NAMES[found.metric],
        "few": subgroups.FEW,
        "seed": params.seed(),
        "data": report_data,
        "results": report_results,
    }


def render(name: str, pictures: bool = True) -> str:
    """Return the report of a task as HTML; raise StageError where a stage before it has not run."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"three": three, "span": span, "signed": signed, "percent": percent}
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    return template.render(content(study.read(name), pictures))


def main(*arguments: str) -> None:
    parser = argparse.ArgumentParser("python -m pipeline.report", description="Write the report of a task.")
    parser.add_argument("task", help="a task of params.yaml")
    parser.add_argument("--no-images", action="store_true", help="leave out whatever is of a single sample")
    parser.add_argument("--out", metavar="FILE.html", type=Path, help="where to write it; with --no-images else stdout")
    given = parser.parse_args(arguments)
    page = render(given.task, pictures=not given.no_images)
    if given.no_images and not given.out:
        sys.stdout.write(page)
        return
    artifacts.write_bytes(given.out or Path(f"reports/{given.task}/report.html"), page.encode())


if __name__ == "__main__":
    run(main)
