"""The promise itself: half of a public table is hidden, the project's code runs on the rest, and the printed ROC AUC is compared
with that of the hidden half.

In at least 93 % of all divisions, pooled, both may differ by no more than 1.96 standard errors of their difference on the logit
scale, where either figure has its own. Resumable: divisions that are in the file of results are not made again.
"""

import csv
from dataclasses import astuple, dataclass, fields

import numpy as np
import pandas as pd
import pytest
from sklearn import datasets
from sklearn.model_selection import StratifiedKFold

from benchmarks import figures
from benchmarks.figures import DATA, RESULTS, Figure
from pipeline.core.params_models import OperatingPointParams
from pipeline.data import tables
from pipeline.data.dataset import Dataset
from pipeline.estimators._protocol import get_estimator
from pipeline.evaluation import calibration
from pipeline.evaluation.candidates import ComparedModel, resample
from pipeline.evaluation.scoring import assess
from pipeline.evaluation.selection import select
from pipeline.prediction.decision_rule import DecisionRule, calibrate, decide
from pipeline.training.cross_fit import CrossFit, cross_fit, probabilities

# Probabilities of 0 and 1 by small trees and neighbours: BFGS stops, at the best that there is
pytestmark = pytest.mark.filterwarnings("ignore:The line search algorithm did not converge")

ROWS = RESULTS / "soak_promise_divisions.csv"
DIVISIONS, FOLDS, DRAWS, MOST = 40, 5, 400, 800
MODELS = ("logreg", "random_forest", "knn", "dummy")
LABELS = {  # column of the label, and the positive value
    "blood_transfusion.csv": ("donated", "1"),
    "breast_wisconsin_original.csv": ("class", "4"),
    "heart.csv": ("target", "1"),
    "kidney.csv": (None, "ckd"),
    "mammographic_masses.csv": (None, "1"),
    "pima_no_header.csv": (None, "1"),
    "stroke_4000.csv": ("stroke", "1"),
}
WITHOUT_HEADER = {"pima_no_header.csv"}


@dataclass(frozen=True)
class Division:
    """The printed and the hidden ROC AUC of one division, each with its interval."""

    name: str
    seed: int
    champion: str
    printed: float
    printed_low: float
    printed_high: float
    hidden: float
    hidden_low: float
    hidden_high: float

    @property
    def distance(self) -> float:
        """How many standard errors of their difference the two figures are apart, on the logit scale."""
        printed, low, high, hidden, hidden_low, hidden_high = (logit(x) for x in astuple(self)[3:])
        errors = (high - low) / (2 * 1.96), (hidden_high - hidden_low) / (2 * 1.96)
        return abs(printed - hidden) / np.hypot(*errors)


def logit(p: float) -> float:
    """Return the log odds of a figure that may be 1."""
    p = min(max(p, 1e-4), 1 - 1e-4)
    return float(np.log(p / (1 - p)))


def load(name: str) -> tuple[pd.DataFrame, np.ndarray]:
    """Return the columns and which rows are positive, bool (n,)."""
    if name.startswith("sklearn "):
        bunch = getattr(datasets, f"load_{name.split()[1]}")()
        X, target = pd.DataFrame(bunch.data, columns=[f"x{k}" for k in range(bunch.data.shape[1])]), bunch.target
        if name.endswith("diabetes"):
            return X, target > np.median(target)
        return X, target == target.max()
    path = DATA / "tables" / name
    text = tables.read_csv(path, header="none" if name in WITHOUT_HEADER else "first")
    column, positive = LABELS[name]
    column = column or text.columns[-1]
    text = text[text[column].str.strip() != ""]
    features = text.drop(columns=[column, *(c for c in text.columns if c == "id")])
    return tables.typed(features.reset_index(drop=True)), (text[column].str.strip() == positive).to_numpy()


def fit(model: str, X: pd.DataFrame, dev: Dataset, seed: int) -> CrossFit:
    """Return a model cross-fitted as the stage `train` does it."""
    estimator = get_estimator(model)
    return cross_fit([lambda: estimator.make_model(estimator.Params(), seed, 1)], X, dev, 1, model, seed)


def divide(name: str, seed: int) -> Division:
    """Hide half of the rows, select on the rest, and score the champion on what was hidden."""
    X, positive = load(name)
    rows = np.random.default_rng(seed).permutation(len(positive))
    half = len(rows) // 2
    own, hidden = rows[:half][:MOST], rows[half:]
    dev, unseen = (samples(positive[part], seed) for part in (own, hidden))
    fitted = {model: fit(model, X.iloc[own].reset_index(drop=True), dev, seed) for model in MODELS}
    rules = {
        m: DecisionRule(calibration=calibration.choose(dev, item.oof, DRAWS, seed)[0]) for m, item in fitted.items()
    }
    models = {}
    for model, item in fitted.items():
        proba = calibrate(item.oof, rules[model])
        report = assess(dev, proba, decide(proba, rules[model]), DRAWS, seed, FOLDS)
        unscaled = assess(
            dev, calibration.out_of_fold(dev, item.oof, rules[model]), decide(proba, rules[model]), 100, seed
        )
        report.figures["log_loss"] = unscaled["log_loss"]
        draws = resample(dev, item.oof, rules[model], OperatingPointParams(), DRAWS, seed)
        models[model] = ComparedModel(report, draws, model == "dummy")
    choice = select(models, "roc_auc", True, FOLDS, len(own))
    new = X.iloc[hidden].reset_index(drop=True)
    proba = calibrate(probabilities(fitted[choice.winner].model, new), rules[choice.winner])
    there = assess(unseen, proba, decide(proba, rules[choice.winner]), DRAWS, seed)
    printed = choice.expected
    return Division(name, seed, choice.winner, printed.figure, *printed.ci, there["roc_auc"], *there.ci["roc_auc"])


def samples(positive: np.ndarray, seed: int) -> Dataset:
    """Return a data set of single samples, divided into folds."""
    names, y = np.arange(len(positive)).astype(str), positive.astype(int)
    fold = np.zeros(len(y), int)
    for number, (_, held_out) in enumerate(StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(y, y)):
        fold[held_out] = number
    return Dataset(names, names, names, y, fold, ["negative", "positive"], {})


def read() -> list[Division]:
    """Return the divisions that were made."""
    if not ROWS.exists():
        return []
    with ROWS.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [
        Division(row["name"], int(row["seed"]), row["champion"], *map(float, list(row.values())[3:])) for row in rows
    ]


def add(division: Division) -> None:
    """Add a division to the file."""
    new = not ROWS.exists()
    with ROWS.open("a", encoding="utf-8", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        if new:
            out.writerow([part.name for part in fields(Division)])
        out.writerow([round(value, 6) if isinstance(value, float) else value for value in astuple(division)])


def test_printed_roc_auc_is_that_of_hidden_patients():
    if not (DATA / "tables").exists():
        pytest.skip(f"{DATA / 'tables'} is missing: the public tables are no part of the project")
    names = [f"sklearn {name}" for name in ("breast_cancer", "diabetes", "wine")] + sorted(LABELS)
    for seed in range(DIVISIONS):
        for name in names:
            if (name, seed) not in {(item.name, item.seed) for item in read()}:
                add(divide(name, seed))
    measured = list(summaries(read()))
    figures.save("soak_promise", "Printed against hidden ROC AUC", measured, command="make soak")
    assert [figure for figure in measured if not figure.passed] == []


def summaries(divisions: list[Division]) -> list[Figure]:
    """Return how often printed and hidden figure agree, over all divisions and of each table."""
    groups = {"all tables": divisions}
    for division in divisions:
        groups.setdefault(division.name, []).append(division)
    measured = []
    for name, part in groups.items():
        agree = np.mean([item.distance <= 1.96 for item in part])
        optimism = np.mean([item.printed - item.hidden for item in part])
        error = 100 * (agree * (1 - agree) / len(part)) ** 0.5
        how = f"{len(part)} divisions, Monte Carlo error {error:.1f}; printed minus hidden {optimism:+.3f} on average"
        bar = {"at_least": 93} if name == "all tables" else {}
        measured.append(Figure(f"{name}: printed and hidden agree", 100 * agree, how, unit="%", **bar))
    return measured
