"""Try a batch of uploads against the champion, then promote, reject or roll it back.

The champion is always what `dvc repro` gives; what is decided is which batches are included.
"""

import sys
from collections import Counter
from dataclasses import dataclass

from pipeline.core import artifacts, params
from pipeline.core.errors import AssayError
from pipeline.core.params_models import RetrainParams
from pipeline.data import upload_ledger, uploads
from pipeline.data.upload_ledger import Compared, Decided
from pipeline.data.uploads import Included
from pipeline.prediction import bundle
from pipeline.retraining import batch_status, dvc_runs, sandbox
from pipeline.retraining.batch_status import RetrainError, alone, folder
from pipeline.retraining.comparison import compare
from pipeline.retraining.records import Comparison
from pipeline.tracking import mirror


class NotPromoted(AssayError):
    """The gate does not let a batch pass."""

    exit_code = 3


@dataclass(frozen=True)
class Batch:
    """A batch of `n` samples by label, its state, and a message: how far it is, or how it ended."""

    batch: str
    n: int
    labels: dict[str, int]
    state: str
    says: str


def rule() -> RetrainParams:
    """Return the gate of params.yaml."""
    return params.parse(RetrainParams, params.load().get("retrain") or {}, "retrain")


def try_batch(task: str, batch: str) -> Comparison:
    """Run the graph with one batch more in a copy of the project, compare, keep the comparison and return it."""
    sandbox.rows_of(task, batch)
    refuse_decided(task, batch)
    with alone():
        for name in ("cancel", "comparison.json"):
            (folder(task, batch) / name).unlink(missing_ok=True)
        batch_status.write(task, batch, "preparing")
        try:
            require_fresh(task)
            sandbox.prepare(task, batch)
            dvc_runs.run_graph(task, batch, sandbox.TREE)
            batch_status.write(task, batch, "comparing")
            compared = compare(task, sandbox.TREE, sandbox.rows_of(task, batch), rule())
        except BaseException as error:
            cancelled = isinstance(error, KeyboardInterrupt) or str(error) == "cancelled"
            batch_status.write(task, batch, "cancelled" if cancelled else "failed", message=str(error))
            sandbox.remove_tree(task, batch)
            raise
        artifacts.write_json(folder(task, batch) / "comparison.json", compared)
        changes = {name: compared.metrics[name] for name in compared.guarded}
        differences = artifacts.rounded({name: [change.difference, *change.ci] for name, change in changes.items()})
        with upload_ledger.locked(task):
            upload_ledger.append(
                task,
                Compared(
                    batch=batch,
                    passed=compared.passed,
                    recommendation=compared.recommendation,
                    differences=differences,
                    champion=compared.champion["bundle"],
                ),
            )
        batch_status.write(task, batch, "compared", message=compared.recommendation)
        return compared


def require_fresh(task: str) -> None:
    """Raise RetrainError unless the workspace's champion is what its params.yaml and data give."""
    bundle.expected_sha256(task)
    if dvc_runs.run("status", "--quiet", "--with-deps", f"select_best@{task}").returncode:
        raise RetrainError(
            f"the champion of {task} is out of date or being trained: run 'dvc repro' first, and let it finish"
        )


def refuse_decided(task: str, batch: str) -> None:
    """Raise RetrainError where a batch was promoted or rejected."""
    decided = upload_ledger.decision(task, batch)
    if decided in ("promoted", "rejected"):
        raise RetrainError(f"the batch {batch!r} was {decided} already")


def read_comparison(task: str, batch: str) -> Comparison | None:
    """Return a batch's comparison, whatever it was compared with; None where there is none."""
    path = folder(task, batch) / "comparison.json"
    return artifacts.from_json(Comparison, artifacts.read_json(path)) if path.exists() else None


def comparison(task: str, batch: str) -> Comparison:
    """Return a batch's comparison; raise RetrainError where there is none, or it is of another champion or other samples."""
    compared, again = read_comparison(task, batch), f"run 'python -m pipeline.retrain {task} --batch {batch}'"
    if not compared:
        raise RetrainError(f"the batch {batch!r} has not been compared with the champion: {again}")
    if compared.champion["bundle"] != bundle.expected_sha256(task):
        raise RetrainError(f"the batch {batch!r} was compared with an earlier champion: {again} again")
    if compared.hashes != [row.hash for row in sandbox.rows_of(task, batch)]:
        raise RetrainError(f"the batch {batch!r} has other samples than were compared: {again} again")
    return compared


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
            compared = comparison(task, batch)
            if not compared.passed and not force:
                raise NotPromoted(f"{compared.recommendation} The champion stays; --force overrides this")
        change(task, batch, before, [*before, *new], "promoting")
        note(task, "promoted", batch, who, "a person" if force else "the gate")
        batch_status.write(task, batch, "promoted")
        sandbox.remove_tree(task, batch)
    tell_mlflow(task)


def reject(task: str, batch: str, who: str) -> None:
    """Mark a batch as rejected; its samples stay stored, and may be submitted again with other labels."""
    with alone():
        sandbox.rows_of(task, batch)
        refuse_decided(task, batch)
        if batch in {row.batch for row in uploads.read(task)}:
            raise RetrainError(
                f"the batch {batch!r} is included, its promotion was interrupted: --promote or --rollback"
            )
        note(task, "rejected", batch, who)
        batch_status.write(task, batch, "rejected")
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
            raise RetrainError(f"task {task} has no batch included: there is nothing to roll back")
        batch = batch or before[-1].batch
        change(task, batch, before, [row for row in before if row.batch != batch], "rolling back")
        note(task, "rolled back", batch, who)
        batch_status.write(task, batch, "rolled back")
    tell_mlflow(task)
    return batch


def unfinished(task: str, inside: set[str]) -> str:
    """Return the batch that a killed rollback has taken out of included.csv, of which `inside` are the batches, or ""."""
    out = {line.batch for line in upload_ledger.samples(task)} - inside
    return next((batch for batch in sorted(out) if batch_status.last_written(task, batch).state == "rolling back"), "")


def change(task: str, batch: str, before: list[Included], after: list[Included], state: str) -> None:
    """Write included.csv and run the graph; put the former one back where that fails.

    Where only what comes after the task's report fails, as MLflow does when it is not there, the change stands.
    """
    batch_status.write(task, batch, state)
    uploads.write(task, after)
    exit_code, last = dvc_runs.bring_up_to_date(task, batch, state)
    if not exit_code:
        return
    if not dvc_runs.run("status", "--quiet", "--with-deps", f"report@{task}").returncode:
        print(f"{task} is up to date, but not all of the graph: run 'dvc repro' again ({last})", file=sys.stderr)
        return
    uploads.write(task, before)
    batch_status.write(task, batch, "failed", message=last)
    raise RetrainError(f"'dvc repro' failed, so nothing was decided; run it, and then this again: {last}")


def note(task: str, event: str, batch: str, who: str, by: str | None = None) -> None:
    """Write a decision into the ledger, with the champion that it led to."""
    champion = bundle.expected_sha256(task)
    with upload_ledger.locked(task):
        upload_ledger.append(task, Decided(event=event, batch=batch, who=who, champion=champion, by=by))


def tell_mlflow(task: str) -> None:
    """Bring the ledger's decisions into MLflow; whatever is wrong there, they stand, and the next `track` brings them."""
    try:
        mirror.track_decisions(task)
    except Exception as error:
        print(f"decided and in the ledger, but not yet in MLflow: {type(error).__name__}: {error}", file=sys.stderr)


def batches(task: str) -> list[Batch]:
    """Return every batch, the latest first."""
    labels: dict[str, Counter[str]] = {}
    for line in upload_ledger.samples(task):
        labels.setdefault(line.batch, Counter())[line.label] += 1
    decided = upload_ledger.decisions(task)
    batches = []
    for batch, counts in labels.items():
        now = batch_status.status(task, batch)
        says = now.message
        if now.stage and now.state in batch_status.ACTIVE:
            says = f"{now.stage}, {now.done} of {now.total}, about {now.seconds_left} s left"
        state = now.state or decided.get(batch, "collected")
        batches.append(Batch(batch, counts.total(), dict(counts), state, says))
    return batches[::-1]
