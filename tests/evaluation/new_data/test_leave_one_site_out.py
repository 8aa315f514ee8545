"""A site's samples are scored by a model that saw neither them nor their groups."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from pipeline import sites
from pipeline.core import artifacts, params
from pipeline.core.errors import ParamsError
from pipeline.data.dataset import Dataset
from pipeline.estimators import logreg
from pipeline.evaluation.new_data import leave_one_site_out
from pipeline.tasks import validate
from pipeline.tracking import run_record
from pipeline.training.cross_fit import probabilities
from tests.helpers.models import dataset, mixed, train_and_evaluate, write_params
from tests.helpers.samples import content, task

MODELS = {"line": {"estimator": "logreg"}, "near": {"estimator": "knn"}}


@pytest.fixture
def project(empty_folder) -> Dataset:
    """A table project of 160 samples in groups of two, at the sites arm, leg and missing."""
    write_params(MODELS, site="site")
    dev = dataset(*mixed(160), np.arange(160) // 2)
    dev.save(Path("data/t/dev.npz"))
    train_and_evaluate(MODELS)
    return dev


def test_site_figures_are_of_models_fitted_without_it(project):
    sites.main("t")
    content = artifacts.read_json("reports/t/sites.json")
    assert content["column"] == "site"
    assert list(content["models"]) == ["line", "near"]
    rows = {row["site"]: row for row in content["models"]["line"]}
    assert list(rows) == ["all sites", "arm", "leg", "missing"]
    X, values = project.X("columns"), project.X("columns")["site"].to_numpy()
    index = np.flatnonzero(values == "arm")
    rest = np.flatnonzero((values != "arm") & ~np.isin(project.group, project.group[index]))
    model = logreg.build(logreg.Params(), params.seed()).fit(X.iloc[rest], project.y[rest])
    auc = roc_auc_score(project.y[index], probabilities(model, X.iloc[index])[:, 1])
    assert rows["arm"]["roc_auc"] == pytest.approx(auc, abs=1e-6)
    assert rows["arm"]["n"] == len(index)
    oof = np.load("models/t/candidates/line/oof.npz")["proba"][index, 1]
    before = roc_auc_score(project.y[index], oof)
    assert rows["arm"]["out_of_fold"]["roc_auc"] == pytest.approx(before, abs=1e-6)
    low, high = rows["arm"]["difference"]["ci"]
    assert low <= rows["arm"]["difference"]["roc_auc"] == pytest.approx(auc - before, abs=2e-6)
    assert high >= auc - before
    assert rows["all sites"]["n"] == 160
    counts = {
        site: np.bincount(project.y[values == cell]) for site, cell in (("arm", "arm"), ("leg", "leg"), ("missing", ""))
    }
    pairs = {site: count.prod() for site, count in counts.items()}
    mean = sum(rows[site]["roc_auc"] * n for site, n in pairs.items()) / sum(pairs.values())
    assert rows["all sites"]["roc_auc"] == pytest.approx(mean, abs=2e-6)
    assert rows["all sites"]["ci"]["roc_auc"][0] < mean < rows["all sites"]["ci"]["roc_auc"][1]


def test_separating_sites_alone_gains_nothing(empty_folder):
    write_params(MODELS | {"floor": {"estimator": "dummy"}}, site="site")
    rng, n = np.random.default_rng(0), 300
    arm = rng.random(n) < 0.5
    y = (rng.random(n) < np.where(arm, 0.9, 0.1)).astype(int)
    table = pd.DataFrame({"site": np.where(arm, "arm", "leg").astype(object), "age": rng.normal(size=n)})
    dataset(table, y).save(Path("data/t/dev.npz"))
    train_and_evaluate(MODELS | {"floor": {}})
    sites.main("t")
    rows = artifacts.read_json("reports/t/sites.json")["models"]
    whole = roc_auc_score(y, np.load("models/t/candidates/line/oof.npz")["proba"][:, 1])
    assert whole > 0.8  # it knows the site
    assert rows["line"][0]["out_of_fold"]["roc_auc"] < 0.65
    assert rows["floor"][0]["roc_auc"] == 0.5


def test_sites_are_reproducible_and_empty_without_column(project):
    sites.main("t")
    first = Path("reports/t/sites.json").read_bytes()
    sites.main("t")
    assert Path("reports/t/sites.json").read_bytes() == first
    write_params(MODELS)
    sites.main("t")
    assert artifacts.read_json("reports/t/sites.json") == {"column": None, "models": {}}


def test_only_site_with_a_class_is_not_left_out(empty_folder):
    write_params({"line": {"estimator": "logreg"}}, site="site")
    table, y = mixed(80)
    table["site"] = np.where((y == 1) | (np.arange(80) % 4 == 0), "clinic", "street").astype(object)
    dataset(table, y).save(Path("data/t/dev.npz"))
    train_and_evaluate({"line": {}})
    sites.main("t")
    rows = {row["site"]: row for row in artifacts.read_json("reports/t/sites.json")["models"]["line"]}
    assert rows["clinic"]["reason"] == "without it there is no malignant"
    assert rows["street"]["roc_auc"] is None  # one class alone has no ROC
    assert (rows["all sites"]["n"], rows["all sites"]["roc_auc"]) == (rows["street"]["n"], None)


def test_single_site_and_missing_column_are_refused(project):
    write_params(MODELS, site="constant")
    with pytest.raises(ParamsError, match=r"every development sample has '3' in 'constant'; .* takes two"):
        sites.main("t")
    write_params(MODELS, site="sitee")
    with pytest.raises(
        ParamsError, match=r"tasks.t.select.site: there is no column 'sitee'; the samples have: age, size"
    ):
        sites.main("t")
    everything = content(task(select={"metric": "roc_auc", "site": "site"}))
    with pytest.raises(ParamsError, match=r"select.site: class folders have no columns"):
        validate.check(everything)


def test_figures_at_sites_are_metrics_of_another_run(project):
    sites.main("t")
    plain = run_record.Record("t", "line", "k", {}, {}, [], {}, "", "raw", champion=False)
    record = run_record.with_sites(plain)
    assert {"sites/arm/roc_auc", "sites/all sites/recall", "sites/leg/roc_auc_difference"} <= set(record.metrics)
    assert record.key != "k"
    write_params(MODELS)
    assert run_record.with_sites(plain) == plain


def test_rows_of_a_site_and_its_groups_are_excluded():
    values, groups = np.array(["a", "b", "b", "c"]), np.array(["1", "1", "2", "3"])
    assert leave_one_site_out.training_rows(values, groups, "a").tolist() == [2, 3]


def test_groups_are_counted_at_each_of_their_sites(empty_folder):
    write_params(MODELS, site="site", unit="group")
    group = np.arange(160) // 4
    y = group % 2
    X, _ = mixed(160)
    X["size"] = y + np.random.default_rng(0).normal(size=160)
    is_at_arm = (group < 10) | ((group < 20) & (np.arange(160) % 4 < 3))
    X["site"] = np.where(is_at_arm, "arm", "leg").astype(object)
    dataset(X, y, group).save(Path("data/t/dev.npz"))
    train_and_evaluate(MODELS)
    sites.main("t")
    rows = {row["site"]: row for row in artifacts.read_json("reports/t/sites.json")["models"]["line"]}
    # ten groups have three samples at arm and one at leg
    counted = {site: (row["n"], row["n_groups"], row["n_positive"]) for site, row in rows.items()}
    assert counted == {"all sites": (50, 40, 25), "arm": (20, 20, 10), "leg": (30, 30, 15)}
