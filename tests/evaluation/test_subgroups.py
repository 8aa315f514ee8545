"""Within each subgroup the figures are those of its samples alone, and a subgroup that cannot be is refused."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import recall_score, roc_auc_score

from pipeline import evaluate, holdout
from pipeline.core import artifacts, params, params_models
from pipeline.core.errors import ParamsError
from pipeline.data.dataset import Dataset
from pipeline.evaluation import subgroups
from pipeline.tasks import validate
from tests.helpers.models import dataset, mixed, numbers, score, write_params
from tests.helpers.samples import content, task

pytestmark = pytest.mark.usefixtures("empty_folder")
MODELS = {"line": {"estimator": "logreg"}}
NAMED = {"age": [45, 55], "site": None}


def test_edges_belong_to_the_upper_band():
    values, names = subgroups.divide(pd.Series(["39.9", "40", "NA", "61", ""]), [40, 60], "x")
    assert values.tolist() == ["under 40", "40 to under 60", "missing", "60 and over", "missing"]
    assert names == ["under 40", "40 to under 60", "60 and over", "missing"]


def test_table_and_csv_numbers_make_the_same_bands():
    from_table, names = subgroups.divide(pd.Series([39.9, 40.0, np.nan, 61.0]), [40, 60], "x")
    from_csv, _ = subgroups.divide(pd.Series(["39.9", "40", "", "61"]), [40, 60], "x")
    assert from_table.tolist() == from_csv.tolist()
    assert "missing" in names


def test_bands_of_words_and_too_many_values_are_refused():
    with pytest.raises(ParamsError, match="bands are for numbers; the column holds words"):
        subgroups.divide(pd.Series(["arm", "leg"]), [40], "x")
    with pytest.raises(ParamsError, match=r"has 40 values, at most 30 .* divide numbers into bands"):
        subgroups.divide(pd.Series([str(n) for n in range(40)]), [], "x")


def test_subgroup_figures_match_scikit_learn():
    score(MODELS, n_dev=160, n_test=80)
    write_params(MODELS, subgroups=NAMED)
    evaluate.main("t")
    holdout.main("t")
    dev = Dataset.load(Path("data/t/dev.npz"))
    proba = np.load("models/t/candidates/line/oof.npz")["proba"][:, 1]
    report = artifacts.read_json("reports/t/cv/line.json")
    rows = {(row["column"], row["value"]): row for row in report["subgroups"]}
    assert [key for key in rows if key[0] == "site"] == [("site", "arm"), ("site", "leg"), ("site", "missing")]
    site = dev.X("columns")["site"].to_numpy()
    for name in ("arm", "leg"):
        row, inside = rows["site", name], site == name
        assert row["n"] == inside.sum()
        assert row["n_positive"] == dev.y[inside].sum()
        assert row["roc_auc"] == pytest.approx(roc_auc_score(dev.y[inside], proba[inside]), abs=1e-6)
        decided = proba[inside] >= artifacts.read_json("models/t/decisions/line.json")["threshold"]
        assert row["recall"] == pytest.approx(recall_score(dev.y[inside], decided), abs=1e-6)
        assert row["ci"]["recall"][0] <= row["recall"] <= row["ci"]["recall"][1]
    test = artifacts.read_json("reports/t/test/line.json")["subgroups"]
    assert sum(row["n"] for row in test if row["column"] == "age") == 80
    assert any(row["few"] for row in test)
    assert all(row["few"] == (row["n"] < 20) for row in test)


def test_a_report_without_subgroups_has_the_bytes_it_always_had():
    score(MODELS, n_dev=80, n_test=40)
    before = [Path(f"reports/t/{side}/line.json").read_bytes() for side in ("cv", "test")]
    assert b"subgroups" not in before[0] + before[1]
    write_params(MODELS, subgroups=NAMED)
    evaluate.main("t")
    assert b"subgroups" in Path("reports/t/cv/line.json").read_bytes()
    write_params(MODELS, subgroups={})
    evaluate.main("t")
    holdout.main("t")
    assert [Path(f"reports/t/{side}/line.json").read_bytes() for side in ("cv", "test")] == before


def test_image_columns_follow_the_order_of_samples():
    write_params(MODELS, "image", subgroups=["site"])
    dev = dataset(*numbers(20))
    samples = pd.DataFrame({"path": dev.path[::-1], "label": "x", "site": [f"s{n % 2}" for n in range(20)][::-1]})
    subgroups.write(Path("data/t"), "dev", dev.path, samples)
    values, names = subgroups.read("t", "dev", dev)["site"]
    assert values.tolist() == [f"s{n % 2}" for n in range(20)]
    assert names == ["s0", "s1"]


def test_missing_column_error_lists_the_columns():
    dataset(*mixed(40)).save(Path("data/t/dev.npz"))
    write_params(MODELS, subgroups=["sexx"])
    with pytest.raises(ParamsError, match=r"there is no column 'sexx'; the samples have: age, size, site"):
        subgroups.read("t", "dev", Dataset.load(Path("data/t/dev.npz")))


def test_check_refuses_falling_bands_and_class_folders():
    with pytest.raises(ParamsError, match="divided by increasing numbers"):
        params.parse(params_models.SelectParams, {"subgroups": {"age": [60, 40]}}, "tasks.t.select")
    block = task()
    block["read"].pop("csv", None)
    block["select"] = dict(block["select"]) | {"subgroups": ["age"]}
    with pytest.raises(ParamsError, match=r"select.subgroups: class folders have no columns"):
        validate.check(content(block))
