"""The champion's model card (Mitchell et al. 2019, "Model cards for model reporting"), and its limits, from what stages wrote.

What no artefact can know is left to the author, and says so.
"""

import json
from pathlib import Path

from pipeline.core import paths
from pipeline.data.image_with_columns import asked_for
from pipeline.data.images import FORMATS, MIN_SIDE
from pipeline.evaluation import test_set_evaluations
from pipeline.evaluation.metric_names import NAMES
from pipeline.reporting.results import Study
from pipeline.reporting.results_section import external, sites, subgroups

AUTHOR = "For the author"
EVENTS = 100  # of a class, below which an evaluation says little (Vergouwe et al. 2005; Collins et al. 2016)


def card(study: Study) -> list[tuple[str, list[str]]]:
    """Return the card's parts as (title, sentences)."""
    bundle, test, cv = study.bundle, study.test[study.winner], study.cv[study.winner]
    options = ", ".join(f"{name} {json.dumps(value)}" for name, value in bundle["hyperparameters"].items())
    versions = ", ".join(f"{name} {value}" for name, value in bundle["versions"].items())
    groups = subgroups(study)
    columns = sorted({row["column"] for row in groups})
    return [
        (
            "Model details",
            [
                f"{study.winner}: {bundle['estimator']} ({options}).",
                f"Made with {versions}.",
                f"{AUTHOR}: who made it and whom to ask, licence, how to cite it.",
            ],
        ),
        (
            "Intended use",
            [
                f"To tell apart {', '.join(study.classes)}; any other finding is none of its answers.",
                accepted(study),
                "Research use; it is not a medical device.",
                f"{AUTHOR}: who shall use it, at which point of care, and for whom it is not meant.",
            ],
        ),
        (
            "Factors",
            [
                f"Judged by subgroups of {', '.join(columns)}."
                if columns
                else "No subgroup was named (select.subgroups), so none was judged.",
                f"{AUTHOR}: which other groups, instruments and places matter.",
            ],
        ),
        ("Metrics", [chosen_by(study), decides(study), calibrated(study)]),
        (
            "Training data",
            [f"{cv['counts']['n']} {study.what}s of {cv['counts']['n_groups']} groups; see Data and Split."],
        ),
        (
            "Evaluation data",
            [
                f"{test['counts']['n']} {study.what}s of {test['counts']['n_groups']} groups, from the same source, opened after "
                "the choice; see Split."
            ],
        ),
        ("Ethical considerations", [f"{AUTHOR}: consent, what a wrong answer does to a patient, who may be harmed."]),
    ]


def accepted(study: Study) -> str:
    """Return what the model takes, and what it refuses."""
    if study.task.kind == "image":
        columns = asked_for(study.bundle)
        beside = f", and beside the picture {', '.join(columns)}; each may be unknown" if columns else ""
        return (
            f"It takes {', '.join(FORMATS)} from {MIN_SIDE} px a side{beside}. A picture unlike the training data is refused: "
            f"{share(study.cv[study.winner]['refused'])} of the development set, {share(study.test[study.winner]['refused'])} of "
            "the test set."
        )
    n = len(study.bundle["schema"])
    return (
        f"It takes rows of {n} columns. A row with a number far outside of what training saw is refused: "
        f"{share(study.cv[study.winner]['refused'])} of the development set, {share(study.test[study.winner]['refused'])} of the "
        "test set."
    )


def chosen_by(study: Study) -> str:
    """Return by which figure the champion was chosen."""
    return f"Chosen by {NAMES[study.metric]} out of fold. {study.selection['rule']}"


def decides(study: Study) -> str:
    """Return how a probability becomes an answer."""
    rule = study.bundle["decision"]
    if not study.dev.positive:
        return "The most probable class is decided."
    reason = f", chosen out of fold for {rule['chosen_for']}" if rule["chosen_for"] else ", the default"
    return f"From a probability of {rule['threshold']:g} on the decision is {study.dev.positive}{reason}."


def calibrated(study: Study) -> str:
    """Return whether probabilities were calibrated, and what that did."""
    how = study.cv[study.winner]["calibration"]
    if how["method"] == "none":
        tried = (
            f" {how['tried']} was tried, and did not make the Brier score better out of fold."
            if how.get("tried")
            else ""
        )
        return f"Probabilities are the model's own.{tried}"
    before, after = (how[when]["brier_score_loss"] for when in ("before", "after"))
    return f"Probabilities are calibrated ({how['method']}): Brier score {before:.3f} before, {after:.3f} after, out of fold."


def share(value: float) -> str:
    """Return a share in percent."""
    return f"{value:.1%}"


def limits(study: Study) -> list[str]:
    """Return what a reader has to bear in mind, a sentence each."""
    test, cv = study.test[study.winner], study.cv[study.winner]
    said = []
    if Path(study.task.raw).is_relative_to(paths.DEMO):
        said.append(
            "The data are those that come with the software for demonstration: the figures show that the method works."
        )
    few = {name: sum(row.values()) for name, row in test["counts"]["confusion"].items()}
    few = {name: n for name, n in few.items() if n < EVENTS}
    if few:
        names = ", ".join(f"{name} {n}" for name, n in few.items())
        said.append(
            f"The test set holds fewer than {EVENTS} {study.what}s of a class ({names}): its intervals are wide, and tell more "
            "than its figures."
        )
    if study.looks > 1:
        said.append(
            f"The test set has been scored for several candidates ({test_set_evaluations.in_words(study.looks)}); the more, "
            "the luckier the best may look on it. No choice was made by it."
        )
    if study.selection["tied"]:
        said.append(f"Not distinguishable from the champion: {', '.join(study.selection['tied'])}.")
    if not study.task.read.group:
        said.append(
            f"No column says which {study.what}s belong to one patient (read.group): but for copies, each counts as independent."
        )
    for shortcut in study.audit.confounders:
        said.append(
            f"{shortcut.name} alone guesses the class right in {shortcut.accuracy:.1%}, always the commonest class in "
            f"{shortcut.majority:.1%}: the model may have learnt it."
        )
    flagged = [f"{row['column']} {row['value']}" for row in subgroups(study) if (row["test"] or {}).get("few")]
    if flagged:
        said.append(f"Too few of some subgroups in the test set to judge them: {', '.join(flagged)}.")
    left = sites(study)
    ends = left["rows"][0]["difference"]["ci"] if left and left["rows"] and "difference" in left["rows"][0] else [None]
    if None not in ends and ends[1] < 0:
        said.append(f"At a site that it has not seen the ROC AUC is lower by {-ends[1]:.3f} to {-ends[0]:.3f} (95 %).")
    for one in external(study):
        ends = one["change"]["roc_auc"]["ci"]
        if None not in ends and ends[1] < 0:
            said.append(
                f"On {one['name']}, data of another source, the ROC AUC is lower by {-ends[1]:.3f} to {-ends[0]:.3f} (95 %)."
            )
    if not external(study):
        said.append("Not yet tried on data of another source; figures elsewhere are as a rule lower.")
    said += [f"Out of fold: {note}." for note in cv["notes"]] + [f"Test: {note}." for note in test["notes"]]
    if study.dev.positive:
        own = test["operating_point"]["prevalence"]["data"]["prevalence"]
        said.append(
            f"Predictive values hold where {share(own)} are {study.dev.positive}, as in the test set, and nowhere else; "
            "select.operating_point.prevalence gives them for another share."
        )
    return said
