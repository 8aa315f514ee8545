"""README, changelog and docs say what the committed artefacts say, and no figure that is from none.

`stated` lists each sentence that holds a figure, as a template, with where its numbers come from; whatever else looks like a
figure fails the test: state it there, or leave it out.
"""

import itertools
import math
import re
from pathlib import Path
from typing import Any

import pytest

from app import recorder
from pipeline.core import artifacts, params, params_models
from pipeline.evaluation import operating_point
from pipeline.leaderboard import board
from pipeline.prediction import ood_images
from pipeline.stats import intervals
from pipeline.training import tuning

ROOT = Path(__file__).resolve().parents[1]
FIGURE = re.compile(
    r"(?<![\w.])(?:\d*\.\d+|\d[\d,]*(?= ?(?:%|×|times\b|(?:m?s|min|minutes|[kMG]B|fits|requests/s)\b)))"
)
CODE = re.compile(r"```.*?```|<!-- leaderboard -->.*?<!-- /leaderboard -->|`[^`]*`|https?://\S+|\(\S+\)", re.DOTALL)


def figures(file: str) -> dict[str, dict[str, Any]]:
    """Return the committed figures of a benchmark or soak test by what they are of."""
    return {one["what"]: one for one in artifacts.read_json(ROOT / f"benchmarks/results/{file}.json")["figures"]}


def value(file: str, what: str, scale: float = 1) -> float:
    """Return a committed figure, times `scale`."""
    return figures(file)[what]["value"] * scale


def told(file: str, what: str, pattern: str) -> tuple[float, ...]:
    """Return the numbers that the words beside a committed figure give at the groups of `pattern`."""
    found = re.search(pattern, figures(file)[what]["how"])
    return tuple(float(number) for number in found.groups())


def reach(values: list[float]) -> tuple[int, int]:
    """Return the whole numbers around the least and the largest."""
    return math.floor(min(values)), math.ceil(max(values))


def covered(of: str) -> list[float]:
    """Return in how many percent of simulations the intervals of a metric, "" for all but ece, hold the truth."""
    named = {what: one["value"] for what, one in figures("soak_coverage").items()}
    return [share for what, share in named.items() if (what.endswith(": ece") if of else not what.endswith(": ece"))]


def python_versions() -> tuple[str, str]:
    """Return the least and the last Python that pyproject.toml allows."""
    low, above = re.search(r'requires-python = ">=(3\.\d+),<3\.(\d+)"', (ROOT / "pyproject.toml").read_text()).groups()
    return low, f"3.{int(above) - 1}"


def stated() -> dict[str, list[tuple[str, tuple]]]:
    """Return by file each sentence that holds figures, as a template, and the figures."""
    level, audit_all, beyond = intervals.LEVEL * 100, "soak_audit_all", "beyond"
    planted, away = "soak_audit_planted", "soak_elsewhere"
    threshold = operating_point.choose(None, None, params_models.OperatingPointParams())["threshold"]
    readme = [
        ("needs Python {} to {}, make and git", python_versions()),
        ("figures with {:.0f} % intervals, from out-of-fold", (level,)),
        ("of the training data {:g} % lie as far off", (round((1 - ood_images.QUANTILE) * 100, 3),)),
        ("(three values in five folds: {} fits instead of {})", (tuning.n_fits(3, 5), tuning.n_fits(1, 5))),
        ("decided from a probability of {:g} on", (threshold,)),
        ("figures and curves with {:.0f} % intervals", (level,)),
        (
            "each posting a picture and waiting {:.0f} to {:.0f} s",
            told("serve", "Locust, 50 users: median", r"each waiting (\d+) to (\d+) s"),
        ),
        (
            "on a host with {} MB",
            re.search(r'memory = "(\d+)mb"', (ROOT / "fly.toml").read_text(encoding="utf-8")).groups(),
        ),
        ("is all that serving needs: {:.0f} MB", (value("soak_slim_set", "after deploy/slim.sh"),)),
        ("the {:.0f} % interval has to rule out", (level,)),
        (
            "about {:.0f} s a stage to start and connect",
            (value(beyond, "Dask: a scan on a cluster takes longer than here by"),),
        ),
        ("a server to keep, of {:.1f} GB with", (value(beyond, "MLflow server: memory", 0.001),)),
        (
            "takes {:.1f} times as long",
            (value(beyond, "MLflow server: track of ten new models against the local store"),),
        ),
        (
            "the demo's take {:.0f} MB and come back in {:.0f} % of the time",
            (
                value(beyond, "DVC remote: room for the demo's outputs"),
                value(beyond, "DVC remote: pull and repro in a second copy against a first run", 100),
            ),
        ),
    ]
    changelog = [
        (
            "{:.1f} % of {:,.0f} planted copies",
            (
                value(planted, "ham10000: planted copies found"),
                *told(planted, "ham10000: planted copies found", r"of (\d+) "),
            ),
        ),
        (
            "for {:.0f} to {:.0f} s of processor time per 1,000 pictures",
            (
                value(audit_all, "ham10000, 8035: CPU seconds per 1,000 images"),
                value("audit", "chest_ct: CPU seconds per 1,000 images"),
            ),
        ),
        ("three values in five folds cost {} fits instead of", (tuning.n_fits(3, 5),)),
        (
            "at {:.1f} times the cost of a prediction",
            (value("explain", "explained against plain prediction, mobilenetv2 on embedding, exact map"),),
        ),
        (
            "Every figure has a {:.0f} % interval that covers the truth in {} to {} % of simulations",
            (level, *reach(covered(""))),
        ),
        ("(of the calibration error {} to {} %)", reach(covered("ece"))),
        (
            "and {:.0f} % of held-out dermoscopy",
            ((1 - value("soak_refusal", "held-out dermoscopy")) * 100,),
        ),
        (
            "the ROC AUC fell from {:.2f} to {:.2f} on the other half",
            (value(away, "roc_auc, internal test"), value(away, "roc_auc on the other half")),
        ),
    ]
    both = [f"{name}: roc_auc, age, sex and place beside the picture" for name in ("logreg", "knn", "random_forest")]
    gains = [
        number
        for what in both
        for number in (value("soak_columns", what), *told("soak_columns", what, r"paired, ([-+.\d]+) to ([-+.\d]+)"))
    ]
    left = value("soak_columns", "logreg: roc_auc, left out: all sites")
    before = told("soak_columns", "logreg: roc_auc, left out: all sites", r"out of fold ([\d.]+)")
    readme += [
        (
            "raise the ROC AUC of a logistic regression by {:.3f} [{:.3f}, {:.3f}], of KNN by {:.3f} [{:.3f}, {:.3f}], "
            "of a forest by {:.3f} [{:.3f}, {:.3f}]",
            tuple(gains),
        ),
        ("the ROC AUC of a logistic regression falls from {:.2f} to {:.2f} at a site", (*before, left)),
        ("over all photos it looked like {:.2f}", told("soak_columns", both[0], r"([\d.]+) without")),
        (
            "fell from {:.2f} to {:.2f} on the other two",
            (value(away, "roc_auc, internal test"), value(away, "roc_auc on the other half")),
        ),
    ]
    unlike = "rosendahl: unlike; answered malignant"
    readme += [
        ("with intervals that hold together in {:.0f} % of cases", (level,)),
        (
            "in {:.0f} % of pairs, and {:.0f} % are answered malignant against {:.0f} %",
            (
                value("soak_notice", "rosendahl: unlike; pairs, strongest direction", 100),
                value("soak_notice", unlike, 100),
                told("soak_notice", unlike, r"training ([.\d]+)")[0] * 100,
            ),
        ),
        ("is added to every {} s", (recorder.EVERY,)),
        ("loses its last {} s at most", (recorder.EVERY,)),
    ]
    docs = [
        (
            "{:.1f} %; of the worst kind (quality 40 alone) {:.0f} %",
            (value(planted, "ham10000: planted copies found"), value(planted, "ham10000: the worst kind")),
        ),
        (
            "{:.0f} pairs across lesion ids, see below; {:.0f} s of processor time per 1,000, {:.0f} MB at the peak",
            tuple(
                value(audit_all, f"ham10000, 8035: {what}")
                for what in ("pairs across lesion ids", "CPU seconds per 1,000 images", "peak memory")
            ),
        ),
        (
            "{:.0f} and {:.0f} s of processor time per 1,000 pictures",
            tuple(value("audit", f"{data}: CPU seconds per 1,000 images") for data in ("chest_ct", "lung_histology")),
        ),
        (
            "{:.0f} s of processor time: reading what is known of all",
            (value(audit_all, "ham10000, 8035: CPU seconds after one image was added"),),
        ),
    ]
    return {"README.md": readme, "CHANGELOG.md": changelog, "docs/audit.md": docs}


def prose(file: str) -> str:
    """Return the text of a page without code, in one line; of docs/audit.md the table of what was measured."""
    text = (ROOT / file).read_text(encoding="utf-8")
    if file == "docs/audit.md":
        text = text.partition("## What was measured")[2].partition("\nWhat the sheets showed")[0]
    return " ".join(CODE.sub("", text).split())


@pytest.mark.parametrize("file", stated())
def test_every_figure_in_the_text_is_that_of_a_committed_artefact(file):
    text = prose(file)
    for template, numbers in stated()[file]:
        said = template.format(*numbers)
        assert said in text, f"{file} has not: {said}"
        text = text.replace(said, "")
    rest = [f"... {text[max(0, at.start() - 60) : at.end() + 20]} ..." for at in FIGURE.finditer(text)]
    assert not rest, f"{file}: figures from no artefact that `stated` lists: {rest}"


@pytest.mark.parametrize("figure", ["0.91", ".5", "12 %", "3 s", "40 ms", "175 requests/s", "2 times", "1,200 MB"])
def test_a_new_figure_would_be_noticed(figure):
    assert FIGURE.search(f"It takes {figure} now.")
    assert not FIGURE.search("50 users, 1,280 numbers, version v1.2, Table 3.")


@pytest.fixture(scope="module")
def readme() -> str:
    return (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_leaderboard_is_that_of_the_committed_reports(readme):
    shown = re.search(r"<!-- leaderboard -->\n```\n(.*?)```\n<!-- /leaderboard -->", readme, re.DOTALL).group(1)
    tasks = params.load(ROOT / "params.yaml")["tasks"]
    assert shown == "\n".join(board(task, ROOT) for task in tasks)


def test_the_drawn_graph_is_that_of_dvc_yaml(readme):
    import networkx
    from dvc.repo import Repo

    with Repo(str(ROOT)) as repo:
        edges = {(b.addressing.split("@")[0], a.addressing.split("@")[0]) for a, b in repo.index.graph.edges()}
    graph = networkx.transitive_reduction(networkx.DiGraph(edges))
    drawn = re.search(r"flowchart LR\n(.*?)```", readme, re.DOTALL).group(1)
    chains = [line.split("-->") for line in drawn.strip().splitlines()]
    arrows = {(a.strip(), b.strip()) for chain in chains for a, b in itertools.pairwise(chain)}
    assert arrows == set(graph.edges())


def test_every_make_target_and_file_that_the_docs_name_exists(readme):
    text = readme + (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"(?:^|`)make ([a-z]+)", text, re.MULTILINE)) <= targets
    for module in re.findall(r"python -m (pipeline\.\w+)", text):
        assert (ROOT / (module.replace(".", "/") + ".py")).is_file(), module
