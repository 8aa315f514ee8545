"""The content of runs on decisions about upload batches, read from the ledger; without MLflow."""

import json
from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from pipeline.core import artifacts
from pipeline.data import upload_ledger
from pipeline.data.upload_ledger import Collected, Compared, Decided


@dataclass(frozen=True)
class Decision:
    """One decision. `key` stands for its line in the ledger, `when` is in ms since 1970, `note` says what it rests on."""

    name: str
    key: str
    when: int
    tags: dict[str, str]
    metrics: dict[str, float]
    note: str


def read_decisions(task: str) -> list[Decision]:
    """Return the decisions about a task's batches, the oldest first."""
    decisions: list[Decision] = []
    counts: Counter[str] = Counter()
    compared: dict[str, Compared] = {}
    for number, line in enumerate(upload_ledger.read(task)):
        match line:
            case Collected():
                counts[line.batch] += 1
            case Compared():
                compared[line.batch] = line
            case Decided():
                decisions.append(decision(task, number, line, counts[line.batch], compared.get(line.batch)))
    return decisions


def decision(task: str, number: int, line: Decided, n: int, compared: Compared | None) -> Decision:
    """Return a line of the ledger as a decision about `n` samples; `compared`: the line of the comparison before it."""
    content = upload_ledger.to_json(line)
    tags = {name: content[name] for name in ("batch", "who", "by", "champion") if content.get(name)}
    tags |= {"task": task, "decision": line.event}
    metrics = {"n_samples": float(n)}
    if compared:
        tags["passed"] = "yes" if compared.passed else "no"
        for name, ends in compared.differences.items():
            values = zip(("", "_low", "_high"), ends, strict=True)
            metrics |= {f"difference_{name}{end}": value for end, value in values if value is not None}
    key = artifacts.sha256(json.dumps([number, content], sort_keys=True).encode())
    when = int(datetime.fromisoformat(line.when).timestamp() * 1000)
    note = compared.recommendation if compared else ""
    return Decision(f"{line.event} {line.batch}", key, when, tags, metrics, note)
