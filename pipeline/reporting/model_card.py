"""The champion's model card (Mitchell et al. 2019, "Model cards for model reporting"), from what stages wrote.

What no artefact can know is left to the author, and says so.
"""

import json

from pipeline.data.images.limits import FORMATS, MIN_SIDE
from pipeline.evaluation.metric_names import NAMES
from pipeline.reporting.results import Study
from pipeline.reporting.results_section import subgroup_columns

AUTHOR = "For the author"


def card(study: Study) -> list[tuple[str, list[str]]]:
    """Return the card's parts as (title, sentences)."""
    test, cv = study.test.counts, study.cv.counts
    chosen_by = f"Selected by {NAMES[study.metric]} and log loss out of fold. {study.selection.rule}"
    return [
        ("Model details", details(study)),
        ("Intended use", intended_use(study)),
        ("Factors", factors(study)),
        ("Metrics", [chosen_by, decides(study), calibrated(study)]),
        ("Training data", [f"{cv.n} {study.what}s of {cv.n_groups} groups; see Data and Split."]),
        (
            "Evaluation data",
            [
                f"{test.n} {study.what}s of {test.n_groups} groups, from the same source, opened after "
                "the model was selected; see Split."
            ],
        ),
        (
            "Ethical considerations",
            [f"{AUTHOR}: consent, the effect of a wrong answer on a patient, and who may be harmed."],
        ),
    ]


def as_markdown(study: Study) -> str:
    """Return the card as a Markdown text."""
    parts = [f"## {title}\n\n" + "\n".join(f"- {line}" for line in lines) for title, lines in card(study)]
    return "\n\n".join([f"# Model card: {study.winner}", *parts]) + "\n"


def details(study: Study) -> list[str]:
    """Return which model it is, and what made it."""
    options = ", ".join(f"{name} {json.dumps(value)}" for name, value in study.bundle.hyperparameters.items())
    versions = ", ".join(f"{name} {value}" for name, value in study.bundle.versions.items())
    return [
        f"{study.winner}: {study.bundle.estimator} ({options}).",
        f"Created with {versions}.",
        f"{AUTHOR}: who made it and whom to ask, licence, how to cite it.",
    ]


def intended_use(study: Study) -> list[str]:
    """Return what the model is for, and what it takes."""
    return [
        f"To distinguish {', '.join(study.classes)}; it has no other answer.",
        accepted(study),
        "Research use; it is not a medical device.",
        f"{AUTHOR}: who should use it, at which point of care, and for whom it is not intended.",
    ]


def factors(study: Study) -> list[str]:
    """Return the columns whose values define the subgroups that are reported separately."""
    columns = subgroup_columns(study)
    return [
        f"Reported separately by {', '.join(columns)}."
        if columns
        else "No subgroup is named in select.subgroups, so none is reported.",
        f"{AUTHOR}: which other groups, instruments and settings matter.",
    ]


def accepted(study: Study) -> str:
    """Return what the model takes, and what it refuses."""
    if study.task.kind == "image":
        columns = study.bundle.clinical_columns
        clinical = f", with the clinical columns {', '.join(columns)}; each may be unknown" if columns else ""
        return (
            f"It takes {', '.join((*FORMATS, 'DICOM'))} from {MIN_SIDE} px a side{clinical}. An out-of-distribution image is "
            f"refused: {share(study.cv['refused'])} of the development set, {share(study.test['refused'])} of the test set."
        )
    n = len(study.bundle.schema)
    return (
        f"It takes rows of {n} columns. A row with a number far outside the training range is refused: "
        f"{share(study.cv['refused'])} of the development set, {share(study.test['refused'])} of the "
        "test set."
    )


def decides(study: Study) -> str:
    """Return how a probability becomes an answer."""
    rule = study.bundle.rule
    if not study.dev.positive:
        return "The answer is the most probable class."
    reason = f"chosen out of fold for {rule.chosen_for}" if rule.chosen_for else "the default"
    return f"The decision is {study.dev.positive} at a probability of {rule.threshold:g} or more ({reason})."


def calibrated(study: Study) -> str:
    """Return whether probabilities were calibrated, and what that did."""
    how = study.cv.calibration
    if not how:
        return "Probabilities are not calibrated."
    if how.method == "none":
        return (
            f"Probabilities are not calibrated: {how.tried} was tried and did not improve the Brier score out of fold."
        )
    before, after = (scores["brier_score_loss"] for scores in (how.before, how.after))
    return (
        f"Probabilities are calibrated ({how.method}): Brier score {before:.3f} before, {after:.3f} after, out of fold."
    )


def share(value: float) -> str:
    """Return a share in percent."""
    return f"{value:.1%}"
