"""Try a batch of uploads beside the champion, then promote, reject or roll it back.

The champion is always what `dvc repro` gives; what is decided is which batches are included.
"""

import subprocess
import sys
from typing import Any

from pipeline.core import artifacts, params
from pipeline.core.errors import AssayError
from pipeline.core.params import RetrainParams
from pipeline.data import upload_ledger, uploads
from pipeline.prediction import bundle
from pipeline.retraining import sandbox
from pipeline.retraining.comparison import compare
from pipeline.retraining.sandbox import RetrainError, alone, folder, say, status
from pipeline.tracking import mirror


class NotPromoted(AssayError):
    """The gate does not let a batch pass."""

    exit_code = 3


def rule() -> RetrainParams:
    """Return the gate of params.yaml."""
    return params.parse(RetrainParams, params.load().get("retrain") or {}, "retrain")


def try_batch(task: str, batch: str) -> dict[str, Any]:
    """Run the graph with a batch more in a copy of the project, compare, keep the comparison and return it."""
    sandbox.rows_of(task, batch)
    refuse_decided(task, batch)
    with alone():
        (folder(task, batch) / "cancel").unlink(missing_ok=True)
        (folder(task, batch) / "comparison.json").unlink(missing_ok=True)
        say(task, batch, "preparing")
        try:
            require_fresh(task)
            sandbox.prepare(task, batch)
            sandbox.run_graph(task, batch)
            say(task, batch, "comparing")
            found = compare(task, sandbox.TREE, sandbox.rows_of(task, batch), rule())
        except BaseException as error:
            cancelled = isinstance(error, KeyboardInterrupt) or str(error) == "cancelled"
            say(task, batch, "cancelled" if cancelled else "failed", message=str(error))
            sandbox.remove_tree(task, batch)
            raise
        artifacts.write_json(folder(task, batch) / "comparison.json", found)
        figures = {name: found["metrics"][name] for name in found["guarded"]}
        differences = {name: [one["difference"], *one["ci"]] for name, one in figures.items()}
        facts = {"passed": found["passed"], "recommendation": found["recommendation"]}
        with upload_ledger.locked(task):
            upload_ledger.append(task, "compared", batch=batch, **facts, differences=artifacts.rounded(differences))
        say(task, batch, "compared", message=found["recommendation"])
        return found


def require_fresh(task: str) -> None:
    """Raise RetrainError unless the workspace's champion is what its params.yaml and data give."""
    bundle.vouched(task)
    if run_dvc("status", "--quiet", "--with-deps", f"select_best@{task}").returncode:
        raise RetrainError(
            f"the champion of {task} is not up to date, or being made: run 'dvc repro' first, to its end"
        )


def refuse_decided(task: str, batch: str) -> None:
    """Raise RetrainError where a batch was promoted or rejected."""
    decided = upload_ledger.decision(task, batch)
    if decided in ("promoted", "rejected"):
        raise RetrainError(f"the batch {batch!r} was {decided} already")


def comparison(task: str, batch: str) -> dict[str, Any]:
    """Return a batch's comparison; raise RetrainError where there is none, or it is of another champion or other samples."""
    path = folder(task, batch) / "comparison.json"
    again = f"run 'python -m pipeline.retrain {task} --batch {batch}'"
    if not path.exists():
        raise RetrainError(f"the batch {batch!r} has not been compared with the champion: {again}")
    found = artifacts.read_json(path)
    if found["champion"]["bundle"] != bundle.vouched(task):
        raise RetrainError(f"the batch {batch!r} was compared with an earlier champion: {again} again")
    if found["hashes"] != [row.hash for row in sandbox.rows_of(task, batch)]:
        raise RetrainError(f"the batch {batch!r} has other samples than were compared: {again} again")
    return found


def promote(task: str, batch: str, who: str, force: bool = False) -> None:
    """Include a batch and bring the workspace up to date; raise NotPromoted where the gate does not let it pass.

    Where the graph fails, the former included.csv is put back.
    """
    with alone():
        refuse_decided(task, batch)
        before, rows = uploads.read(task), sandbox.rows_of(task, batch)
        seen = {row.hash for row in before}
        new = [row for row in rows if row.hash not in seen]
        if new:  # else a promotion that was killed goes on
            found = comparison(task, batch)
            if not found["passed"] and not force:
                raise NotPromoted(f"{found['recommendation']} The champion stays; a person may say --force")
        change(task, batch, before, [*before, *new], "promoting")
        note(task, "promoted", batch, who, by="a person" if force else "the gate")
        say(task, batch, "promoted")
        sandbox.remove_tree(task, batch)
    tell_mlflow(task)


def reject(task: str, batch: str, who: str) -> None:
    """Mark a batch as rejected; what was handed in stays stored, and may be handed in again with other labels."""
    with alone():
        sandbox.rows_of(task, batch)
        refuse_decided(task, batch)
        if batch in {row.batch for row in uploads.read(task)}:
            raise RetrainError(
                f"the batch {batch!r} is included, its promotion was interrupted: --promote or --rollback"
            )
        note(task, "rejected", batch, who)
        say(task, batch, "rejected")
        sandbox.remove_tree(task, batch)
    tell_mlflow(task)


def rollback(task: str, who: str) -> str:
    """Take out the batch that was included last, bring the workspace up to date, and return the batch's name.

    A rollback that was killed goes on, instead of taking out one batch more.
    """
    with alone():
        before = uploads.read(task)
        batch = unfinished(task, {row.batch for row in before})
        if not batch and not before:
            raise RetrainError(f"task {task} has no batch included: there is nothing to take back")
        batch = batch or before[-1].batch
        change(task, batch, before, [row for row in before if row.batch != batch], "rolling back")
        note(task, "rolled back", batch, who)
        say(task, batch, "rolled back")
    tell_mlflow(task)
    return batch


def unfinished(task: str, inside: set[str]) -> str:
    """Return the batch that a killed rollback has taken out of included.csv, of which `inside` are the batches, or ""."""
    out = {line["batch"] for line in upload_ledger.samples(task)} - inside
    return next((batch for batch in sorted(out) if sandbox.said(task, batch).get("state") == "rolling back"), "")


def change(task: str, batch: str, before: list, after: list, state: str) -> None:
    """Write included.csv and run the graph; put the former one back where that fails.

    Where only what comes after the task's report fails, as MLflow does when it is not there, the change stands.
    """
    say(task, batch, state)
    uploads.write(task, after)
    done = run_dvc("repro")
    if not done.returncode:
        return
    last = " ".join((done.stderr.strip() or done.stdout.strip()).splitlines()[-3:])
    if not run_dvc("status", "--quiet", "--with-deps", f"report@{task}").returncode:
        print(f"{task} is up to date, but not all of the graph: run 'dvc repro' again ({last})", file=sys.stderr)
        return
    uploads.write(task, before)
    say(task, batch, "failed", message=last)
    raise RetrainError(f"'dvc repro' failed, so nothing was decided; run it, and then this again: {last}")


def run_dvc(*arguments: str) -> subprocess.CompletedProcess:
    """Run DVC in the workspace at low priority."""
    return subprocess.run([*sandbox.DVC, *arguments], env=sandbox.environment(), capture_output=True, text=True)


def note(task: str, event: str, batch: str, who: str, **facts: Any) -> None:
    """Write a decision into the ledger, with the champion that it led to."""
    with upload_ledger.locked(task):
        upload_ledger.append(task, event, batch=batch, who=who, champion=bundle.vouched(task), **facts)


def tell_mlflow(task: str) -> None:
    """Bring the ledger's decisions into MLflow; whatever is wrong there, they stand, and the next `track` brings them."""
    try:
        mirror.track_decisions(task)
    except Exception as error:
        print(f"decided, and in the ledger, but not yet in MLflow: {type(error).__name__}: {error}", file=sys.stderr)


def batches(task: str) -> list[dict[str, Any]]:
    """Return of every batch, the latest first: batch, n, labels, state and a sentence."""
    found: dict[str, dict[str, Any]] = {}
    for line in upload_ledger.samples(task):
        one = found.setdefault(line["batch"], {"batch": line["batch"], "n": 0, "labels": {}})
        one["n"] += 1
        one["labels"][line["label"]] = one["labels"].get(line["label"], 0) + 1
    decided = upload_ledger.decisions(task)
    for batch, one in found.items():
        now = status(task, batch)
        one["state"] = now.get("state") or decided.get(batch, "collected")
        one["says"] = now.get("message", "")
        if one["state"] == "running":
            one["says"] = f"{now['stage']}, {now['done']} of {now['total']}, about {now['seconds_left']} s left"
    return list(found.values())[::-1]
