"""What a leak would have made of the champion is measured on the same test set, and only where a shipped split leaks."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from pipeline import holdout, select_best
from pipeline.core import artifacts, params
from pipeline.data.dataset import Dataset
from pipeline.evaluation.as_published import as_published
from tests.models import dataset, train_and_evaluate, write_params

N_DEV, N_TEST, N_LEAKED = 60, 30, 24


@pytest.fixture
def project(empty_folder):
    """A project whose labels nothing can predict, of whose shipped test rows most stand in train, too."""
    write_params({"near": {"estimator": "knn", "n_neighbors": 1}})
    content = yaml.safe_load(Path("params.yaml").read_text())
    content["tasks"]["t"]["split"] = content["tasks"]["t"]["split"] | {"by": "shipped"}
    Path("params.yaml").write_text(yaml.safe_dump(content))
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(N_DEV + N_TEST + N_LEAKED, 5)).round(6), columns=list("abcde"))
    y = rng.permutation(np.arange(len(X)) % 2)
    copies = slice(N_DEV + N_TEST, None)
    X.iloc[copies], y[copies] = X.iloc[N_DEV : N_DEV + N_LEAKED].to_numpy(), y[N_DEV : N_DEV + N_LEAKED]
    names = np.array(["benign", "malignant"])[y]
    paths = [f"row {number}" for number in range(len(X))]
    subset = ["dev"] * N_DEV + ["test"] * N_TEST + ["excluded"] * N_LEAKED
    ids = [f"{number:016x}" for number in range(len(X))]
    split = pd.DataFrame({"id": ids, "path": paths, "label": names, "group": ids, "subset": subset})
    split["fold"] = [n % 5 if part == "dev" else "" for n, part in enumerate(subset)]
    split["reason"] = [
        "leak: its image or group is also in the shipped test set" if p == "excluded" else "" for p in subset
    ]
    artifacts.write_csv("data/t/split.csv", split)
    artifacts.write_csv("data/t/scan/samples.csv", split[["id", "path", "label"]])
    artifacts.write_csv("data/t/scan/columns.csv", X)
    leaks = [[paths[N_DEV + n], paths[N_DEV + N_TEST + n]] for n in range(N_LEAKED)]
    artifacts.write_json("data/t/audit.json", {"leaks": leaks})
    dataset(X[:N_DEV], y[:N_DEV]).save(Path("data/t/dev.npz"))
    test = dataset(X[N_DEV : N_DEV + N_TEST], y[N_DEV : N_DEV + N_TEST], folds=0)
    test = Dataset(**vars(test) | {"path": np.array(paths[N_DEV : N_DEV + N_TEST])})
    test.save(Path("data/t/test.npz"))
    train_and_evaluate(["near"])
    select_best.main("t")
    return test


def test_leak_inflates_a_random_model_and_both_figures_are_reported(project):
    holdout.main("t")
    report = artifacts.read_json("reports/t/test/near.json")
    published = report["as_published"]
    assert published["n_added"] == published["n_leaked"] == N_LEAKED
    assert published["accuracy"] >= N_LEAKED / N_TEST
    assert report["accuracy"] < 0.7
    low, high = published["ci"]["accuracy"]
    assert low <= published["accuracy"] <= high
    assert published["roc_auc"] > report["roc_auc"] + 0.2


def test_the_thrown_away_fit_changes_no_file_of_the_champion(project):
    before = {path: path.read_bytes() for path in Path("models").rglob("*.*")}
    holdout.main("t")
    assert {path: path.read_bytes() for path in Path("models").rglob("*.*")} == before


def test_without_a_leak_there_is_nothing_to_tell(project):
    split = pd.read_csv("data/t/split.csv", dtype=str, keep_default_na=False).assign(reason="")
    artifacts.write_csv("data/t/split.csv", split)
    assert as_published("t", "near", project) is None


def test_a_test_set_drawn_here_has_no_published_figure(project):
    content = yaml.safe_load(Path("params.yaml").read_text())
    content["tasks"]["t"]["split"]["by"] = "hash"
    Path("params.yaml").write_text(yaml.safe_dump(content))
    assert params.task("t").split.by == "hash"
    assert as_published("t", "near", project) is None
