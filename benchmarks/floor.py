"""What the graph adds to its own work: the demo's graph, tables from init_task to report, and bare scikit-learn.

The floor is what stock DVC takes for a graph of as many stages of the same shape that do nothing. CPU seconds stand next to wall
seconds, because other work on a machine changes the latter.
"""

import csv
import json
import os
import sys
from pathlib import Path

import numpy as np
import yaml

from benchmarks.figures import Figure, ratio, save
from benchmarks.scratch import Cost, Scratch

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


def python(project: Scratch, n: int) -> Cost:
    """Return the cost of n starts of Python that do nothing: the work of the empty stages, which is no floor of DVC's."""
    each = project.run("sh", "-c", f"for i in $(seq {n}); do python empty.py out/none; done")
    return each


def demo() -> list[Figure]:
    """Return the demo's graph against the floor and its commands."""
    with Scratch(demo=True) as project:
        whole = project.run("dvc", "repro")
        names = commands(project)
        alone = [project.run("sh", "-c", command) for command in names]
    with Scratch() as project:
        empty_graph(project, len(names))
        floor, starts = project.run("dvc", "repro"), python(project, len(names))
    seconds, cpu = sum(cost.seconds for cost in alone), sum(cost.cpu for cost in alone)
    slowest = sorted(zip(alone, names, strict=True), key=lambda pair: -pair[0].cpu)[:5]
    shown = ", ".join(f"{name.split('pipeline.')[-1]} {cost.cpu:.1f}" for cost, name in slowest)
    return [
        ratio(
            f"the demo's graph against {len(names)} empty stages and its commands, wall time",
            whole.seconds,
            floor.seconds - starts.seconds + seconds,
            at_most=1.1,
        ),
        ratio("the same in CPU seconds", whole.cpu, floor.cpu - starts.cpu + cpu, "CPU s", at_most=1.1),
        Figure("stock DVC with as many empty stages", floor.seconds, f"{floor.cpu:.3g} CPU s", unit="s"),
        Figure(
            "the commands of the demo's graph one by one", seconds, f"{cpu:.3g} CPU s: {shown}", at_most=75, unit="s"
        ),
    ]


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


def from_table_to_report(n: int, bar: float) -> list[Figure]:
    """Return what a table of n rows takes from init_task to report.html, and the same fits by scikit-learn alone."""
    with Scratch() as project:
        file = table(project.folder, n)
        check = project.run("dvc", "repro", "check")
        proposed = project.run(sys.executable, "-m", "pipeline.init_task", "t", file.name, "--label", "state")
        run = project.run("dvc", "repro", "report@t")
        blocks = yaml.safe_load((project.folder / "params.yaml").read_text())["models"].values()
        (project.folder / "models.json").write_text(json.dumps(list(blocks)))
        bare = project.run(sys.executable, "-m", "benchmarks.bare_fits", file.name, "models.json")
    seconds, cpu = proposed.seconds + run.seconds, proposed.cpu + run.cpu
    print(f"{check.seconds:.1f} s of check came before", file=sys.stderr)
    return [
        Figure(
            f"{n:,} rows from init_task to report",
            seconds,
            f"{cpu:.3g} CPU s, {len(blocks)} models",
            at_most=bar,
            unit="s",
        ),
        ratio(f"{n:,} rows against bare scikit-learn doing the same fits, CPU seconds", cpu, bare.cpu, "CPU s"),
    ]


def main() -> None:
    os.environ.setdefault("OMP_NUM_THREADS", "2")
    save(
        "floor",
        "The graph against its floor",
        [*demo(), *from_table_to_report(300, 20), *from_table_to_report(5000, 60)],
    )


if __name__ == "__main__":
    main()
