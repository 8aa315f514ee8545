"""Stage `sites@task`: how good each model is at a site that it has not seen, by leaving out one site after the other.

`select.site` names the column. For each of its values a model is fitted on the development samples of the other sites, less those
whose group is also at this one, and scored on the samples of this one. Beside that stands what the same samples score out of
fold, by models that had seen others of their site, and the paired difference: what a new site costs. The test set is not opened.

Writes `reports/<task>/sites.json`: column (null where none is named), `models` by name, each with a row `all` and a row for each
site, and `not_computed`, why, by model. It costs a fit per model and site on what `train` had: of a network its head alone is
fitted; one that is fine-tuned is left out.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from pipeline import artifacts, params, subgroups
from pipeline.as_published import unfitted
from pipeline.assess import assess
from pipeline.bootstrap import bootstrap, difference_interval
from pipeline.cross_fit import fit, probabilities, rows_of
from pipeline.dataset import Dataset
from pipeline.decision import calibrate, decide
from pipeline.parallel import run_parallel
from pipeline.stage import ParamsError, require, run

ALL = "all sites"
FINE_TUNED = "it would fine-tune the network anew for each site"
LACKS = "without it there is no {}"


def training_rows(values: np.ndarray, groups: np.ndarray, site: str) -> np.ndarray:
    """Return the rows, int (m,), of samples at other sites of which no sample of their group is at `site`; arrays (n,)."""
    return np.flatnonzero((values != site) & ~np.isin(groups, groups[values == site]))


def lacking(dev: Dataset, rows: np.ndarray) -> str:
    """Return the classes of which none is among the `rows`, "" where all are."""
    return ", ".join(name for k, name in enumerate(dev.classes) if not (dev.y[rows] == k).any())


def leave_out(
    task: str, model: str, dev: Dataset, values: np.ndarray, names: list[str]
) -> tuple[np.ndarray, dict[str, str]]:
    """Return probabilities, float64 (n, n_classes), of each sample by the model fitted without its site, not calibrated.

    They are NaN where there is none; the second tells why, by site.
    """
    X, workers = dev.X(params.model(model).features), params.workers()
    left = {name: training_rows(values, dev.group, name) for name in names}
    without = {name: LACKS.format(lacking(dev, rows)) for name, rows in left.items() if lacking(dev, rows)}
    todo, proba = [name for name in names if name not in without], np.full((len(dev.y), len(dev.classes)), np.nan)

    def work(name: str) -> np.ndarray:
        estimator = fit(unfitted(task, model), X, dev, left[name], f"{model} without {name}")
        return probabilities(estimator, rows_of(X, np.flatnonzero(values == name)))

    alone = hasattr(unfitted(task, model), "fit_grouped")  # a network takes all threads itself
    done = run_parallel(work, todo, 1 if alone else workers)
    for name, found in zip(todo, tqdm(done, f"sites {model}", total=len(todo), unit=" fits", delay=3), strict=True):
        proba[values == name] = found
    return proba, without


def row(dev: Dataset, at: np.ndarray, sides: dict[str, np.ndarray], rule: dict[str, Any], draws: int) -> dict[str, Any]:
    """Return the figures of the samples at `at`, int (m,), by the probabilities (n, n_classes) of both `sides`, `left_out` and
    `out_of_fold`: those of the first under their own names, ROC AUC of the second, and the paired difference.

    Decisions are by the model's own rule, which was chosen out of fold over all sites.
    """
    part = dev.rows(at)
    proba = {side: calibrate(raw[at], rule) for side, raw in sides.items()}
    decided = {side: decide(found, rule) for side, found in proba.items()}
    report = assess(part, proba["left_out"], decided["left_out"], draws, params.seed())
    before = assess(part, proba["out_of_fold"], decided["out_of_fold"], draws, params.seed())
    drawn = {
        side: bootstrap(part.y, proba[side], decided[side], part.group, draws, params.seed())["roc_auc"]
        for side in sides
    }
    keys = ("roc_auc", *(("recall", "specificity") if dev.positive else ("accuracy",)))
    found = {"n": len(at), "n_groups": report["counts"]["n_groups"], "few": len(at) < subgroups.FEW}
    found |= {"n_positive": int((part.y == 1).sum())} if dev.positive else {}
    found |= {key: report[key] for key in keys} | {"ci": {key: report["ci"][key] for key in keys}}
    found["out_of_fold"] = {"roc_auc": before["roc_auc"], "ci": {"roc_auc": before["ci"]["roc_auc"]}}
    difference = report["roc_auc"] - before["roc_auc"]
    ends = difference_interval(drawn["left_out"], drawn["out_of_fold"])
    return found | {"difference": {"roc_auc": difference, "ci": ends if difference == difference else [np.nan] * 2}}


def by_site(name: str, model: str, dev: Dataset, values: np.ndarray, names: list[str]) -> list[dict[str, Any]]:
    """Return the rows of one model: all sites together, then each; one that cannot be left out has `reason` and no figures."""
    rule = artifacts.read_json(require(f"models/{name}/decisions/{model}.json", f"evaluate@{model}"))
    oof = np.load(require(f"models/{name}/candidates/{model}/oof.npz", f"train@{model}"))["proba"][: len(dev.y)]
    proba, without = leave_out(name, model, dev, values, names)
    draws, sides = params.task(name).select.draws, {"left_out": proba, "out_of_fold": oof}
    known = np.flatnonzero(~np.isnan(proba[:, 0]))
    rows = [{"site": ALL} | row(dev, known, sides, rule, draws)] if len(known) else []
    for site in names:
        at = np.flatnonzero(values == site)
        if site in without:
            rows.append({"site": site, "n": len(at), "reason": without[site]})
        else:
            rows.append({"site": site} | row(dev, at, sides, rule, draws))
    return rows


def main(name: str) -> None:
    task, out = params.task(name), Path(f"reports/{name}/sites.json")
    column = task.select.site
    if not column:
        artifacts.write_json(out, {"column": None, "models": {}, "not_computed": {}})
        return
    dev = Dataset.load(require(f"data/{name}/dev.npz", f"preprocess@{name}"))
    table = subgroups.columns(name, "dev", dev)
    subgroups.check(list(table), [column], f"{name}.select.site")
    values, names = subgroups.divide(table[column], [], f"tasks.{name}.select.site")
    if len(names) < 2:
        raise ParamsError(
            f"params.yaml: tasks.{name}.select.site: every development sample has {names[0]!r} in {column!r}; leaving a site out "
            "takes two"
        )
    fine_tuned = [model for model in task.models if params.model(model).features == "pixels"]
    found = {model: by_site(name, model, dev, values, names) for model in task.models if model not in fine_tuned}
    content = {"column": column, "models": found, "not_computed": dict.fromkeys(fine_tuned, FINE_TUNED)}
    artifacts.write_json(out, content)
    print(f"sites {name}: {len(found)} models, each fitted without each of {len(names)} sites", file=sys.stderr)


if __name__ == "__main__":
    run(main)
