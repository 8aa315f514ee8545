"""What becomes of a batch of uploads: tried beside the champion, compared, and then promoted, rejected or taken back.

    python -m pipeline.retrain TASK --batch ID      # run the graph with it in a copy, and compare; changes nothing
    python -m pipeline.retrain TASK --promote ID    # include it, where the gate lets it; --force where it does not
    python -m pipeline.retrain TASK --reject ID     # it stays stored, and is marked
    python -m pipeline.retrain TASK --rollback      # take out the batch that was included last: the old bytes
    python -m pipeline.retrain TASK --status        # of all batches; --cancel ends what runs

The champion is always what `dvc repro` gives; what is decided is which batches are included.
"""

import argparse
import getpass
import json
from dataclasses import asdict

from pipeline.core import artifacts, params
from pipeline.core.stage import run
from pipeline.retraining import batch_status, decide, dvc_runs, recommendation
from pipeline.retraining.batch_status import RetrainError


def parse(arguments: tuple[str, ...]) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m pipeline.retrain", description="Decide about batches of uploads.")
    parser.add_argument("task")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--batch", metavar="ID", help="try it beside the champion and compare")
    what.add_argument("--promote", metavar="ID", help="include it where the gate lets it pass")
    what.add_argument("--reject", metavar="ID", help="mark it; it stays stored")
    what.add_argument("--rollback", action="store_true", help="take out the batch included last")
    what.add_argument("--cancel", metavar="ID", help="end its challenge")
    what.add_argument("--status", action="store_true", help="list all batches")
    parser.add_argument("--force", action="store_true", help="with --promote: whatever the gate says")
    parser.add_argument("--json", action="store_true", help="with --batch and --status: everything as JSON")
    parser.add_argument("--who", default=getpass.getuser(), help="who decides, for the ledger; you if left out")
    return parser.parse_args(arguments)


def main(*arguments: str) -> None:
    asked = parse(arguments)
    params.task(asked.task)
    if asked.batch:
        dvc_runs.lower_priority()
        compared = decide.try_batch(asked.task, asked.batch)
        everything = json.dumps(artifacts.rounded(compared.to_json()), indent=1)
        print(everything if asked.json else "\n".join(recommendation.lines(compared)))
    elif asked.promote:
        decide.promote(asked.task, asked.promote, asked.who, asked.force)
        print(f"{asked.promote} is included. Commit included.csv, dvc.lock and reports/ to keep it")
    elif asked.reject:
        decide.reject(asked.task, asked.reject, asked.who)
        print(f"{asked.reject} is rejected, and stays stored")
    elif asked.rollback:
        batch = decide.rollback(asked.task, asked.who)
        print(f"{batch} is taken out again. Commit included.csv, dvc.lock and reports/ to keep that")
    elif asked.cancel:
        if batch_status.status(asked.task, asked.cancel).state not in batch_status.ACTIVE:
            raise RetrainError(f"no challenge of {asked.cancel} runs")
        batch_status.cancel(asked.task, asked.cancel)
    else:
        batches = decide.batches(asked.task)
        lines = [f"{batch.batch}  {batch.n} samples  {batch.state}  {batch.says}".rstrip() for batch in batches]
        everything = json.dumps([asdict(batch) for batch in batches], indent=1)
        print(everything if asked.json else "\n".join(lines) or "nothing was handed in")


if __name__ == "__main__":
    run(main)
