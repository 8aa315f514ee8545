"""Stage `track`: mirror the results into MLflow.

    python -m pipeline.track              one experiment per task, one run per model; existing runs are kept
    python -m pipeline.track --ui [PORT]  today's runs side by side in the browser

The store only mirrors files of the project: if it is deleted, this stage restores it. Writes `mlflow/tracked.json`, the list of
mirrored results.
"""

import argparse

from pipeline.core import command_line
from pipeline.core.stage import run
from pipeline.reporting import shared
from pipeline.tracking import mlflow_store
from pipeline.tracking.mirror import VIEW, experiments, tasks_with_results, track

PORT = 5000


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command."""
    parser = command_line.parser("pipeline.track", "Mirror the results into MLflow.", "", "--ui")
    parser.add_argument(
        "--ui", nargs="?", type=int, const=PORT, metavar="PORT", help="show today's runs in the browser"
    )
    return parser


def main(*arguments: str) -> None:
    port = build_parser().parse_args(arguments).ui
    if port is None or len(experiments()) < len(tasks_with_results()):
        track(shared.documents)
    if port is not None:
        page = "/#/experiments/{}/runs?workflowType=machine_learning&viewStateShareKey=" + VIEW
        mlflow_store.show({task: page.format(number) for task, number in experiments().items()}, port)


if __name__ == "__main__":
    run(main)
