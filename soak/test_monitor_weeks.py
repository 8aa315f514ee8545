"""Which changes the monitor notices in weeks of 150 rows, and how often it is wrong about weeks without one.

Four champions, each trained on 400 patients by the project's stages, are shown 40 weeks of each kind. A week is noticed if the
verdict is shifted or unlike. Counts are those of the Predictor: tests/monitoring/test_histograms.py holds both against each
other.
"""

from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest

from benchmarks import figures
from benchmarks.figures import Figure
from pipeline import evaluate, train
from pipeline.core.paths import TaskPaths
from pipeline.data.dataset import Dataset
from pipeline.monitoring import baseline, drift, histograms
from pipeline.monitoring.histograms import Tally
from pipeline.prediction import ood_tables
from pipeline.prediction.decision_rule import DecisionRule, calibrate, decide
from pipeline.training.candidate import Candidate
from tests.helpers.models import dataset, folder_of, write_params

N, ROWS, CHAMPIONS, WEEKS, WITHOUT = 400, 150, 4, 10, 50  # weeks of each kind, and without a change, for each champion
UNITS = {
    "weight": lambda kilograms: kilograms * 2.2046,
    "height": lambda centimetres: centimetres / 2.54,
    "glucose": lambda mg_dl: mg_dl / 18.0,
    "creatinine": lambda mg_dl: mg_dl * 88.4,
    "temperature": lambda celsius: celsius * 1.8 + 32,
}
VALUES = (("sex", "m"), ("ward", "b"), ("smoker", "yes"), ("ward", "Q"))  # the last is one that training never saw


def patients(rng: np.random.Generator, n: int, prevalence: float = 0.3) -> tuple[pd.DataFrame, np.ndarray]:
    """Return n patients and who of them is ill."""
    y = (rng.random(n) < prevalence).astype(int)
    table = pd.DataFrame(
        {
            "age": (55 + 8 * y + 12 * rng.normal(size=n)).round(),
            "weight": (78 + 6 * y + 14 * rng.normal(size=n)).round(1),
            "height": (170 + 9 * rng.normal(size=n)).round(),
            "glucose": np.exp(4.6 + 0.25 * y + 0.25 * rng.normal(size=n)).round(),
            "creatinine": np.exp(-0.1 + 0.3 * y + 0.3 * rng.normal(size=n)).round(2),
            "temperature": (36.8 + 0.2 * y + 0.4 * rng.normal(size=n)).round(1),
            "sex": rng.choice(["f", "m"], n).astype(object),
            "ward": rng.choice(["a", "b", "c"], n, p=[0.5, 0.3, 0.2]).astype(object),
            "smoker": np.where(rng.random(n) < 0.25 + 0.2 * y, "yes", "no").astype(object),
        }
    )
    for name in ("glucose", "weight"):
        table.loc[rng.random(n) < 0.05, name] = np.nan
    table.loc[rng.random(n) < 0.1, "smoker"] = ""
    return table, y


def changed(kind: str, table: pd.DataFrame, rng: np.random.Generator, which: int) -> pd.DataFrame:
    """Return a week's rows after a change of a kind."""
    table = table.copy()
    if kind == "a column without a value":
        name = table.columns[which % len(table.columns)]
        table[name] = np.nan if table[name].dtype == np.float64 else ""
    elif kind == "a category with another value":
        name, value = VALUES[which % len(VALUES)]
        table[name] = value
    elif kind == "a tenth of the rows in another unit":
        name = list(UNITS)[which % len(UNITS)]
        rows = rng.random(len(table)) < 0.1
        table.loc[rows, name] = UNITS[name](table.loc[rows, name])
    return table


class Champion:
    """A champion with its reference, in memory."""

    def __init__(self, folder: Path, seed: int):
        with folder_of(folder):
            write_params({"line": {"estimator": "logreg"}})
            dataset(*patients(np.random.default_rng(seed), N)).save(Path("data/t/dev.npz"))
            train.main("line")
            evaluate.main("t")
            candidate = TaskPaths("t").candidate("line")
            self.rule, self.candidate = DecisionRule.read("t", "line"), Candidate.read(candidate)
            self.classes = Dataset.read("t", "dev").classes
            self.reference = baseline.count_out_of_fold(Dataset.read("t", "dev"), candidate, self.rule)
            self.model = joblib.load(candidate / "model.joblib")

    def serve(self, table: pd.DataFrame) -> Tally:
        """Return the counts of some rows."""
        distance, components = ood_tables.distances_and_components(table, self.candidate.schema)
        proba = calibrate(np.asarray(self.model.predict_proba(table), float), self.rule)
        far = distance / self.rule.refusal
        tally = histograms.count_predictions(self.classes, decide(proba, self.rule), proba, far, components, far > 1)
        for field in self.candidate.schema:
            if field.choices is not None:
                counts = table[field.name].value_counts()
                known = {str(value): int(n) for value, n in counts.items() if value == "" or value in field.choices}
                tally.categories[field.name] = known
                if sum(known.values()) < len(table):
                    tally.new_categories[field.name] = len(table) - sum(known.values())
        return tally

    def notices(self, weeks: list[Tally]) -> bool:
        """Return whether the last of some weeks is noticed."""
        return drift.compare(weeks, self.reference, "table").verdict in ("shifted", "unlike")


@pytest.fixture(scope="module")
def champions(tmp_path_factory) -> list[Champion]:
    """The champions, each of its own patients."""
    return [Champion(tmp_path_factory.mktemp("champion"), seed) for seed in range(CHAMPIONS)]


def week(champion: Champion, *seed: int, prevalence: float = 0.3) -> Tally:
    """Return the counts of a week without a change."""
    return champion.serve(patients(np.random.default_rng(seed), ROWS, prevalence)[0])


def noticed(champions: list[Champion], kind: str, weeks: int) -> float:
    """Return in how many of 40 weeks of a kind, each after two without a change, something is noticed."""
    hits = []
    for number, champion in enumerate(champions):
        for which in range(weeks):
            rng = np.random.default_rng([number, which, 7])
            rows = changed(kind, patients(rng, ROWS)[0], rng, which)
            before = [week(champion, number, which, k, 9) for k in (1, 2)]
            hits.append(champion.notices([*before, champion.serve(rows)]))
    return 40 * float(np.mean(hits))


def noticed_within_three_weeks(champions: list[Champion]) -> float:
    """Return in how many of 40 times a prevalence of .5 instead of .3 is noticed within three weeks."""
    hits = []
    for number, champion in enumerate(champions):
        for which in range(WEEKS):
            weeks = [week(champion, number, which, k, 5) for k in (1, 2)]
            weeks += [week(champion, number, which, k, 6, prevalence=0.5) for k in range(3)]
            hits.append(any(champion.notices(weeks[end - 3 : end]) for end in (3, 4, 5)))
    return 40 * float(np.mean(hits))


def test_changes_are_noticed_and_weeks_without_one_are_not(champions):
    kinds = ("a column without a value", "a category with another value", "a tenth of the rows in another unit")
    how = f"of 40 weeks of {ROWS} rows, {CHAMPIONS} champions trained on {N}"
    rows = [Figure(f"{kind}: noticed", noticed(champions, kind, WEEKS), how, at_least=36) for kind in kinds]
    rows.append(
        Figure(
            "prevalence .3 to .5: noticed within three weeks", noticed_within_three_weeks(champions), how, at_least=36
        )
    )
    alarms = 100 * noticed(champions, "no change", WITHOUT) / 40
    rows.append(Figure("weeks without a change: noticed", alarms, f"of {CHAMPIONS * WITHOUT}", at_most=6, unit="%"))
    figures.save("soak_monitor_weeks", "Which changes the monitor notices", rows, command="make soak")
    assert [row for row in rows if not row.passed] == []
