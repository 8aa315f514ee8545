"""The champion of what `init_task` proposes against scikit-learn's defaults, on public tables and those of scikit-learn.

A division hides a fifth of the groups; four draws of five folds make twenty. On the rest the project's own functions cross-fit,
tune, calibrate and select as the stages do; scikit-learn's defaults are fitted. All are scored by log loss on the hidden fifth.

It writes the last section of `benchmarks/tables.md`. Resumable: divisions that are in the file of results are not made again.
"""

import csv
import sys
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from sklearn import datasets
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from benchmarks import figures
from benchmarks.figures import DATA, HERE, RESULTS, Figure
from pipeline.core import params
from pipeline.core.params_models import ModelParams, OperatingPointParams
from pipeline.data import tables
from pipeline.data.dataset import Dataset
from pipeline.estimators._protocol import get_estimator
from pipeline.evaluation import calibration
from pipeline.evaluation.candidates import ComparedModel, resample
from pipeline.evaluation.scoring import assess
from pipeline.evaluation.selection import select
from pipeline.prediction.decision_rule import DecisionRule, calibrate, decide
from pipeline.tasks.propose import make_models
from pipeline.training.cross_fit import cross_fit, probabilities

ROWS, PAGE = RESULTS / "tables.csv", HERE / "tables.md"
SECTION = "## The champion against scikit-learn's defaults\n"
DRAWN, FOLDS, DRAWS, SEED = 4, 5, 200, 7
PUBLIC = {  # the column of the label, None for the last one
    "blood_transfusion.csv": "donated",
    "breast_wisconsin_original.csv": "class",
    "dermatology_no_header.csv": None,
    "heart.csv": "target",
    "kidney.csv": None,
    "mammographic_masses.csv": None,
    "pima_no_header.csv": None,
    "stroke_4000.csv": "stroke",
}
OF_SKLEARN = ("breast_cancer", "wine", "iris", "diabetes", "digits")
GROUPS = {"breast_wisconsin_original.csv": "id"}  # patients who are there more than once
OURS = "champion"


def load(name: str) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Return the features, the classes int (n,) and the groups str (n,) of a table."""
    if name in OF_SKLEARN:
        bunch = getattr(datasets, f"load_{name}")()
        X = pd.DataFrame(bunch.data, columns=[f"x{k}" for k in range(bunch.data.shape[1])])
        y = bunch.target > np.median(bunch.target) if name == "diabetes" else bunch.target
        return X, np.asarray(y).astype(int), np.arange(len(y)).astype(str)
    text = tables.read_csv(DATA / "tables" / name, header="none" if "no_header" in name else "first")
    label = PUBLIC[name] or text.columns[-1]
    text = text[text[label].str.strip() != ""].reset_index(drop=True)
    group = text[GROUPS[name]] if name in GROUPS else pd.Series(range(len(text)))
    X = tables.typed(text.drop(columns=[label, *(column for column in text if column == "id")]))
    return X, np.unique(text[label].str.strip(), return_inverse=True)[1], group.astype(str).to_numpy()


def defaults(X: pd.DataFrame) -> dict[str, Any]:
    """Return scikit-learn's classifiers with their defaults, by name, behind what the columns of X need."""
    numbers = make_column_selector(dtype_include=np.number)
    categories = make_column_selector(dtype_exclude=np.number)
    encode = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    scale = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    scaled = make_column_transformer((scale, numbers), (encode, categories))
    plain = make_column_transformer(("passthrough", numbers), (encode, categories))
    return {
        "LogisticRegression": make_pipeline(scaled, LogisticRegression(max_iter=1000)),
        "RandomForestClassifier": make_pipeline(scaled, RandomForestClassifier(random_state=SEED)),
        "HistGradientBoostingClassifier": make_pipeline(plain, HistGradientBoostingClassifier(random_state=SEED)),
        "KNeighborsClassifier": make_pipeline(scaled, KNeighborsClassifier()),
    }


def folds_of(y: np.ndarray, group: np.ndarray, seed: int) -> np.ndarray:
    """Return the fold of each sample, int (n,)."""
    fold = np.zeros(len(y), int)
    for number, (_, held_out) in enumerate(
        StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed).split(y, y, group)
    ):
        fold[held_out] = number
    return fold


def champion(X: pd.DataFrame, dev: Dataset, X_hidden: pd.DataFrame) -> tuple[str, dict[str, np.ndarray]]:
    """Return the name of the model that the project selects, and the calibrated answers of each model for hidden rows."""
    answers, compared = {}, {}
    for name, block in make_models("t", "table", len(dev.y) * (FOLDS - 1) // FOLDS).items():
        model = ModelParams(**block)
        estimator = get_estimator(model.estimator)
        blocks = [params.parse(estimator.Params, own, name) for own in params.combinations(model.own)]
        fitted = cross_fit([partial(estimator.make_model, own, SEED, 1) for own in blocks], X, dev, 1, name, SEED)
        rule = DecisionRule(calibration=calibration.choose(dev, fitted.oof, DRAWS, SEED)[0])
        proba = calibrate(fitted.oof, rule)
        report = assess(dev, proba, decide(proba, rule), DRAWS, SEED, FOLDS)
        unseen = calibration.out_of_fold(dev, fitted.oof, rule)
        report.figures["log_loss"] = float(log_loss(dev.y, unseen, labels=range(len(dev.classes))))
        drawn = resample(dev, fitted.oof, rule, OperatingPointParams(), DRAWS, SEED)
        compared[name] = ComparedModel(report, drawn, model.estimator == "dummy")
        answers[model.estimator] = calibrate(probabilities(fitted.model, X_hidden), rule)
    winner = select(compared, "roc_auc", True, FOLDS, len(set(dev.group))).winner
    return winner.removeprefix("t-"), answers


def divide(name: str, division: int) -> dict[str, Any]:
    """Return the log losses on hidden rows: of the champion, of each proposed model and of each default."""
    X, y, group = load(name)
    draw, number = divmod(division, FOLDS)
    hidden = folds_of(y, group, draw) == number
    own, unseen = X[~hidden].reset_index(drop=True), X[hidden].reset_index(drop=True)
    ids, classes = np.flatnonzero(~hidden).astype(str), [str(k) for k in range(y.max() + 1)]
    fold = folds_of(y[~hidden], group[~hidden], 100 + draw)
    winner, answers = champion(own, Dataset(ids, ids, group[~hidden], y[~hidden], fold, classes, {}), unseen)
    answers |= {model: fitted.fit(own, y[~hidden]).predict_proba(unseen) for model, fitted in defaults(own).items()}
    losses = {model: log_loss(y[hidden], proba, labels=range(len(classes))) for model, proba in answers.items()}
    return {"table": name, "division": division, "selected": winner, OURS: losses[winner], **losses}


def add(row: dict[str, Any]) -> None:
    """Add a division to the file."""
    new = not ROWS.exists()
    with ROWS.open("a", encoding="utf-8", newline="") as file:
        out = csv.DictWriter(file, list(row), lineterminator="\n")
        if new:
            out.writeheader()
        out.writerow({key: round(value, 6) if isinstance(value, float) else value for key, value in row.items()})


def summarise(rows: pd.DataFrame) -> list[Figure]:
    """Return the mean log loss of the champion over that of the best default, and how often it is lower.

    The best default is chosen in hindsight, by the hidden rows themselves: of each table, or one for all tables.
    """
    models = list(defaults(pd.DataFrame({"x": [0.0]})))
    means = rows.groupby("table", sort=False)[[OURS, *models]].mean()
    best, number = means[models].min(axis=1), rows.groupby("table").size()
    every = f"log loss over that of the best default of each table, mean of {len(means)} tables"
    measured = [figures.ratio(every, means[OURS].mean(), best.mean(), unit="", at_most=1)]
    measured += [
        figures.ratio(f"{name}: log loss over the best default's", means.loc[name, OURS], best[name], unit="")
        for name in means.index
    ]
    how = f"of {len(means)} tables, {' to '.join(map(str, sorted({number.min(), number.max()})))} divisions each"
    of_all = means[models].mean().idxmin()

    def share(name: str, other: pd.Series) -> Figure:
        better = 100 * (means[OURS] < other).mean()
        return Figure(f"tables on which the champion is better than {name}", better, how, at_least=50, unit="%")

    return [
        share("the best default of each", best),
        share(f"the best default of all, {of_all}", means[of_all]),
        *measured,
    ]


def section(rows: pd.DataFrame) -> str:
    """Return the last section of the page: each model's mean log loss on each table, and how often each was selected."""
    models = [name for name in rows.columns[3:] if name not in (OURS, "dummy")]
    lines = [
        f"| table | divisions | **champion** | {' | '.join(models)} | selected |",
        "|---" * (len(models) + 4) + "|",
    ]
    for name, part in rows.groupby("table", sort=False):
        means = part[[OURS, *models]].mean()
        chosen = ", ".join(f"{model} {n}" for model, n in part["selected"].value_counts().items())
        cells = [f"{value:.3f}" for value in means]
        lines.append(f"| {name} | {len(part)} | **{cells[0]}** | {' | '.join(cells[1:])} | {chosen} |")
    return "\n".join([SECTION, __doc__.split("\n\n")[1].replace("\n", " "), "", *lines]) + "\n"


def main() -> None:
    """Make what is missing of the divisions and write the figures; names of tables on the command line limit it to these."""
    if not (DATA / "tables").is_dir():
        sys.exit(f"{DATA / 'tables'} is missing: the public tables are no part of the project")
    for division in range(DRAWN * FOLDS):
        for name in sys.argv[1:] or [*PUBLIC, *OF_SKLEARN]:
            done = pd.read_csv(ROWS) if ROWS.exists() else pd.DataFrame({"table": [], "division": []})
            if not ((done["table"] == name) & (done["division"] == division)).any():
                add(divide(name, division))
    rows = pd.read_csv(ROWS)
    page = PAGE.read_text(encoding="utf-8").split(SECTION)[0]
    PAGE.write_text(page + section(rows), encoding="utf-8")
    figures.save("tables", "Log loss of the champion against scikit-learn's defaults", summarise(rows))


if __name__ == "__main__":
    main()
