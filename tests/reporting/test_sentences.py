"""Each generated sentence with a figure or a claim, held against the artefacts that it speaks of."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from pipeline import evaluate, external, holdout, learning_curve, select_best, sites
from pipeline.core import artifacts
from pipeline.data.dataset import Dataset
from pipeline.reporting import limits, model_card, results, results_section, tripod_ai
from pipeline.reporting.page import render
from tests.helpers.claims import unproven
from tests.helpers.grouped import grouped, project
from tests.helpers.models import KERAS_NOISE, mixed, write_params
from tests.helpers.page_projects import make_comparison
from tests.helpers.reports import MODELS, Page, describe_data
from tests.reporting.conftest import make_drawn

pytestmark = pytest.mark.filterwarnings(KERAS_NOISE)
FIGURE = r"(\d\.\d{3})"


@pytest.fixture
def study(rows):
    """The study of the table project."""
    return results.read("t")


def numbers(pattern, text):
    """Return the numbers that a pattern finds in a text."""
    return [float(number) for number in re.search(pattern, text).groups()]


def test_verdict_and_promise_have_the_figures_of_the_selection(study):
    chosen = artifacts.read_json("reports/t/selection.json")
    scores = chosen["scores"]
    assert numbers(rf"selected \(ROC AUC {FIGURE}\)", study.verdict) == [round(scores[chosen["winner"]], 3)]
    shown = numbers(rf"{chosen['runner_up']} \({FIGURE}, difference (-?\d\.\d+) \[(.+?), (.+?)\]", study.verdict)
    expected = [scores[chosen["runner_up"]], chosen["difference"], *chosen["difference_ci"]]
    assert shown == pytest.approx(expected, abs=6e-4)
    assert "wins" not in study.verdict
    assert ("tied with" in study.verdict) == bool(chosen["tied"])
    assert ("best ROC AUC" in study.verdict) == (chosen["winner"] == max(scores, key=scores.get))
    promised = numbers(rf"ROC AUC {FIGURE} \[{FIGURE}, {FIGURE}\]", chosen["promise"])
    assert promised == pytest.approx([chosen["expected"]["figure"], *chosen["expected"]["ci"]], abs=6e-4)


def test_rule_that_is_told_is_the_rule_that_was_followed(study):
    chosen = artifacts.read_json("reports/t/selection.json")
    compared = [
        model for model in study.task.models if chosen["scores"][model] >= max(chosen["scores"].values()) - 0.01
    ]
    losses = {model: artifacts.read_json(f"reports/t/cv/{model}.json")["log_loss"] for model in compared}
    assert chosen["compared"] == compared
    assert chosen["lowest"] == min(losses, key=losses.get)
    assert chosen["winner"] in compared[: compared.index(chosen["lowest"]) + 1]


def test_checklist_claims_only_what_was_done(study):
    answers = {row.number: row.answer for row in tripod_ai.checklist(study)}
    assert f"selected out of {len(study.board)} models" in answers["12c"]
    assert "best of" not in answers["12c"]
    assert "except for the expected calibration error" in answers["12e"]
    assert "ece" not in study.cv.ci
    coverage = Path(f"reports/t/figures/{study.winner}/coverage.csv")
    assert "low" not in coverage.read_text().splitlines()[0]
    shown = numbers(rf"test {FIGURE} \[{FIGURE}, {FIGURE}\]", answers["23a"])
    assert shown == pytest.approx([study.test["roc_auc"], *study.test.ci["roc_auc"]], abs=6e-4)


def test_counts_in_sentences_are_those_of_the_data(study):
    dev = Dataset.load(Path("data/t/dev.npz"))
    card = dict(model_card.card(study))
    assert card["Training data"] == [f"{len(dev.y)} rows of {len(set(dev.group))} groups; see Data and Split."]
    assert results_section.n_mistakes(study) == len(dev.y) - round(study.cv["accuracy"] * len(dev.y))
    text = " ".join(limits.limits(study))
    tied = study.selection.tied
    assert ("Not distinguishable from the champion" in text) == bool(tied)
    assert all(model in text for model in tied)
    assert ("not better than guessing" in text) == bool(study.selection.warning)


def test_decision_sentence_names_the_rule_in_use(study):
    rule = study.bundle.rule
    assert f"at a probability of {rule.threshold:g} or more" in model_card.decides(study)
    decided = study.proba[:, 1] >= rule.threshold
    assert np.mean(decided == (study.dev.y == 1)) == pytest.approx(study.cv["accuracy"], abs=1e-6)


def test_page_says_what_intervals_are_about(study):
    text = Page(render("t")).text
    assert "95 % intervals for new patients like these" in text
    assert study.selection.promise[1:] in text


def test_every_sentence_of_a_table_holds(study):
    assert not unproven(study, render("t"))


def test_every_sentence_of_images_holds(drawn, monkeypatch):
    monkeypatch.chdir(drawn)
    assert not unproven(results.read("t"), render("t"))


def test_every_sentence_holds_with_sites_and_a_threshold(rows):
    point = {"target_sensitivity": 0.9, "prevalence": 0.1, "threshold_range": [0.1, 0.4]}
    write_params(MODELS, subgroups={"age": [50]}, site="site", operating_point=point)
    sites.main("t")
    evaluate.main("t")
    for stage in (select_best, learning_curve, holdout):
        stage.main("t")
    assert not unproven(results.read("t"), render("t"))


def describe_rows():
    """Write what scan, audit and split would have of the table task in the current folder."""
    n = {subset: len(Dataset.load(Path(f"data/t/{subset}.npz")).y) for subset in ("dev", "test")}
    describe_data("table", {subset: [f"{subset} {row}" for row in range(n[subset])] for subset in n})


@pytest.mark.parametrize("unit", ["sample", "group"])
def test_every_sentence_of_groups_holds(unit, empty_folder):
    project(empty_folder, unit=unit, operating_point={"target_sensitivity": 0.8})
    learning_curve.main("t")
    describe_rows()
    assert not unproven(results.read("t"), render("t"))


def test_every_sentence_of_external_rows_holds(rows):
    there, y = mixed(60, seed=9)
    both = pd.concat([there, pd.read_csv("data/t/scan/columns.csv")[:3]], ignore_index=True)
    names = Dataset.load(Path("data/t/dev.npz")).classes
    both["label"] = [*(names[k] for k in y[:-1]), "unsure", *names, names[0]]
    page = render_elsewhere(both, {})
    assert "<b>3 of 63 duplicate" in page
    assert not unproven(results.read("t"), page)


def test_every_sentence_of_external_groups_holds(empty_folder):
    project(empty_folder, unit="group")
    learning_curve.main("t")
    describe_rows()
    there = grouped(seed=9)
    patients = [f"there {group}" for group in there.group]
    table = there.X("columns").assign(patient=patients, label=[there.classes[k] for k in there.y])
    page = render_elsewhere(table, {"group": "patient"})
    assert "ROC AUC per group <b>" in page
    assert not unproven(results.read("t"), page)
    path = "reports/t/external/there.json"
    artifacts.write_json(path, moved(artifacts.read_json(path)))
    wrong = " ".join(unproven(results.read("t"), page))
    assert "does not hold: On there (external data): ROC AUC per group" in wrong
    assert "does not hold: Observed share of malignant per group" in wrong


def render_elsewhere(table: pd.DataFrame, read: dict[str, str]) -> str:
    """Score the champion on rows of another source, and return the report."""
    table.to_csv("there.csv", index=False)
    known = yaml.safe_load(Path("params.yaml").read_text())
    known["external"] = {"there": {"task": "t", "raw": "there.csv", "read": read}}
    Path("params.yaml").write_text(yaml.safe_dump(known))
    external.main("there")
    return render("t")


def test_every_sentence_of_four_classes_holds(empty_folder):
    make_comparison(4)
    describe_rows()
    assert not unproven(results.read("t"), render("t"))


def test_every_sentence_of_images_with_columns_holds(empty_folder, tmp_path_factory):
    make_drawn(tmp_path_factory.getbasetemp(), "embedding+columns")
    assert not unproven(results.read("t"), render("t"))


@pytest.mark.parametrize("file", ["selection", "cv/line", "test/line", "learning_curve"])
def test_sentence_with_another_figure_does_not_hold(rows, file):
    page, path = render("t"), f"reports/t/{file}.json"
    content = artifacts.read_json(path)
    artifacts.write_json(path, moved(content))
    assert [line for line in unproven(results.read("t"), page) if line.startswith("does not hold")]


def moved(content):
    """Return JSON with every number between -1 and 1 moved."""
    if isinstance(content, dict):
        return {key: moved(value) for key, value in content.items()}
    if isinstance(content, list):
        return [moved(value) for value in content]
    return content / 2 if isinstance(content, float) and 0 < abs(content) < 1 else content
