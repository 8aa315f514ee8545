"""The TRIPOD+AI checklist (Collins et al., BMJ 2024;385:e078378), each item filled from what stages wrote, or left to the author.

Items are in our words and in the order of the statement; its 27 items come in 52 rows.
"""

import math
from dataclasses import dataclass

from pipeline.data.image_with_columns import has_columns, image_part
from pipeline.evaluation.metric_names import NAMES
from pipeline.evaluation.new_data import test_set_evaluations
from pipeline.evaluation.report import Report
from pipeline.reporting.model_card import accepted, calibrated, decides
from pipeline.reporting.results import Study
from pipeline.reporting.results_section import external, sites, subgroup_columns

# number, topic, what is asked
ITEMS = (
    ("1", "Title", "Development or evaluation of a prediction model, target population, outcome"),
    ("2", "Abstract", "See TRIPOD+AI for abstracts"),
    ("3a", "Background", "Healthcare context, rationale, existing models"),
    ("3b", "Background", "Target population, purpose in the care pathway, intended users"),
    ("3c", "Background", "Known health inequalities between groups"),
    ("4", "Objectives", "Objectives; development, validation or both"),
    ("5a", "Data", "Sources of development and evaluation data, and how representative they are"),
    ("5b", "Data", "Dates of collection and of follow-up"),
    ("6a", "Participants", "Setting, number and place of centres"),
    ("6b", "Participants", "Eligibility criteria"),
    ("6c", "Participants", "Treatments received, and how they were handled"),
    ("7", "Data preparation", "Pre-processing and quality checks, and whether alike across groups"),
    ("8a", "Outcome", "What is predicted, how and when it was assessed"),
    ("8b", "Outcome", "Who assessed it, where that takes judgement"),
    ("8c", "Outcome", "Blinding of its assessment"),
    ("9a", "Predictors", "Choice of predictors before the model was built"),
    ("9b", "Predictors", "Definition of all predictors, how and when they were measured"),
    ("9c", "Predictors", "Who assessed them, where that takes judgement"),
    ("10", "Sample size", "How it was arrived at, and whether it suffices"),
    ("11", "Missing data", "How they were handled; why data were omitted"),
    ("12a", "Analysis", "How data were used and divided"),
    ("12b", "Analysis", "How predictors were handled"),
    ("12c", "Analysis", "Type of model, building steps, tuning, internal validation"),
    ("12d", "Analysis", "Heterogeneity across clusters, such as hospitals"),
    ("12e", "Analysis", "Measures and plots, and how models are compared"),
    ("12f", "Analysis", "Updating of the model, such as recalibration"),
    ("12g", "Analysis", "How predictions are calculated"),
    ("13", "Class imbalance", "Methods against it, and recalibration after them"),
    ("14", "Fairness", "Approaches to fairness, and why"),
    ("15", "Model output", "Probabilities or classes; how thresholds were found"),
    ("16", "Training versus evaluation", "Differences between development and evaluation data"),
    ("17", "Ethical approval", "Committee, consent or waiver"),
    ("18a", "Open science", "Funding"),
    ("18b", "Open science", "Conflicts of interest"),
    ("18c", "Open science", "Protocol"),
    ("18d", "Open science", "Registration"),
    ("18e", "Open science", "Data sharing"),
    ("18f", "Open science", "Code sharing"),
    ("19", "Patients and public", "Their involvement"),
    ("20a", "Results: participants", "Flow of participants, with and without the outcome"),
    ("20b", "Results: participants", "Characteristics, missing data"),
    ("20c", "Results: participants", "Development and evaluation data compared"),
    ("21", "Results: development", "Participants and outcome events in each analysis"),
    ("22", "Results: specification", "The full model, to predict for others"),
    ("23a", "Results: performance", "Performance with intervals, in subgroups too"),
    ("23b", "Results: performance", "Heterogeneity across clusters"),
    ("24", "Results: updating", "Results of updating"),
    ("25", "Interpretation", "Overall interpretation, fairness included"),
    ("26", "Limitations", "Limitations and what they may do to the results"),
    ("27a", "Usability", "How poor or missing input is to be handled"),
    ("27b", "Usability", "What users have to do and to know"),
    ("27c", "Usability", "Next steps"),
)


Answer = tuple[str, str]  # a sentence, and the id of the section that has more


@dataclass(frozen=True)
class Row:
    """An item of the checklist: `answer` is empty where it is for the author, `section` the id of the section that has more."""

    number: str
    topic: str
    asks: str
    answer: str
    section: str


def checklist(study: Study) -> list[Row]:
    """Return every item with what the artefacts answer to it."""
    answers = of_data(study) | of_model(study) | of_groups(study) | of_results(study)
    return [Row(*item, *answers.get(item[0], ("", ""))) for item in ITEMS]


def tuned(study: Study) -> str:
    """Return how the champion's hyperparameters were chosen."""
    tuning = study.cv.tuned
    return (
        f"selected from {len(tuning.tried)} combinations inside the training folds"
        if tuning
        else "as set in params.yaml"
    )


def selected(study: Study) -> str:
    """Return how the champion was selected."""
    n = len(study.board)
    return "the only model" if n == 1 else f"selected out of {n} models on the same folds by the rule given there"


def of_data(study: Study) -> dict[str, Answer]:
    """Return what artefacts know of the data, their preparation and their division."""
    task, n_dev, n_test = study.task, study.cv.counts.n, study.test.counts.n
    elsewhere = external(study)
    left_out = int((study.split["subset"] == "excluded").sum())
    both = "Development, and validation on held-out data of the same source"
    return {
        "4": (f"{both}, and on {len(elsewhere)} of another source." if elsewhere else f"{both}.", "question"),
        "7": (
            "Decoding and quality checks are the same code for every sample, in training and use; see the audit.",
            "audit",
        ),
        "8a": (
            f"Predicted: {', '.join(study.classes)}, as labelled. How and when they were labelled is for the author.",
            "data",
        ),
        "9b": (predictors(study), "data"),
        "10": (
            f"All {len(study.samples)} {study.what}s available: {n_dev} for development, {n_test} for testing; the sample "
            "size was not calculated beforehand; what it suffices for, and what more data would bring, stand under Sample size.",
            "sample-size",
        ),
        "11": (f"{left_out} {study.what}s left out, by reason under Data. {missing(study)}", "data"),
        "12a": (
            f"{n_dev} development {study.what}s in {task.split.folds} folds, {n_test} test {study.what}s; no group is in "
            "both.",
            "split",
        ),
        "16": ("The test set comes from the same source; characteristics stand side by side.", "characteristics"),
    }


def of_model(study: Study) -> dict[str, Answer]:
    """Return what artefacts know of the model, how it was made and measured."""
    return {
        "12b": (handled(study), "card"),
        "12c": (
            f"{study.bundle.estimator}, {selected(study)}; hyperparameters {tuned(study)}, none by the test set. Internal "
            f"validation: cross-fitting. {unseen(study)}",
            "leaderboard",
        ),
        "12e": (
            "Discrimination, calibration and decisions at the operating point, with 95 % intervals over groups except for the "
            "expected calibration error and shares of few cases; curves have none, apart from calibration and net benefit; "
            "models by paired differences.",
            "figures",
        ),
        "12f": (calibrated(study), "reliability"),
        "12g": ("By the bundle's Predictor, the same code for test, app, API and command line.", "reproduce"),
        "13": (imbalance(study), "reliability"),
        "15": (f"Probabilities of {', '.join(study.classes)}. {decides(study)}", "operating-point"),
        "18f": ("The code is the project that generated this report; versions are in the model card.", "reproduce"),
    }


def of_groups(study: Study) -> dict[str, Answer]:
    """Return what artefacts know of subgroups, sites and other sources."""
    answers = {}
    columns = subgroup_columns(study)
    elsewhere, left = external(study), sites(study)
    if columns:
        answers["14"] = (
            f"Performance is reported by {', '.join(columns)}; nothing was corrected. Reasons are for the author.",
            "subgroups",
        )
    if left:
        answers["12d"] = (f"Each model was fitted without each {left.column} in turn, and scored on it.", "sites")
    if elsewhere:
        answers["12d"] = (
            "Performance on data of other sources, with the difference to the internal test.",
            "elsewhere",
        )
    return answers


def of_results(study: Study) -> dict[str, Answer]:
    """Return what artefacts know of results, by number."""
    cv, test, metric = study.cv, study.test, study.metric
    answers = {
        "20a": ("As a flow diagram, with the reasons for exclusion.", "flow"),
        "20b": (
            "Characteristics of development and test set; dates and treatments are for the author.",
            "characteristics",
        ),
        "20c": ("Development and test set side by side.", "characteristics"),
        "21": (f"Development: {events(cv)}; test: {events(test)}.", "data"),
        "22": ("The bundle and its SHA-256; one command reproduces it.", "reproduce"),
        "23a": (f"{NAMES[metric]}: test {figure(test, metric)}, out of fold {figure(cv, metric)}.", "figures"),
        "24": (calibrated(study), "reliability"),
        "25": (study.verdict + ". Its meaning for care is for the author.", "leaderboard"),
        "26": (
            f"Found in the artefacts; {test_set_evaluations.in_words(study.n_evaluations)}. "
            "Other limitations are for the author.",
            "limits",
        ),
        "27a": (f"{accepted(study)} {missing(study)}", "card"),
        "27b": (
            f"Users submit one {study.what}; the model answers, or refuses with a reason. Expertise needed: for the author.",
            "card",
        ),
    }
    if sites(study):
        answers["23b"] = ("The difference between sites seen and not seen in training, with its interval.", "sites")
    if external(study):
        answers["23b"] = ("The difference between the sources, with its interval.", "elsewhere")
    return answers


def predictors(study: Study) -> str:
    """Return what the model sees."""
    if study.task.kind == "table":
        n = len(study.bundle.schema)
        return f"{n} columns, listed under Characteristics; how they were measured is for the author."
    size, columns = study.bundle.input or {}, study.bundle.clinical_columns
    if columns:
        seen = (
            f"The image, at {size.get('width')}x{size.get('height')} px, and the clinical columns {', '.join(columns)}"
        )
        return f"{seen}; how they were taken is for the author."
    return f"The image alone, at {size.get('width')}x{size.get('height')} px; how it was taken is for the author."


def unseen(study: Study) -> str:
    """Return which parts of the decision rule did not see the sample that is scored out of fold."""
    sentences = []
    if study.cv.calibration and study.cv.calibration.method != "none":
        sentences.append("Scores of probabilities are by calibrators that did not see the sample.")
    if study.bundle.rule.chosen_for:
        sentences.append(
            "Decisions out of fold are by thresholds that did not see it; the one in use is chosen on all."
        )
    return " ".join(sentences) or "Neither a calibrator nor a threshold was fitted."


def missing(study: Study) -> str:
    """Return what happens where a value is missing."""
    if study.task.kind == "table":
        return "Missing values are imputed within the model, learnt from training folds only."
    also = " Missing values of clinical columns are imputed within the model." if study.bundle.clinical_columns else ""
    return f"A file that cannot be read whole is refused.{also}"


def handled(study: Study) -> str:
    """Return what becomes of the predictors within the model."""
    features = study.bundle.hyperparameters["features"]
    descriptions = {
        "columns": "Numbers are imputed and scaled, categories become columns, all learnt from training folds only.",
        "embedding": "The image becomes the embedding of a pretrained network, which is not trained on these data.",
        "classical": "The image is reduced to colour statistics and a small grey version.",
        "pixels": "The image is the input of a network, part of which is trained on these data.",
    }
    if study.bundle.is_vector:
        return (
            "The image becomes a vector of features outside of Assay; how they were computed is for the authors to say."
        )
    return descriptions[image_part(features)] + (
        f" Clinical columns: {descriptions['columns']}" if has_columns(features) else ""
    )


def imbalance(study: Study) -> str:
    """Return how classes of different sizes were weighted."""
    weight = study.bundle.hyperparameters.get("class_weight")
    shift = "because that would shift the probabilities (van den Goorbergh et al., JAMIA 2022;29:1525)"
    weighted = "weighted equally in training" if weight else f"not weighted, {shift}"
    return f"Classes are {weighted}. {calibrated(study)}"


def events(report: Report) -> str:
    """Return the number of samples by class."""
    return ", ".join(f"{name} {n}" for name, n in report.counts.actual.items())


def figure(report: Report, metric: str) -> str:
    """Return a figure with its interval."""
    value, ends = report.figures.get(metric, math.nan), report.ci.get(metric, [math.nan])
    if any(map(math.isnan, [value, *ends])):
        return "is not defined"
    return f"{value:.3f} [{ends[0]:.3f}, {ends[1]:.3f}]"
