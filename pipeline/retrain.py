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

from pipeline.core import artifacts, params
from pipeline.core.stage import run
from pipeline.retraining import recommendation, sandbox
from pipeline.retraining.decide import batches, promote, reject, rollback, try_batch
from pipeline.retraining.sandbox import RetrainError, status


def main(*arguments: str) -> None:
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
    asked = parser.parse_args(arguments)
    params.task(asked.task)
    who = asked.who
    if asked.batch:
        sandbox.step_back()
        found = try_batch(asked.task, asked.batch)
        print(json.dumps(artifacts.rounded(found), indent=1) if asked.json else "\n".join(recommendation.lines(found)))
    elif asked.promote:
        promote(asked.task, asked.promote, who, asked.force)
        print(f"{asked.promote} is included. Commit included.csv, dvc.lock and reports/ to keep it")
    elif asked.reject:
        reject(asked.task, asked.reject, who)
        print(f"{asked.reject} is rejected, and stays stored")
    elif asked.rollback:
        print(
            f"{rollback(asked.task, who)} is taken out again. Commit included.csv, dvc.lock and reports/ to keep that"
        )
    elif asked.cancel:
        if status(asked.task, asked.cancel).get("state") not in sandbox.ACTIVE:
            raise RetrainError(f"no challenge of {asked.cancel} runs")
        sandbox.cancel(asked.task, asked.cancel)
    else:
        found = batches(asked.task)
        lines = [f"{one['batch']}  {one['n']} samples  {one['state']}  {one['says']}".rstrip() for one in found]
        print(json.dumps(found, indent=1) if asked.json else "\n".join(lines) or "nothing was handed in")


if __name__ == "__main__":
    run(main)
