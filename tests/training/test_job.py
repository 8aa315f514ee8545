"""A training job: what is read and checked before anything is fitted."""

import json
from pathlib import Path

import pytest

from pipeline.core import params
from pipeline.core.errors import ParamsError, StageError
from pipeline.training.job import load_job

pytestmark = pytest.mark.usefixtures("training_project")


def test_units_reach_the_schema():
    block = json.loads(json.dumps(params.load()))
    block["tasks"]["t"]["preprocess"] = {"units": {"age": "years"}}
    Path("params.yaml").write_text(json.dumps(block))
    schema = load_job("line").schema
    assert [field.unit for field in schema] == ["years", "", "", "", ""]


def test_missing_data_name_their_stage():
    Path("data/t/dev.npz").unlink()
    with pytest.raises(StageError, match=r"data/t/dev.npz is missing: run 'dvc repro preprocess@t'"):
        load_job("line")


def test_an_unknown_model_is_refused_with_the_known_ones():
    with pytest.raises(ParamsError, match="no model 'lime'; it has: floor, line, near, trees"):
        load_job("lime")


def test_more_neighbours_than_samples_are_refused():
    content = params.load()
    content["models"]["near"]["n_neighbors"] = 90
    Path("params.yaml").write_text(json.dumps(content))
    with pytest.raises(
        ParamsError, match=r"params.yaml: models.near.n_neighbors: found 90; a training fold has \d+ samples"
    ):
        load_job("near")


def test_more_neighbours_than_an_inner_fold_are_refused():
    content = params.load()
    # Of 100 samples in 5 folds: 80 outside of one, 60 outside of two.
    content["models"]["near"]["n_neighbors"] = [5, 70]
    Path("params.yaml").write_text(json.dumps(content))
    with pytest.raises(ParamsError, match=r"models.near.n_neighbors: found 70; a training fold has 60 samples only"):
        load_job("near")
