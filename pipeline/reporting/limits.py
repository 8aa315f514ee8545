"""The limits of a study, found in what stages wrote: sentences that a reader of its report has to bear in mind."""

from pathlib import Path

from pipeline.core import paths
from pipeline.duplicates.summary import describe_clusters
from pipeline.evaluation import by_group
from pipeline.evaluation.new_data import test_set_evaluations
from pipeline.reporting import data_section
from pipeline.reporting.model_card import share
from pipeline.reporting.results import Study
from pipeline.reporting.results_section import external, sites

EVENTS = 100  # of a class, below which an evaluation says little (Vergouwe et al. 2005; Collins et al. 2016)


def limits(study: Study) -> list[str]:
    """Return the limits, one sentence each."""
    return [*of_test_set(study), *of_data(study), *of_other_sources(study), *of_figures(study)]


def of_test_set(study: Study) -> list[str]:
    """Return what limits the test set: its origin, its size, how often it was used."""
    sentences = []
    if Path(study.task.raw).is_relative_to(paths.DEMO):
        sentences.append(
            "These are the demonstration data that come with the software: the figures show only that the method works."
        )
    few = {name: n for name, n in study.test.counts.actual.items() if n < EVENTS}
    if few:
        names = ", ".join(f"{name} {n}" for name, n in few.items())
        sentences.append(
            f"The test set holds fewer than {EVENTS} {study.what}s of a class ({names}): its intervals are wide: "
            "read them rather than the figures."
        )
    if study.n_evaluations > 1:
        sentences.append(
            f"The {test_set_evaluations.in_words(study.n_evaluations).replace('set', 'set was')}, for different candidates; with "
            "more candidates, the best result on it is more likely to be luck. No choice was based on it."
        )
    return sentences


def of_data(study: Study) -> list[str]:
    """Return what limits the data: groups that nobody named, shortcuts, small subgroups."""
    sentences = []
    if study.selection.warning:
        sentences.append(f"The champion is {study.selection.warning}.")
    if study.selection.tied:
        sentences.append(f"Not distinguishable from the champion: {', '.join(study.selection.tied)}.")
    if study.audit.clusters:
        sentences.append(
            f"The audit found that {describe_clusters(study.audit.clusters)}. If these are one patient's, all figures here are "
            "too good."
        )
    if not data_section.has_groups(study.task.read):
        sentences.append(
            f"No column says which {study.what}s belong to one patient (read.group): apart from "
            "copies, all are treated as independent."
        )
    for shortcut in study.audit.confounders:
        sentences.append(
            f"{shortcut.name} alone predicts the class with an ROC AUC of {shortcut.roc_auc:.2f}: the model may have learnt this "
            "shortcut."
        )
    flagged = [f"{row.column} {row.value}" for row in study.test.subgroups or [] if row.few]
    if flagged:
        sentences.append(f"Some subgroups are too small in the test set for a conclusion: {', '.join(flagged)}.")
    return sentences


def of_other_sources(study: Study) -> list[str]:
    """Return what happens at sites and on data that the model has not seen."""
    sentences = []
    left, elsewhere = sites(study), external(study)
    per = by_group.per(study.bundle.rule.unit)
    changes = [(f"On {name} (external data)", per, report.change["roc_auc"].ci) for name, report in elsewhere.items()]
    if left and left.rows and left.rows[0].difference:
        changes.insert(0, ("At a site not seen in training", "", left.rows[0].difference.ci))
    for where, per_unit, (low, high) in changes:
        if high < 0:
            sentences.append(f"{where}, the ROC AUC{per_unit} is lower by {-high:.3f} to {-low:.3f} (95 %).")
    if not elsewhere:
        sentences.append("Not yet tested on external data, where figures are usually lower.")
    return sentences


def of_figures(study: Study) -> list[str]:
    """Return what limits single figures."""
    sentences = [f"Out of fold: {note}." for note in study.cv.notes] + [f"Test: {note}." for note in study.test.notes]
    if study.test.operating_point:
        own = study.test.operating_point.prevalence["data"].prevalence
        sentences.append(
            f"Predictive values among the figures apply only at the test set's prevalence of {study.dev.positive}, {share(own)}; "
            "for others see Decisions."
        )
    return sentences
