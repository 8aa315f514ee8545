"""The folds of the classical models, one core against two, by joblib."""

import json
import sys

from benchmarks.figures import DATA, ratio, save
from benchmarks.graph import models
from benchmarks.scratch import Scratch

FOLDS = """
import json, time
from functools import partial
from pathlib import Path
from pipeline.core import params
from pipeline.estimators._protocol import get_estimator
from pipeline.training.cross_fit import cross_fit
from pipeline.data.dataset import Dataset
dev = Dataset.load(Path("data/skin/dev.npz"))
found = {}
for name in ("knn", "logreg", "random_forest"):
    block = params.model(f"skin-{name}")
    estimator = get_estimator(name)
    build = partial(estimator.make_model, params.parse(estimator.Params, block.own, name), 7, 1)
    X = dev.X("embedding")
    cross_fit([build], X, dev, 1, name, 7)
    def seconds(workers):
        start = time.perf_counter()
        cross_fit([build], X, dev, workers, name, 7)
        return time.perf_counter() - start
    turns = [(seconds(1), seconds(2)) for _ in range(5)]
    found[name] = [min(column) for column in zip(*turns)]
print("FOLDS", json.dumps(found))
"""


def main() -> None:
    skin = DATA / "skin_binary"
    if not skin.is_dir():
        sys.exit(f"benchmarks.folds needs the public data sets; there is no {skin} (set ASSAY_DATA)")
    with Scratch() as project:
        project.take_backbone()
        project.image_task("skin", skin, models("skin"), csv="labels.csv", label="label", group="group")
        for stage in ("check", "scan skin", "audit skin", "split skin", "preprocess skin"):
            project.run(sys.executable, "-m", *f"pipeline.{stage}".split())
        folds = json.loads(project.run(sys.executable, "-c", FOLDS).out.split("FOLDS ")[1])
    one_core, two_cores = (sum(column) for column in zip(*folds.values(), strict=True))
    figures = [
        ratio("folds of KNN, logistic regression and forest: one core against two", one_core, two_cores, at_least=1.6)
    ]
    figures += [ratio(f"folds of {name}: one core against two", *pair) for name, pair in folds.items()]
    save("folds", "Folds on two cores, the best of five turns each", figures)


if __name__ == "__main__":
    main()
