"""Mirror results into MLflow: one experiment per task, one run per model, the champion as a registered model.

The only module that imports mlflow. The store only mirrors files of the project: delete it, and the stage `track` brings it back.
"""

import json
import logging
import os
import shutil
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipeline.core import artifacts, copies, params, params_models, paths
from pipeline.core.paths import TaskPaths
from pipeline.prediction import mlflow_model
from pipeline.prediction.bundle import BundleInfo
from pipeline.tracking import brief, decision_record, mlflow_store, names, run_record
from pipeline.tracking.run_record import Record

ALIAS = "champion"
VIEW = "leaderboard"  # the name of the table of runs that MLflow's pages open with
Documents = Callable[[str], dict[str, str]]
AT_ONCE = 1000  # metrics; MLflow takes no more


@contextmanager
def connected(uri: str) -> Iterator[Any]:
    """Yield a client on the store at `uri`, which creates the database of a new one; MLflow's log messages are switched off."""
    for name, value in mlflow_store.SETTINGS.items():
        os.environ.setdefault(name, value)
    warnings.filterwarnings("ignore", module="mlflow")
    import mlflow

    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # it prints the traceback of what it raises
    before = mlflow_store.server()
    mlflow.set_tracking_uri(uri)  # log_model asks for it; it sets the environment variable too
    try:
        yield mlflow.MlflowClient(uri)
    finally:
        mlflow.set_tracking_uri(before)  # type: ignore[arg-type] # None resets it, which its annotation does not say


def experiment_id(client: Any, name: str) -> str:
    """Return the id of an experiment, a task's or that of its decisions, which is made if need be."""
    experiment = client.get_experiment_by_name(name)
    if experiment:
        return experiment.experiment_id
    own = client.tracking_uri == mlflow_store.database()  # a server knows itself where to keep files
    return client.create_experiment(name, (mlflow_store.folder() / "artifacts" / name).as_uri() if own else None)


def find_run(client: Any, experiment: str, key: str) -> Any:
    """Return the run with that content key, or None; an unfinished one is deleted."""
    for run in client.search_runs([experiment], f"tags.content_key = '{key}'"):
        if run.info.status == "FINISHED":
            return run
        client.delete_run(run.info.run_id)
    return None


def create_run(client: Any, experiment: str, record: Record, tags: dict[str, str]) -> str:
    """Create a model's run and return its id; it is marked as finished once everything is in."""
    from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param

    run_id = client.create_run(experiment, run_name=record.model, tags=tags).info.run_id
    now = int(time.time() * 1000)
    metrics = [Metric(name, value, now, 0) for name, value in record.metrics.items()]
    metrics += [Metric(name, value, now, epoch) for epoch, name, value in record.curve]
    client.log_batch(run_id, params=[Param(name, value) for name, value in record.params.items()])
    for start in range(0, len(metrics), AT_ONCE):
        client.log_batch(run_id, metrics=metrics[start : start + AT_ONCE])
    data = Dataset(record.task, record.data[:36], source_type="local", source=json.dumps({"uri": record.raw}))
    client.log_inputs(run_id, [DatasetInput(data, [InputTag("mlflow.data.context", "training and test")])])
    with tempfile.TemporaryDirectory() as folder:
        for name, path in record.plots.items():
            shutil.copy(path, Path(folder, name))
        client.log_artifacts(run_id, folder, "plots")
    client.set_terminated(run_id)
    return run_id


def set_tags(client: Any, run: Any, tags: dict[str, str]) -> None:
    """Set those tags of a run that differ."""
    from mlflow.entities import RunTag

    changed = [RunTag(name, value) for name, value in tags.items() if run.data.tags.get(name) != value]
    if changed:
        client.log_batch(run.info.run_id, tags=changed)


def mirror(
    client: Any, task: str, records: list[Record], origin: dict[str, dict[str, str]], documents: Documents | None = None
) -> str:
    """Update a task's experiment to the present results and return a summary; `documents` go to the champion's run.

    `origin` holds the tags of each model on the origin of its results. In DVC's copy for an experiment, runs are added
    and nothing else changes: its results are not the project's.
    """
    experiment, today = experiment_id(client, names.of_task(task)), not copies.in_copy()
    named = {"DVC_EXP_NAME": os.environ["DVC_EXP_NAME"]} if os.environ.get("DVC_EXP_NAME") else {}
    created, run_ids = 0, {}
    for record in records:
        state = {"current": yes_or_no(today), "champion": yes_or_no(today and record.champion)} | brief.figures(record)
        run = find_run(client, experiment, record.key)
        if run is None:
            created += 1
            run_ids[record.model] = create_run(client, experiment, record, origin[record.model] | named | state)
            continue
        run_ids[record.model] = run.info.run_id
        if today:
            set_tags(client, run, origin[record.model] | state)
    done = f"{created} runs created, {len(records) - created} unchanged"
    if not today:
        return f"{done}; an experiment of DVC: today's runs and champion stay as they are"
    for old in client.search_runs([experiment], "tags.current = 'yes'"):
        if old.info.run_id not in run_ids.values():
            set_tags(client, old, {"current": "no", "champion": "no"})
    titles = list(dict.fromkeys(title for record in records for title in brief.figures(record)))
    champion = register_champion(client, task, experiment, run_ids, titles)
    if documents:
        winner = next(record.model for record in records if record.champion)
        log_documents(client, run_ids[winner], documents(task))
    return f"{done}; {champion}"


def log_documents(client: Any, run_id: str, texts: dict[str, str]) -> None:
    """Log documents to a run, by name, where they are not there as they are now."""
    digest = artifacts.sha256(json.dumps(texts, sort_keys=True).encode())
    if texts and client.get_run(run_id).data.tags.get("documents_sha256") != digest:
        for name, text in texts.items():
            client.log_text(run_id, text, name)
        client.set_tag(run_id, "documents_sha256", digest)


def mirror_decisions(client: Any, task: str) -> None:
    """Log the decisions about a task's upload batches as runs of an experiment of their own."""
    decisions = [] if copies.in_copy() else decision_record.read_decisions(task)
    experiment = experiment_id(client, names.of_decisions(task)) if decisions else ""
    for decision in decisions:
        if find_run(client, experiment, decision.key):
            continue
        tags = decision.tags | {"content_key": decision.key, "mlflow.note.content": decision.note}
        run_id = client.create_run(experiment, decision.when, tags, decision.name).info.run_id
        for name, value in decision.metrics.items():
            client.log_metric(run_id, name, value, decision.when)
        client.set_terminated(run_id, end_time=decision.when)


def track_decisions(task: str) -> None:
    """Mirror the decisions about a task's batches, and nothing else; `track` does it, too, so none is lost with a store."""
    with mlflow_store.locked() as uri, connected(uri) as client:
        mlflow_store.finish(uri)
        mirror_decisions(client, task)


def yes_or_no(fact: bool) -> str:
    """Return the text of a tag that is yes or no."""
    return "yes" if fact else "no"


def register_champion(client: Any, task: str, experiment: str, run_ids: dict[str, str], titles: list[str]) -> str:
    """Give the alias to the version that holds the champion's bundle, registered if new; return what was done.

    `titles`: of the figures that the table of runs opens with.
    Notes and descriptions are a person's: what there is to say of the choice goes into tags.
    """
    selection = artifacts.read_json(TaskPaths(task).selection)
    info, digest = BundleInfo.read(task), artifacts.sha256(TaskPaths(task).bundle.read_bytes())
    chosen, winner = {"reason": selection["reason"], "rule": selection["rule"]}, selection["winner"]
    model = names.of_task(task)
    key = params_models.metric_key(selection["metric"], len(info.classes))
    key = key if info.rule.unit == "sample" else f"by_group_{key}"
    for name, text in chosen.items():
        client.set_experiment_tag(experiment, f"champion_{name}", text)
    client.set_experiment_tag(
        experiment, f"mlflow.sharedViewState.{VIEW}", json.dumps(brief.view(selection["metric"], key, titles))
    )
    if not client.search_registered_models(f"name = '{model}'"):
        client.create_registered_model(model, tags={"task": task, "bundle": TaskPaths(task).best.as_posix()})
    versions = client.search_model_versions(f"name = '{model}'")
    same = {"bundle_sha256": digest, "interface": mlflow_model.INTERFACE}
    registered = [version.version for version in versions if same.items() <= version.tags.items()]
    number = registered[0] if registered else register(client, task, winner, run_ids[winner], info, digest)
    for name, text in chosen.items():
        client.set_model_version_tag(model, number, name, text)
    client.set_registered_model_alias(model, ALIAS, number)
    return f"champion {winner}, version {number} of {model}{'' if registered else ' registered'}"


def register(client: Any, task: str, winner: str, run_id: str, info: BundleInfo, digest: str) -> str:
    """Log the bundle in `models/<task>/best` to the winner's run and return the number of its new version."""
    import mlflow
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    needed = {field.name for field in info.schema if field.is_required}
    signature = ModelSignature(
        # cells may be empty, an image may not
        Schema(
            [
                ColSpec.from_json_dict(type=kind, name=name, required=kind == "binary" or name in needed)
                for name, kind in mlflow_model.inputs(info).items()
            ]
        ),
        Schema([ColSpec(kind, name) for name, kind in mlflow_model.outputs(info).items()]),
    )
    with mlflow.start_run(run_id=run_id):
        logged = mlflow.pyfunc.log_model(
            name=winner,
            loader_module="pipeline.prediction.mlflow_model",
            data_path=TaskPaths(task).best.as_posix(),
            code_paths=[str(Path(__file__).parents[1])],
            pip_requirements=mlflow_model.requirements(info),
            signature=signature,
            input_example=mlflow_model.example(info),
        )
    tags = {"bundle_sha256": digest, "interface": mlflow_model.INTERFACE, "model": winner}
    made = client.create_model_version(
        names.of_task(task), logged.model_uri, run_id, tags=tags, model_id=logged.model_id
    )
    return made.version


def track(documents: Documents | None = None) -> None:
    """Mirror every task that has run, then note what was mirrored. `documents` returns a task's texts by file name."""
    ran = tasks_with_results()
    for task in sorted(set(params.load()["tasks"]) - set(ran)):
        print(f"track {task}: not run yet: assay run {task}", file=sys.stderr)
    records = {task: run_record.read_records(task) for task in ran}
    every = [record for task in records.values() for record in task]
    origin = run_record.tags_of_origin(every)
    with mlflow_store.locked() as uri, connected(uri) as client:
        mlflow_store.finish(uri)
        for task in records:
            print(f"track {task}: {mirror(client, task, records[task], origin, documents)}", file=sys.stderr)
            mirror_decisions(client, task)
    tracked = [{"task": record.task, "model": record.model, "content_key": record.key} for record in every]
    artifacts.write_json(paths.TRACKED, sorted(tracked, key=lambda made: (made["task"], made["model"])))


def tasks_with_results() -> list[str]:
    """Return the tasks of params.yaml that have run."""
    return [task for task in params.load()["tasks"] if TaskPaths(task).selection.exists()]


def experiments() -> dict[str, str]:
    """Return the ids of the tasks' experiments; none for those that the store has not got."""
    with mlflow_store.locked() as uri, connected(uri) as client:
        mlflow_store.finish(uri)
        by_task = {task: client.get_experiment_by_name(names.of_task(task)) for task in params.load()["tasks"]}
    return {task: experiment.experiment_id for task, experiment in by_task.items() if experiment}


def forget(task: str) -> bool:
    """Remove a task from the store; return whether it was there.

    MLflow only hides a deleted experiment and keeps its name taken, so it is renamed first.
    """
    with mlflow_store.locked() as uri, connected(uri) as client:
        mlflow_store.finish(uri)
        experiments = [client.get_experiment_by_name(name) for name in (names.of_task(task), names.of_decisions(task))]
        for experiment in filter(None, experiments):
            client.rename_experiment(experiment.experiment_id, f"{experiment.name}, removed {experiment.experiment_id}")
            client.delete_experiment(experiment.experiment_id)
        if client.search_registered_models(f"name = '{names.of_task(task)}'"):
            client.delete_registered_model(names.of_task(task))
    for name in (names.of_task(task), names.of_decisions(task)):
        shutil.rmtree(mlflow_store.folder() / "artifacts" / name, ignore_errors=True)
    return experiments[0] is not None
