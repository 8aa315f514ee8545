"""What the graph adds to its own work: the demo's graph, tables from init_task to report, and bare scikit-learn.

    python -m benchmarks.floor             all parts
    python -m benchmarks.floor graph 300   some: graph, commands, empty, or a number of rows

The floor is what stock DVC takes for a graph of as many stages of the same shape that do nothing. CPU seconds stand next to wall
seconds, because other work on a machine changes the latter. What a part measured is kept in results/floor.csv.
"""

import csv
import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from benchmarks import figures
from benchmarks.figures import Figure, ratio
from benchmarks.scratch import Cost, Scratch

MEASURED = figures.RESULTS / "floor.csv"
BARS = {300: 20, 5000: 60}  # s from init_task to report, by rows of a table
EMPTY = """import os, sys
for path in sys.argv[1:]:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    open(path, "w").close()
"""


def commands(project: Scratch) -> list[str]:
    """Return the commands of the graph, in the order in which DVC runs them."""
    shown = project.run("dvc", "repro", "--dry", "--force").out
    return [line.removeprefix("> ") for line in shown.splitlines() if line.startswith("> ")]


def empty_graph(project: Scratch, n: int) -> None:
    """Make the project's graph n stages in a row that write an empty file each."""
    project.folder.joinpath("empty.py").write_text(EMPTY)
    stages = {}
    for number in range(n):
        deps = ["empty.py", *([f"out/{number - 1}"] if number else [])]
        stages[f"stage-{number}"] = {"cmd": f"python empty.py out/{number}", "deps": deps, "outs": [f"out/{number}"]}
    project.folder.joinpath("dvc.yaml").write_text(yaml.safe_dump({"stages": stages}))
    project.folder.joinpath("params.yaml").write_text("{}\n")


def of_graph() -> dict[str, Cost]:
    """Return the cost of the demo's graph, from nothing."""
    with Scratch(demo=True) as project:
        return {"graph": project.run("dvc", "repro")}


def of_commands() -> dict[str, Cost]:
    """Return the cost of each command of the demo's graph, run from nothing without DVC."""
    with Scratch(demo=True) as project:
        return {name: project.run("sh", "-c", name) for name in commands(project)}


def of_empty() -> dict[str, Cost]:
    """Return the cost of a graph of as many empty stages, and of as many starts of Python, which are no floor of DVC's."""
    with Scratch(demo=True) as project:
        n = len(commands(project))
    with Scratch() as project:
        empty_graph(project, n)
        floor = project.run("dvc", "repro")
        starts = project.run("sh", "-c", f"for i in $(seq {n}); do python empty.py out/none; done")
        return {"empty stages": floor, "empty starts": starts}


def table(folder: Path, n: int) -> Path:
    """Write a table of n rows, 12 columns of numbers and a label."""
    rng = np.random.default_rng(n)
    X = rng.normal(size=(n, 12)).round(3)
    sick = X[:, :3].sum(axis=1) + rng.normal(scale=2, size=n) > 1
    file = folder / f"rows-{n}.csv"
    with file.open("w", newline="") as out:
        write = csv.writer(out).writerow
        write([*(f"marker_{k}" for k in range(12)), "state"])
        for row, label in zip(X, sick, strict=True):
            write([*row, "sick" if label else "well"])
    return file


def of_table(n: int) -> dict[str, Cost]:
    """Return what a table of n rows takes from init_task to report.html, and the same fits by scikit-learn alone."""
    with Scratch() as project:
        file = table(project.folder, n)
        project.run("dvc", "repro", "check")
        proposed = project.run(sys.executable, "-m", "pipeline.init_task", "t", file.name, "--label", "state")
        run = project.run("dvc", "repro", "report@t")
        blocks = yaml.safe_load((project.folder / "params.yaml").read_text())["models"].values()
        (project.folder / "models.json").write_text(json.dumps(list(blocks)))
        # With one thread, which small fits are fastest with, as stages do
        fits = f"OMP_NUM_THREADS=1 {sys.executable} -m benchmarks.bare_fits {file.name} models.json"
        bare = project.run("sh", "-c", fits)
    return {f"{n} rows, init_task": proposed, f"{n} rows, graph": run, f"{n} rows, scikit-learn": bare}


def of_demo(measured: pd.DataFrame) -> list[Figure]:
    """Return the demo's graph against the floor and its commands."""
    alone = measured[measured["part"] == "commands"].sort_values("cpu", ascending=False)
    graph, floor, starts = (measured.loc[name] for name in ("graph", "empty stages", "empty starts"))
    shown = ", ".join(f"{name.split('pipeline.')[-1]} {row.cpu:.1f}" for name, row in alone.head(5).iterrows())
    sums = alone[["wall", "cpu"]].sum() + floor[["wall", "cpu"]] - starts[["wall", "cpu"]]
    what = f"the demo's graph against {len(alone)} empty stages and its commands"
    return [
        ratio(f"{what}, wall time", graph.wall, sums["wall"], at_most=1.1),
        ratio("the same in CPU seconds", graph.cpu, sums["cpu"], "CPU s", at_most=1.1),
        Figure("stock DVC with as many empty stages", floor.wall, f"{floor.cpu:.3g} CPU s", unit="s"),
        Figure(
            "the commands of the demo's graph one by one",
            alone["wall"].sum(),
            f"{alone['cpu'].sum():.3g} CPU s: {shown}",
            at_most=75,
            unit="s",
        ),
    ]


def of_rows(measured: pd.DataFrame, n: int, bar: float) -> list[Figure]:
    """Return what a table of n rows takes, and how often that is the time of its fits."""
    proposed, run, bare = (measured.loc[f"{n} rows, {name}"] for name in ("init_task", "graph", "scikit-learn"))
    cpu = proposed.cpu + run.cpu
    return [
        Figure(
            f"{n:,} rows from init_task to report",
            proposed.wall + run.wall,
            f"{cpu:.3g} CPU s",
            at_most=bar,
            unit="s",
        ),
        ratio(f"{n:,} rows against bare scikit-learn doing the same fits, CPU seconds", cpu, bare.cpu, "CPU s"),
    ]


def main(*parts: str) -> None:
    """Measure the parts, all without arguments; write the results of all that were ever measured."""
    of_part = {"graph": of_graph, "commands": of_commands, "empty": of_empty}
    for part in parts or (*of_part, *map(str, BARS)):
        costs = of_part[part]() if part in of_part else of_table(int(part))
        rows = [{"part": part, "what": name, "wall": cost.seconds, "cpu": cost.cpu} for name, cost in costs.items()]
        before = pd.read_csv(MEASURED) if MEASURED.exists() else pd.DataFrame({"part": []})
        kept = before[before["part"].astype(str) != part]
        pd.concat([kept, pd.DataFrame(rows)]).round(2).to_csv(MEASURED, index=False)
    measured = pd.read_csv(MEASURED, dtype={"part": str}).set_index("what")
    known = set(measured["part"])
    shown = of_demo(measured) if set(of_part) <= known else []
    for n, bar in BARS.items():
        shown += of_rows(measured, n, bar) if str(n) in known else []
    figures.save("floor", "The graph against its floor", shown)


if __name__ == "__main__":
    main(*sys.argv[1:])
