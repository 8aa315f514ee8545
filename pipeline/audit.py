"""Stage `audit@task`: which samples are the same picture, and what betrays the class besides the picture.

Writes `data/<task>/audit.json`. Learns nothing, changes nothing: `split` decides by it what is left out.
"""

import sys
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from tqdm import tqdm

from pipeline import artifacts, images, params
from pipeline.confounders import confounders
from pipeline.parallel import run_parallel
from pipeline.params import AuditParams
from pipeline.same_picture import SMALL, Pair, find_pairs, group, links_of
from pipeline.stage import DataError, require, run

BATCH = 16  # files handed to a worker at once
BORDER = 4  # px of SMALL: the rim whose brightness betrays a scanner


def audit(
    samples: pd.DataFrame, skipped: pd.DataFrame, small: np.ndarray | None, tones: np.ndarray | None, workers: int = 1
) -> dict:
    """Return the content of audit.json, everything in the order of `samples`.

    `samples`, `skipped`: as scan writes them, every cell as text. For pictures, of the readable samples: `small`, uint8
    grey (n, SMALL, SMALL), and `tones`, float (n, 4) as `look` returns them; None for tables, whose rows are the same
    if their ids are equal.
    """
    bad, good = samples[samples["error"] != ""], samples[samples["error"] == ""].reset_index(drop=True)
    if small is None:
        pairs = [Pair(a, b, "exact", 1.0) for a, b in links_of(good["id"])]
    else:
        pairs = find_pairs(list(good["id"]), small, good[["width", "height"]].astype(int).to_numpy(), workers)
    links = [(pair.a, pair.b) for pair in pairs]
    sets = [positions for positions in group(len(good), links) if len(positions) > 1]
    paths, labels, shipped = (good[column].tolist() for column in ("path", "label", "shipped"))
    return {
        "n_files": len(samples),
        "n_unreadable": len(bad),
        "groups": [[paths[i] for i in one] for one in sets],
        "leaks": [[paths[i] for i in one] for one in sets if crosses({shipped[i] for i in one})],
        "label_conflicts": [[paths[i] for i in one] for one in sets if len({labels[i] for i in one}) > 1],
        "unreadable": [{"path": p, "reason": e} for p, e in zip(bad["path"], bad["error"], strict=True)],
        "skipped": [{"path": p, "reason": r} for p, r in zip(skipped["path"], skipped["reason"], strict=True)],
        "confounders": [] if tones is None else find_confounders(good, tones, links),
        "pairs": [{"a": paths[p.a], "b": paths[p.b], "kind": p.kind, "score": p.score} for p in pairs],
    }


def crosses(shipped: set[str]) -> bool:
    """Return whether the shipped splits of one set of copies are test and another."""
    return "test" in shipped and bool(shipped & {"train", "valid"})


def find_confounders(good: pd.DataFrame, tones: np.ndarray, links: list[tuple[int, int]]) -> list[dict]:
    """Return the properties of taking and storing the pictures that betray the class; see `confounders`."""
    size = good[["width", "height", "bytes"]].astype(float)
    properties = {column: size[column].to_numpy() for column in size}
    properties["aspect"] = properties["width"] / properties["height"]
    properties |= {"mean colour": tones[:, :3].astype(float), "border": tones[:, 3].astype(float)}
    properties |= {column: good[column].to_numpy(str) for column in ("mode", "format", "site") if column in good}
    together = np.zeros(len(good), int)
    for number, positions in enumerate(group(len(good), links + links_of(good["group"]))):
        together[positions] = number
    return confounders(properties, good["label"].to_numpy(str), together)


def look(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return a picture as uint8 grey (SMALL, SMALL) and float32 (4,) in 0..1: mean red, green, blue, border brightness.

    Raises DataError for a file that the scan could read and this cannot.
    """
    try:
        picture = images.decode(path.read_bytes())
    except (DataError, OSError) as error:
        raise DataError(f"{path.as_posix()}: has changed since the scan: {error}. Run 'dvc repro' again") from None
    square = images.resize(picture.pixels, SMALL)
    grey = np.asarray(Image.fromarray(square).convert("L"))
    rim = np.ones_like(grey, bool)
    rim[BORDER:-BORDER, BORDER:-BORDER] = False
    return grey, np.append(square.mean(axis=(0, 1)), grey[rim].mean()).astype(np.float32) / 255


def look_at_all(paths: list[Path], name: str, workers: int) -> tuple[np.ndarray, np.ndarray]:
    """Return `look` of every file, stacked: 4 kB of memory for each."""
    small, tones = np.empty((len(paths), SMALL, SMALL), np.uint8), np.empty((len(paths), 4), np.float32)
    batches = [paths[start : start + BATCH] for start in range(0, len(paths), BATCH)]
    found = (seen for batch in run_parallel(look_at_some, batches, workers) for seen in batch)
    shown = tqdm(found, f"audit {name}", total=len(paths), unit=" images", mininterval=1, delay=3)
    for row, (grey, tone) in enumerate(shown):
        small[row], tones[row] = grey, tone
    return small, tones


def look_at_some(paths: list[Path]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return `look` of each of a handful of files."""
    return [look(path) for path in paths]


def summary(found: dict, kind: str, name: str) -> list[str]:
    """Return a readable line for each kind of finding, with what is done about it; `kind` is the task's."""
    what = "row" if kind == "table" else "picture"
    usable = found["n_files"] - found["n_unreadable"]
    lines = [f"{usable} {what}s, {found['n_unreadable']} unreadable, {len(found['skipped'])} other files passed over"]
    if found["groups"]:
        copies = sum(map(len, found["groups"]))
        lines.append(
            f"same {what}: {len(found['groups'])} sets ({copies} {what}s); each set stays on one side of the split"
        )
    if found["leaks"]:
        done = "split.by: shipped leaves out what is outside, hash keeps each set together"
        lines.append(f"sets in the shipped test set and outside it: {len(found['leaks'])}; {done}")
    if found["label_conflicts"]:
        lines.append(f"sets under more than one label: {len(found['label_conflicts'])}; all of them are left out")
    for one in found["confounders"]:
        lines.append(
            f"confounder: {one['name']} alone guesses {one['accuracy']:.1%} right, always the commonest class "
            f"{one['majority']:.1%}; nothing is left out, but a model may learn it"
        )
    return [f"audit {name}: {line}" for line in lines]


def refuse(found: dict, tolerated: AuditParams, raw: str, name: str) -> None:
    """Raise DataError for leaks or label conflicts where the task `name` does not tolerate them."""
    cases = [
        ("leaks", tolerated.leaks, found["leaks"], "both in the shipped test set and outside it"),
        ("conflicts", tolerated.conflicts, found["label_conflicts"], "the same under more than one label"),
    ]
    for key, wanted, sets, what in cases:
        if wanted == "error" and sets:
            first = "; ".join(" = ".join(one[:3]) + (" ..." if len(one) > 3 else "") for one in sets[:3])
            raise DataError(
                f"{raw}: {len(sets)} sets are {what}: {first}{'; ...' if len(sets) > 3 else ''}. Remove all but one "
                f"of each (data/{name}/audit.json lists them), or set tasks.{name}.audit.{key}: drop"
            )


def main(name: str) -> None:
    task = params.task(name)
    read = partial(pd.read_csv, dtype=str, keep_default_na=False)
    samples = read(require(f"data/{name}/scan/samples.csv", f"scan@{name}"))
    skipped = read(require(f"data/{name}/scan/skipped.csv", f"scan@{name}"))
    small = tones = None
    if task.kind == "image":
        paths = [Path(task.raw) / path for path in samples.loc[samples["error"] == "", "path"]]
        small, tones = look_at_all(paths, name, params.workers())
    found = audit(samples, skipped, small, tones, params.workers())
    artifacts.write_json(Path(f"data/{name}/audit.json"), found)
    print(*summary(found, task.kind, name), sep="\n", file=sys.stderr)
    refuse(found, task.audit, task.raw, name)


if __name__ == "__main__":
    run(main)
