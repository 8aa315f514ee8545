"""The decisions about batches of uploads as MLflow shows them, read from the ledger: a pure record, without MLflow."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pipeline.core import artifacts
from pipeline.data import upload_ledger

EVENTS = ("promoted", "rejected", "rolled back")


@dataclass(frozen=True)
class Decision:
    """One decision. `key` stands for its line in the ledger, `when` is in ms since 1970, `note` says what it rests on."""

    name: str
    key: str
    when: int
    tags: dict[str, str]
    metrics: dict[str, float]
    note: str


def experiment(task: str) -> str:
    """Return the name of the experiment that holds a task's decisions: the task's own holds models alone."""
    return f"{task} decisions"


def read(task: str) -> list[Decision]:
    """Return the decisions about a task's batches, the oldest first."""
    decisions, counts, compared = [], {}, {}
    for number, line in enumerate(upload_ledger.read(task)):
        batch, event = line.get("batch", ""), line["event"]
        if event == "collected":
            counts[batch] = counts.get(batch, 0) + 1
        elif event == "compared":
            compared[batch] = line
        elif event in EVENTS:
            decisions.append(decision(task, number, line, counts.get(batch, 0), compared.get(batch, {})))
    return decisions


def decision(task: str, number: int, line: dict[str, Any], n: int, compared: dict[str, Any]) -> Decision:
    """Return a line of the ledger as a decision about `n` samples; `compared`: the line of the comparison before it, or {}."""
    tags = {name: str(line[name]) for name in ("batch", "who", "by", "champion") if line.get(name)}
    tags |= {"task": task, "decision": line["event"]}
    if compared:
        tags["passed"] = "yes" if compared["passed"] else "no"
    metrics = {"n_samples": float(n)}
    for name, ends in compared.get("differences", {}).items():
        values = zip(("", "_low", "_high"), ends, strict=True)
        metrics |= {f"difference_{name}{end}": value for end, value in values if value is not None}
    key = artifacts.sha256(json.dumps([number, line], sort_keys=True).encode())
    when = int(datetime.fromisoformat(line["when"]).timestamp() * 1000)
    name = f"{line['event']} {line['batch']}"
    return Decision(name, key, when, tags, metrics, compared.get("recommendation", ""))
