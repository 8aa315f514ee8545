"""The graph as a whole: against the recipe that it replaces, when nothing changed, and when one value did."""

import sys
from pathlib import Path

from benchmarks.figures import DATA, ratio, save
from benchmarks.scratch import ROOT, Cost, Scratch
from pipeline.core import params

# What is replaced: one network, frozen, a full forward pass in every epoch, one split, no cross-validation.
RECIPE = """
import csv, sys
from pathlib import Path
import numpy as np
from pipeline.data.images import decoding, squares
from pipeline.estimators import _network as network
raw = Path(sys.argv[1])
rows = list(csv.DictReader((raw / "labels.csv").open(encoding="utf-8")))
X = np.stack([squares.resize(decoding.decode((raw / row["path"]).read_bytes()).pixels) for row in rows])
y = np.array([row["label"] == "malignant" for row in rows], int)
keras = network.import_keras()
keras.utils.set_random_seed(7)
base = network.build(dict(np.load("models/backbone/weights.npz")))
base.trainable = False
outputs = keras.layers.Dense(2, activation="softmax")(keras.layers.Dropout(0.5)(base.output))
model = keras.Model(base.input, outputs)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
order = np.random.default_rng(7).permutation(len(y))
train, held_out = order[len(y) // 5:], order[:len(y) // 5]
model.fit(X[train], y[train], batch_size=32, epochs=10, validation_data=(X[held_out], y[held_out]), verbose=2)
model.save("model.keras")
"""

# A process that does nothing but import what the stage has imported when it ends.
IMPORTS_OF = """
import runpy, sys
sys.argv = sys.argv[1:]
try:
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
except SystemExit:
    pass
import json
print("IMPORTS", json.dumps([name for name in sys.modules if name != "__main__"]))
"""
BARE = """
import importlib, json, sys, warnings
warnings.simplefilter("ignore")
for name in json.load(open(sys.argv[1])):
    try:
        importlib.import_module(name)
    except Exception:  # a name that a library has made up
        pass
"""


def models(task: str) -> dict[str, dict]:
    """Return the shipped models of the demo's image task for another task, without the ones that only the demo shows."""
    shipped = params.load(ROOT / "params.yaml")["models"]
    names = ("mobilenetv2", "logreg", "random_forest", "knn")
    return {f"{task}-{name}": shipped[f"lesions-{name}"] | {"task": task} for name in names}


def bare_imports(project: Scratch, stages: list[list[str]]) -> float:
    """Return the seconds that processes take which import what these stages import, and do nothing else."""
    total = 0.0
    for stage in stages:
        done = project.run(sys.executable, "-c", IMPORTS_OF, *stage).out
        (project.folder / "names.json").write_text(done.split("IMPORTS ", 1)[1].splitlines()[0], encoding="utf-8")
        total += min(project.run(sys.executable, "-c", BARE, "names.json").seconds for _ in range(3))
    return total


def recipe_against_graph(project: Scratch, raw: Path) -> tuple[Cost, Cost, list[Cost]]:
    """Return the cost of the recipe, of the audit alone, and of the graph's other stages from scan to holdout."""
    project.image_task("skin", raw, models("skin"), csv="labels.csv", label="label", group="group")
    project.run("dvc", "repro", "backbone")
    recipe = project.run(sys.executable, "-c", RECIPE, str(raw))
    scan = project.run("dvc", "repro", "scan@skin")
    audit = project.run("dvc", "repro", "audit@skin")
    return recipe, audit, [scan, project.run("dvc", "repro", "holdout@skin")]


def main() -> None:
    skin = DATA / "skin_binary"
    if not skin.is_dir():
        sys.exit(f"benchmarks.graph needs the public data sets; there is no {skin} (set ASSAY_DATA)")
    with Scratch() as project:
        recipe, audit, graph = recipe_against_graph(project, skin)
    with Scratch(demo=True) as project:
        project.run("dvc", "repro")
        status = min(project.run("dvc", "status").seconds for _ in range(3))
        nothing = min(project.run("dvc", "repro").seconds for _ in range(3))
        project.run("dvc", "repro")
        changed = min(project.change("lesions-knn", n_neighbors=k).seconds for k in (16, 17, 18))
        keys = [["check"], ["train", "lesions-knn"], ["evaluate", "lesions"], ["select_best", "lesions"]]
        keys += [["holdout", "lesions"], ["track"]]
        bare = bare_imports(project, [[f"pipeline.{stage}", *key] for stage, *key in keys])
    save("graph", "The graph", [
        ratio("four models by five folds on skin_binary, scan to holdout without the audit, against the recipe of one network",
              sum(cost.seconds for cost in graph), recipe.seconds, at_most=1 / 3),
        ratio("the audit alone, against the same recipe", audit.seconds, recipe.seconds),
        ratio("dvc repro with nothing to do against dvc status", nothing, status, at_most=2),
        ratio("one changed value of KNN: dvc repro against bare starts and imports of its six stages", changed, bare, at_most=2),
    ])  # fmt: skip


if __name__ == "__main__":
    main()
