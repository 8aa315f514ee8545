"""The results section of a report: leaderboard, figures of the champion, mistakes, subgroups, sites, external data."""

from typing import Any

import numpy as np

from pipeline.core import artifacts, params
from pipeline.core.paths import TaskPaths
from pipeline.evaluation.metric_names import NAMES
from pipeline.reporting.results import Study

MOST_MISTAKES = 12
COMPARED = ("roc_auc", "accuracy", "recall", "specificity", "brier_score_loss", "ece")  # told of other sources


def leaderboard(study: Study) -> list[dict[str, Any]]:
    """Return a row per model: model, features, figure, ends of its interval, brier, test figure, champion."""
    metric = study.selection["metric"]
    return [
        {
            "model": row["model"],
            "estimator": row["estimator"],
            "features": row["features"],
            "figure": row[metric],
            "ends": [row[f"{metric}_low"], row[f"{metric}_high"]],
            "brier": row["brier"],
            "test": row[f"test_{metric}"],
            "test_ends": study.test[row["model"]]["ci"].get(study.metric),
            "champion": row["champion"] == "yes",
        }
        for row in study.board.to_dict("records")
    ]


def figures(study: Study) -> list[dict[str, Any]]:
    """Return the champion's figures, out of fold and on the test set, with their intervals."""
    sides = {"oof": study.cv[study.winner], "test": study.test[study.winner]}
    rows = []
    for key in (key for key in NAMES if key in sides["oof"]):
        row: dict[str, Any] = {"key": key, "name": NAMES[key]}
        for side, report in sides.items():
            row |= {side: report.get(key), f"{side}_ends": report["ci"].get(key)}
        rows.append(row)
    return rows


def per_class(study: Study) -> list[dict[str, Any]]:
    """Return recall, precision and AUC of each class, out of fold and on the test set."""
    oof, test = study.cv[study.winner]["per_class"], study.test[study.winner]["per_class"]
    return [{"name": name, "oof": oof[name], "test": test[name]} for name in study.classes]


def confusion(report: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a row per actual class: its name, and of each decided class the count, its share and whether it is right."""
    rows = []
    for actual, row in report["counts"]["confusion"].items():
        total = max(1, sum(row.values()))
        cells = [{"n": n, "share": n / total, "right": name == actual} for name, n in row.items()]
        rows.append({"name": actual, "cells": cells})
    return rows


def mistakes(study: Study) -> list[dict[str, Any]]:
    """Return the most confident mistakes of the champion out of fold: path, actual, decided, probability."""
    sure = study.proba[np.arange(len(study.decided)), study.decided]
    wrong = np.flatnonzero(study.decided != study.dev.y)
    ranked = wrong[np.argsort(-sure[wrong], kind="stable")][:MOST_MISTAKES]
    return [
        {
            "path": str(study.dev.path[i]),
            "actual": study.classes[study.dev.y[i]],
            "decided": study.classes[study.decided[i]],
            "probability": float(sure[i]),
        }
        for i in ranked
    ]


def n_mistakes(study: Study) -> int:
    """Return how many samples were decided wrongly out of fold."""
    return int((study.decided != study.dev.y).sum())


def subgroups(study: Study) -> list[dict[str, Any]]:
    """Return the champion's figures by subgroup, out of fold and on the test set; none where params.yaml names no column."""
    sides = {"oof": study.cv[study.winner], "test": study.test[study.winner]}
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for side, report in sides.items():
        for row in report.get("subgroups", []):
            key = (row["column"], row["value"])
            rows.setdefault(key, {"column": key[0], "value": key[1], "oof": None, "test": None})[side] = row
    return list(rows.values())


def sites(study: Study) -> dict[str, Any] | None:
    """Return the results of leaving one site out: column, the champion's `rows`, and of each other model its row of all sites.

    None where params.yaml names no column.
    """
    if not study.sites.get("column"):
        return None
    by_model = study.sites["models"]
    others = {name: by_model[name][0] for name in study.task.models if name != study.winner and by_model.get(name)}
    own = by_model[study.winner]
    return {"column": study.sites["column"], "rows": own, "others": others}


def external(study: Study) -> list[dict[str, Any]]:
    """Return the champion's reports on external data sets, with their names, in the order of params.yaml."""
    named = {
        name: block for name, block in (params.load().get("external") or {}).items() if block["task"] == study.name
    }
    paths = {name: TaskPaths(study.name).external(name) for name in named}
    datasets = [{"name": name} | artifacts.read_json(path) for name, path in paths.items() if path.exists()]
    for dataset in datasets:
        dataset["rows"] = [
            {
                "name": NAMES[key],
                "here": study.test[study.winner][key],
                "here_ends": study.test[study.winner]["ci"].get(key),
            }
            | {"there": dataset[key], "there_ends": dataset["ci"].get(key)}
            | {"change": dataset["change"][key]["difference"], "change_ends": dataset["change"][key]["ci"]}
            for key in COMPARED
            if key in dataset["change"]
        ]
    return datasets
