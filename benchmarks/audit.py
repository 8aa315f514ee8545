"""The leak audit on real data: what it finds, what it must not find, and what that costs.

Every audit is the command line, in a process of its own, with an empty store of features, so that its CPU time counts all.
`python -m benchmarks.audit` takes a sample of the large sets; soak/test_audit.py takes all of them.
"""

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks import figures, planted
from benchmarks.figures import DATA, Figure

TILES, VARIANTS = 90, 8  # of lung_histology: by eye, each original tile is there eight times
SEED = 20


@dataclass(frozen=True)
class Run:
    """What an audit said, its exit code, CPU seconds of all its threads, and peak memory in MB."""

    result: dict
    code: int
    cpu: float
    memory: float


def audit(path: Path, store: Path, *options: str) -> Run:
    """Audit `place` from the command line, with the store of features below `store`."""
    command = [sys.executable, "-m", "pipeline.audit", str(path), "--json", *options]
    with tempfile.TemporaryFile("w+") as out:
        process = subprocess.Popen(
            command, stdout=out, stderr=subprocess.DEVNULL, env=os.environ | {"DVC_ROOT": str(store)}
        )
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        text = out.read()
    if process.returncode not in (0, 3):
        raise SystemExit(f"{' '.join(command)} failed with {process.returncode}")
    scale = 1 if sys.platform == "darwin" else 1024  # ru_maxrss is in bytes there, elsewhere in kB
    return Run(json.loads(text), process.returncode, used.ru_utime + used.ru_stime, used.ru_maxrss * scale / 2**20)


def cost(name: str, *runs: Run) -> Figure:
    """Return the CPU time of the run that was disturbed least: what else the machine does makes it longer, never shorter."""
    seconds = [1000 * run.cpu / run.result["n_files"] for run in runs]
    message = " and ".join(f"{second:.1f}" for second in seconds)
    return Figure(f"{name}: CPU seconds per 1,000 images", min(seconds), f"the less of {message}", at_most=60)


def seed_skin(store: Path) -> list[Figure]:
    """The photos that were copied from train to test, most of them stretched."""
    run = audit(DATA / "seed_skin", store)
    stems = [{Path(path).stem for path in group} for group in run.result["groups"]]
    clean = sum("ISIC_5731511" in stem for stem in stems)
    wrong = sum(len(stem) > 1 for stem in stems)
    return [
        Figure(
            "seed_skin: test photos found in train",
            run.result["n_leaked"],
            "of 55; copies kept their names",
            at_least=55,
        ),
        Figure("seed_skin: false sets", clean + wrong, "of other names, or with the one clean photo", at_most=0),
    ]


def lung_histology(store: Path) -> list[Figure]:
    """Tiles that were augmented before the set was published."""
    run, again = (audit(DATA / "lung_histology" / "labels.csv", store / name) for name in ("first", "again"))
    sizes = [len(group) for group in run.result["groups"]]
    together = sum(size * (size - 1) // 2 for size in sizes)
    pairs = TILES * VARIANTS * (VARIANTS - 1) // 2
    return [
        Figure("lung_histology: pairs of one tile in one group", 100 * together / pairs, f"of {pairs}", 99.5, unit="%"),
        Figure(
            "lung_histology: groups of more than one tile", sum(size > VARIANTS for size in sizes), "by size", at_most=0
        ),
        cost("lung_histology", run, again),
    ]


def chest_ct(store: Path) -> list[Figure]:
    """CT slices: copies across the shipped split, neighbouring slices, one image under two labels."""
    run = audit(DATA / "chest_ct" / "labels.csv", store / "copies", "--copies")
    conflict = {"large.cell.carcinoma/train__l4.png", "squamous.cell.carcinoma/train__sq2.png"}
    under_two = sum(conflict <= set(item) for item in run.result["label_conflicts"])
    # scan by scan: slices of one scan, which bear the marks of one machine, are near
    by_scan = audit(DATA / "chest_ct" / "labels.csv", store / "near")
    telling = [shortcut for shortcut in by_scan.result["confounders"] if shortcut["name"].endswith("(normal vs rest)")]
    best = max(
        telling, key=lambda shortcut: shortcut["accuracy"], default={"name": "nothing", "accuracy": 0, "majority": 1}
    )
    message = f"{best['name']}; always the commonest: {best['majority']:.1%}"
    return [
        Figure("chest_ct: test images with a copy in train", run.result["n_leaked"], "--copies, of 259", at_least=74),
        Figure("chest_ct: the image under two labels", under_two, "found once", at_least=1),
        Figure("chest_ct: a shortcut tells normal from cancer", 100 * best["accuracy"], message, at_least=80, unit="%"),
        cost("chest_ct", run, by_scan),
    ]


def lung_survey(store: Path) -> list[Figure]:
    """A table with repeated rows."""
    run = audit(DATA / "lung_survey.csv", store)
    again = sum(len(group) - 1 for group in run.result["groups"])
    conflicts = len(run.result["label_conflicts"])
    return [
        Figure(
            "lung_survey: rows equal to an earlier one, less the contradiction",
            again - conflicts,
            "33, of which the columns explain 2: these are two patients each",
            31,
            33,
        ),
        Figure("lung_survey: rows under two labels", conflicts, "1", 1, 1),
    ]


def ham10000(store: Path, n: int, each: int, seed: int = SEED) -> list[Figure]:
    """`each` planted copies of every kind among `n` photos."""
    labels = pd.read_csv(DATA / "ham10000" / "labels.csv", dtype=str)
    chosen = labels.iloc[np.random.default_rng(seed).permutation(len(labels))[:n]]
    with tempfile.TemporaryDirectory() as folder:
        made = planted.plant([DATA / "ham10000" / path for path in chosen["path"]], Path(folder), each, seed)
        run = audit(Path(folder), store)
    number = {name: i for i, item in enumerate(run.result["groups"]) for name in item}
    hit = {copy: number.get(copy, -1) == number.get(original, -2) for copy, (original, _) in made.items()}
    kinds = {kind: np.mean([hit[copy] for copy, (_, of) in made.items() if of == kind]) for kind in planted.KINDS}
    changes = {name: np.mean([hit[copy] for copy, (_, of) in made.items() if name in of]) for name in planted.CHANGES}
    worst = min(kinds, key=kinds.get)
    missed = ", ".join(sorted({" + ".join(made[copy][1]) for copy, ok in hit.items() if not ok}))
    return [
        Figure(
            "ham10000: planted copies found",
            100 * np.mean(list(hit.values())),
            f"of {len(made)} among {n}",
            99,
            unit="%",
        ),
        Figure("ham10000: the worst change", 100 * min(changes.values()), min(changes, key=changes.get), 96, unit="%"),
        Figure(
            "ham10000: the worst kind",
            100 * kinds[worst],
            f"{' + '.join(worst)}; missed some of: {missed}",
            96,
            unit="%",
        ),
        Figure(
            "ham10000 with copies: CPU seconds per 1,000 images", 1000 * run.cpu / run.result["n_files"], "", at_most=60
        ),
    ]


def lesions(store: Path, n: int) -> tuple[list[Figure], Run]:
    """Pairs across the lesion ids of `n` photos, and what another image costs."""
    labels = pd.read_csv(DATA / "ham10000" / "labels.csv", dtype=str, keep_default_na=False)
    chosen = labels.iloc[np.random.default_rng(SEED).permutation(len(labels))[: n + 1]]
    about = chosen.set_index("path")[["group", "age", "sex", "localization"]].to_dict("index")
    table = Path(store) / f"first_{n}.csv"
    table.parent.mkdir(parents=True, exist_ok=True)
    link = table.with_name("ham10000")
    if not link.exists():
        link.symlink_to(DATA / "ham10000")

    def first(rows: int) -> Run:
        chosen.iloc[:rows].assign(path="ham10000/" + chosen["path"].iloc[:rows]).to_csv(table, index=False)
        return audit(table, store)

    run, grown = first(n), first(n + 1)
    across = unexplained = 0
    for pair in run.result["pairs"]:
        a, b = (about[pair[side].removeprefix("ham10000/")] for side in "ab")
        across += a["group"] != b["group"]
        differ = [a[key] != b[key] for key in ("age", "sex", "localization") if "" not in (a[key], b[key])]
        unexplained += a["group"] != b["group"] and any(differ)
    return [
        Figure(f"ham10000, {n}: pairs across lesion ids", across, "see docs/audit.md"),
        Figure(f"ham10000, {n}: of these, of another age, sex or site", unexplained, "", at_most=2),
        Figure(f"ham10000, {n}: CPU seconds per 1,000 images", 1000 * run.cpu / n, "", at_most=60),
        Figure(f"ham10000, {n}: peak memory", run.memory, "", at_most=2000, unit="MB"),
        Figure(f"ham10000, {n}: CPU seconds after one image was added", grown.cpu, "with start-up"),
    ], run


def main() -> None:
    """Measure on small sets and on samples of the large one: about five minutes on two cores."""
    if not DATA.is_dir():
        sys.exit(f"{DATA} is not there; set ASSAY_DATA to the folder with the public sets")
    measured = []
    with tempfile.TemporaryDirectory() as folder:
        for number, measure in enumerate((seed_skin, lung_histology, chest_ct, lung_survey)):
            measured += measure(Path(folder) / str(number))
        measured += ham10000(Path(folder) / "planted", 1000, 12)
        measured += lesions(Path(folder) / "lesions", 1000)[0]
    figures.save("audit", "The leak audit, on samples", measured)


if __name__ == "__main__":
    main()
