"""Decide about a batch of uploads: try it, compare it with the champion, then promote, reject or roll back.

    python -m pipeline.retrain TASK --batch ID      # train a challenger in a copy of the project and compare; changes nothing
    python -m pipeline.retrain TASK --promote ID    # include it if it passes the gate; --force: even if it does not
    python -m pipeline.retrain TASK --reject ID     # mark it as rejected; it stays stored
    python -m pipeline.retrain TASK --rollback      # remove the batch that was included last; restores the old files
    python -m pipeline.retrain TASK --status        # list all batches; --cancel ID ends a challenge

The champion is always the result of `dvc repro`; the decision is only which batches are included.
"""

import argparse
import json
from dataclasses import asdict

from pipeline.core import artifacts, command_line, dvc_program, params
from pipeline.core.stage import run
from pipeline.retraining import batch_status, decide, dvc_runs, recommendation
from pipeline.retraining.batch_status import RetrainError


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command: the task and what is decided."""
    parser = command_line.parser(
        "pipeline.retrain", "Decide about batches of uploads.", "lesions --batch june", "lesions --promote june"
    )
    parser.add_argument("task")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--batch", metavar="ID", help="train a challenger with it and compare")
    what.add_argument("--promote", metavar="ID", help="include it if it passes the gate")
    what.add_argument("--reject", metavar="ID", help="mark it as rejected; it stays stored")
    what.add_argument("--rollback", action="store_true", help="remove the batch that was included last")
    what.add_argument("--cancel", metavar="ID", help="end its challenge")
    what.add_argument("--status", action="store_true", help="list all batches")
    parser.add_argument("--force", action="store_true", help="with --promote: even if it does not pass the gate")
    parser.add_argument("--json", action="store_true", help="with --batch and --status: print everything as JSON")
    parser.add_argument("--who", default=command_line.user(), help="who decides, for the ledger; default: you")
    return parser


def main(*arguments: str) -> None:
    asked = build_parser().parse_args(arguments)
    params.task(asked.task)
    if asked.batch:
        dvc_program.lower_priority(dvc_runs.NICE)
        compared = decide.try_batch(asked.task, asked.batch)
        everything = json.dumps(artifacts.rounded(compared), indent=1)
        print(everything if asked.json else "\n".join(recommendation.lines(compared)))
    elif asked.promote:
        decide.promote(asked.task, asked.promote, asked.who, asked.force)
        print(f"{asked.promote} is included. Commit included.csv, dvc.lock and reports/ to keep it")
    elif asked.reject:
        decide.reject(asked.task, asked.reject, asked.who)
        print(f"{asked.reject} is rejected; its samples stay stored")
    elif asked.rollback:
        batch = decide.rollback(asked.task, asked.who)
        print(f"{batch} is removed again. Commit included.csv, dvc.lock and reports/ to keep that")
    elif asked.cancel:
        if batch_status.status(asked.task, asked.cancel).state not in batch_status.ACTIVE:
            raise RetrainError(f"no challenge of {asked.cancel} runs")
        batch_status.cancel(asked.task, asked.cancel)
    else:
        batches = decide.batches(asked.task)
        lines = [f"{batch.batch}  {batch.n} samples  {batch.state}  {batch.says}".rstrip() for batch in batches]
        everything = json.dumps([asdict(batch) for batch in batches], indent=1)
        print(everything if asked.json else "\n".join(lines) or "no samples were submitted")


if __name__ == "__main__":
    run(main)
