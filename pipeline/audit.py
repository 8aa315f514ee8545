"""Which samples are the same picture, whatever was done to it, and what betrays the class besides the picture.

    python -m pipeline.audit PATH [--json] [--sheet FILE.png] [--copies]

audits a folder of pictures or a CSV with no task set up. The stage `audit@task` is the same with the name of a task: it takes
what scan found and writes `data/<task>/audit.json`. Learns nothing, changes nothing: `split` decides by it what is left out.
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from pipeline import artifacts, contact_sheet, findings, included, params
from pipeline.collection import collect
from pipeline.confounders import confounders, properties_of
from pipeline.feature_store import FeatureStore
from pipeline.findings import crosses
from pipeline.fingerprint import Fingerprint, open_store, take
from pipeline.parallel import run_parallel
from pipeline.same_picture import Pair, find_pairs, group, links_of
from pipeline.stage import DataError, require, run

BATCH = 16  # files handed to a worker at once
FACTS = ["id", "width", "height", "mode", "format", "bytes", "error"]
MOST_WORKERS = 8  # threads where no params.yaml says how many; more would wait for Python's lock
KEEP = 64  # new fingerprints put into the store at once, 60 kB each: what an interrupted audit has to do again


def audit(
    samples: pd.DataFrame,
    skipped: pd.DataFrame,
    prints: list[Fingerprint] | None,
    pairs: list[Pair],
    copies: bool = False,
) -> dict:
    """Return the content of audit.json, everything in the order of `samples`.

    `samples`, `skipped`: as scan writes them, every cell as text. `prints`: of the readable pictures, None for tables;
    `pairs`: of positions among the readable samples. With `copies` only pairs count that are certainly one picture.
    """
    bad, good = samples[samples["error"] != ""], samples[samples["error"] == ""].reset_index(drop=True)
    pairs = [pair for pair in pairs if pair.copy or not copies]
    paths, labels, shipped = (good[column].tolist() for column in ("path", "label", "shipped"))
    sets = joined(len(good), [(pair.a, pair.b) for pair in pairs])
    # Through pictures that are merely near a whole CT scan hangs together: one wrong label does not spoil all of its slices.
    contrary = joined(len(good), [(pair.a, pair.b) for pair in pairs if pair.copy])
    leaks = [one for one in sets if crosses({shipped[i] for i in one})]
    return {
        "n_files": len(samples),
        "n_unreadable": len(bad),
        "n_leaked": sum(shipped[i] == "test" for one in leaks for i in one),
        "groups": [[paths[i] for i in one] for one in sets],
        "leaks": [[paths[i] for i in one] for one in leaks],
        "label_conflicts": [[paths[i] for i in one] for one in contrary if len({labels[i] for i in one}) > 1],
        "unjudged": [path for path, one in zip(paths, prints or [], strict=False) if not one.judged],
        "unreadable": [{"path": p, "reason": e} for p, e in zip(bad["path"], bad["error"], strict=True)],
        "skipped": [{"path": p, "reason": r} for p, r in zip(skipped["path"], skipped["reason"], strict=True)],
        "confounders": [] if prints is None else find_confounders(good, prints, sets),
        "pairs": [as_paths(pair, paths) for pair in pairs],
    }


def joined(n: int, links: list[tuple[int, int]]) -> list[list[int]]:
    """Return the sets of two and more positions that `links` join."""
    return [positions for positions in group(n, links) if len(positions) > 1]


def find_confounders(good: pd.DataFrame, prints: list[Fingerprint], sets: list[list[int]]) -> list[dict]:
    """Return the properties that betray the class, tried on groups and copies that they were not learnt on."""
    tones = np.array([one.tones for one in prints], float).reshape(-1, 4)
    links = [(one[0], other) for one in sets for other in one[1:]]
    together = np.zeros(len(good), int)
    for number, positions in enumerate(group(len(good), links + links_of(good["group"]))):
        together[positions] = number
    return confounders(properties_of(good, tones), good["label"].to_numpy(str), together)


def take_all(paths: list[Path], store: FeatureStore, name: str, workers: int) -> list[Fingerprint]:
    """Return the fingerprint of every file, in order; new ones are put into the store."""
    batches = [paths[start : start + BATCH] for start in range(0, len(paths), BATCH)]
    taken = (one for batch in run_parallel(partial(take_some, store=store), batches, workers) for one in batch)
    prints, new = [], []
    for one, items in tqdm(taken, f"audit {name}: reading", total=len(paths), unit=" images", mininterval=1, delay=3):
        prints.append(one)
        new += items
        if len(new) >= KEEP:
            store.put(new)
            new.clear()
    store.put(new)
    return prints


def take_some(paths: list[Path], store: FeatureStore) -> list[tuple[Fingerprint, list[tuple[str, bytes]]]]:
    """Return `take` of each of a handful of files."""
    return [take(path, store) for path in paths]


def audit_task(name: str) -> tuple[dict, pd.DataFrame, Path | None]:
    """Return the audit of a task that was scanned, its samples, and the folder of its pictures, None for a table.

    The raw samples are audited as though there were no uploads, so that these cannot move a test sample. Where there are some,
    `uploads` holds the pairs of which one is an upload.
    """
    task = params.task(name)
    load = partial(pd.read_csv, dtype=str, keep_default_na=False)
    samples = load(require(f"data/{name}/scan/samples.csv", f"scan@{name}"))
    skipped = load(require(f"data/{name}/scan/skipped.csv", f"scan@{name}"))
    good = samples[samples["error"] == ""].reset_index(drop=True)
    raw = samples[~samples["path"].map(included.is_upload)]
    n_raw = int((raw["error"] == "").sum())  # uploads come behind them
    if task.kind == "table":
        found = audit(raw, skipped, None, same_rows(raw))
        return found | of_uploads(good, n_raw, same_rows(good)), raw, None
    root, store = Path(task.raw), open_store()
    paths = [included.locate(root, path) for path in good["path"]]
    prints = take_all(paths, store, name, params.workers())
    for path, one, known in zip(paths, prints, good["id"], strict=True):
        if one.facts["error"] or one.facts["id"] != known:
            why = one.facts["error"] or "it shows something else"
            raise DataError(f"{path.as_posix()}: has changed since the scan: {why}. Run 'dvc repro' again")
    pairs = find_pairs(paths[:n_raw], prints[:n_raw], store, params.workers(), name)
    found = audit(raw, skipped, prints[:n_raw], pairs)
    if len(good) > n_raw:
        found |= of_uploads(good, n_raw, find_pairs(paths, prints, store, params.workers(), name, since=n_raw))
    return found, raw, root


def of_uploads(good: pd.DataFrame, n_raw: int, pairs: list[Pair]) -> dict:
    """Return what audit.json says of uploads, which come behind `n_raw` raw samples; nothing where there are none."""
    if len(good) == n_raw:
        return {}
    return {"uploads": [as_paths(pair, good["path"]) for pair in pairs if pair.b >= n_raw]}


def as_paths(pair: Pair, paths: Sequence[str]) -> dict:
    """Return a pair for audit.json."""
    return {"a": paths[pair.a], "b": paths[pair.b], "kind": pair.kind, "score": pair.score, "copy": pair.copy}


def audit_path(place: Path, copies: bool, workers: int) -> tuple[dict, pd.DataFrame, Path | None]:
    """Return the audit of whatever lies at `place`, its samples, and the folder of its pictures, None for a table."""
    root, samples, passed_over = collect(place)
    skipped = pd.DataFrame([vars(one) for one in passed_over], columns=["path", "reason"])
    if root is None:
        return audit(samples, skipped, None, same_rows(samples), copies), samples, None
    store = open_store()
    prints = take_all([root / path for path in samples["path"]], store, place.name, workers)
    facts = pd.DataFrame([one.facts for one in prints], columns=FACTS)
    samples = pd.concat([samples, facts], axis=1)
    usable = [(root / path, one) for path, one in zip(samples["path"], prints, strict=True) if not one.facts["error"]]
    prints = [one for _, one in usable]
    pairs = find_pairs([path for path, _ in usable], prints, store, workers, place.name)
    return audit(samples, skipped, prints, pairs, copies), samples, root


def same_rows(samples: pd.DataFrame) -> list[Pair]:
    """Return the pairs of readable rows that are equal in all features."""
    good = samples[samples["error"] == ""]
    return [Pair(a, b, "exact", 1.0, True) for a, b in links_of(good["id"])]


def run_stage(name: str) -> None:
    """Write a task's audit.json and say what was found; raise DataError for what the task does not tolerate."""
    found, _, root = audit_task(name)
    artifacts.write_json(Path(f"data/{name}/audit.json"), found)
    lines = findings.summary(found, "picture" if root else "row", done=True)
    print(*[f"audit {name}: {line}" for line in lines], sep="\n", file=sys.stderr)
    task = params.task(name)
    findings.refuse(found, task.audit, task.raw, name)


def run_alone(place: Path, as_json: bool, sheet: Path | None, copies: bool) -> int:
    """Audit what lies at `place`, show what was found, and return the exit code."""
    found, samples, root = audit_path(place, copies, min(os.cpu_count() or 1, MOST_WORKERS))
    if found["n_unreadable"] == found["n_files"]:
        first = found["unreadable"][0]
        raise DataError(f"{place.as_posix()}: nothing can be read, the first, {first['path']}: {first['reason']}")
    if as_json:
        print(json.dumps(artifacts.rounded(found), indent=1, sort_keys=True))
    else:
        print(*findings.summary(found, "picture" if root else "row"), sep="\n")
        print(*findings.table(found, samples), sep="\n")
    if sheet:
        if root is None:
            raise DataError(f"{place.as_posix()}: holds rows, not pictures: there is nothing to show on {sheet}")
        contact_sheet.write(sheet, findings.ranked(found, samples), root)
        print(f"{sheet}: {min(len(found['pairs']), contact_sheet.MOST)} pairs", file=sys.stderr)
    return findings.exit_code(found, bool((samples["shipped"] != "").any()))


def main(*arguments: str) -> None:
    """Run the stage for the name of a task and nothing else; audit a path for everything else."""
    parser = argparse.ArgumentParser("python -m pipeline.audit", description="Find copies of pictures or rows.")
    parser.add_argument(
        "path", metavar="PATH", help="a folder, a CSV with a column path, a CSV of rows; or a task's name"
    )
    parser.add_argument("--json", action="store_true", help="print everything as JSON instead of a table")
    parser.add_argument("--sheet", metavar="FILE.png", type=Path, help="draw the pairs side by side")
    parser.add_argument("--copies", action="store_true", help="count only what is certainly one picture")
    asked = parser.parse_args(arguments)
    if len(arguments) == 1 and is_task(asked.path):
        run_stage(asked.path)
    else:
        sys.exit(run_alone(Path(asked.path), asked.json, asked.sheet, asked.copies))


def is_task(word: str) -> bool:
    """Return whether `word` is a task of params.yaml, which comes before a file of that name: ./NAME is always a path."""
    return params.PARAMS.exists() and word in (params.load().get("tasks") or {})


if __name__ == "__main__":
    run(main)
