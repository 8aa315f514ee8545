"""Projects that pages show, made in the current folder: models compared, photos and patients after scan, audit and split."""

from pathlib import Path

import numpy as np
import pandas as pd

from pipeline import audit, holdout, learning_curve, scan, select_best, split
from pipeline.core import artifacts
from tests.helpers import samples
from tests.helpers.models import dataset, mixed, train_and_evaluate, write_params
from tests.helpers.samples import put, task

MODELS = {"floor": {"estimator": "dummy"}, "line": {"estimator": "logreg"}, "near": {"estimator": "knn"}}
CLASSES = ("adeno", "large cell", "normal_x", "squamous")
SPLIT = {"by": "hash", "test_fraction": 0.3, "folds": 3, "min_test_per_class": 1}


def make_comparison(n_classes: int) -> None:
    """Make a project of the task t whose test set has been opened."""
    write_params(MODELS)
    dataset(*mixed(120, n_classes), np.arange(120) // 2).save(Path("data/t/dev.npz"))
    dataset(*mixed(48, n_classes, seed=5), folds=0).save(Path("data/t/test.npz"))
    train_and_evaluate(MODELS)
    select_best.main("t")
    learning_curve.main("t")
    holdout.main("t")


def make_photos(program: Path) -> None:
    """Make a project of images in four classes, with copies, a contradiction, an unreadable file and a stray one."""
    files = {f"{name}/{k}.png": 20 * number + k for number, name in enumerate(CLASSES) for k in range(16)}
    files |= {f"adeno/copy {k}.png": k for k in range(14)}  # more than one page of pairs
    files |= {"squamous/0 again.png": 20, "normal_x/bad.png": b"no image", "adeno/notes.txt": "text"}
    put(Path("raw"), files)
    artifacts.write_bytes("models/backbone/embedder.tflite", program.read_bytes())
    run_stages(task(split=SPLIT))


def make_patients() -> None:
    """Make a project of a table: a number with gaps, a category, whole numbers, equal rows."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {"age": rng.normal(50, 9, 80).round(1).astype(str), "sex_at_birth": rng.choice(["f", "m"], 80)}
    )
    table["grade"] = rng.integers(1, 4, 80)
    table.loc[:4, "age"] = "NA"
    table["diagnosis"] = np.where(np.arange(80) % 3 == 0, "ill", "well")
    artifacts.write_csv("raw.csv", pd.concat([table, table.iloc[[7, 8]]]))
    run_stages(task("table", raw="raw.csv", read={"label": "diagnosis"}, split=SPLIT))


def run_stages(block: dict) -> None:
    """Run scan, audit and split of the task `skin` in the current folder."""
    samples.write_params(block, workers=1)
    for stage in (scan, audit, split):
        stage.main("skin")


def champion() -> str:
    """Return the name of the champion of the task t."""
    return artifacts.read_json("reports/t/selection.json")["winner"]


def split_table() -> pd.DataFrame:
    """Return split.csv of the task `skin`."""
    return pd.read_csv("data/skin/split.csv", dtype=str, keep_default_na=False)
