"""What is written of a fitted model."""

from pathlib import Path

import pandas as pd
import pytest

from pipeline import train
from pipeline.core import artifacts
from pipeline.training import export


@pytest.mark.usefixtures("training_project")
def test_files_of_an_earlier_estimator_are_removed():
    folder = Path("models/t/candidates/line")
    folder.mkdir(parents=True)
    (folder / "model.keras").write_bytes(b"of another estimator")
    train.main("line")
    content = artifacts.read_json(folder / "candidate.json")
    assert list(content["files"]) == ["model.joblib"]
    assert content["features"] == "columns"


def test_importance_is_ordered_by_its_mean_over_folds():
    table = export.summarise_importance(pd.DataFrame({"a": [0.1, 0.3], "b": [0.5, 0.1], "c": [0.2, 0.2]}))
    assert table.to_numpy().tolist() == [["b", 0.3, 0.1, 0.5], ["a", 0.2, 0.1, 0.3], ["c", 0.2, 0.2, 0.2]]
