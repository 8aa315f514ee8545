"""The limits of a study, found in what stages wrote: sentences that a reader of its report has to bear in mind."""

from pathlib import Path

from pipeline.core import paths
from pipeline.evaluation import test_set_evaluations
from pipeline.reporting.model_card import share
from pipeline.reporting.results import Study
from pipeline.reporting.results_section import external, sites, subgroups

EVENTS = 100  # of a class, below which an evaluation says little (Vergouwe et al. 2005; Collins et al. 2016)


def limits(study: Study) -> list[str]:
    """Return the limits, a sentence each."""
    return [*of_test_set(study), *of_data(study), *of_other_sources(study), *of_figures(study)]


def of_test_set(study: Study) -> list[str]:
    """Return what limits the test set: its origin, its size, how often it was used."""
    test, said = study.test[study.winner], []
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
    return said


def of_data(study: Study) -> list[str]:
    """Return what limits the data: groups that nobody named, shortcuts, small subgroups."""
    said = []
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
    return said


def of_other_sources(study: Study) -> list[str]:
    """Return what happens at sites and on data that the model has not seen."""
    said = []
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
    return said


def of_figures(study: Study) -> list[str]:
    """Return what limits single figures."""
    test, cv = study.test[study.winner], study.cv[study.winner]
    said = [f"Out of fold: {note}." for note in cv["notes"]] + [f"Test: {note}." for note in test["notes"]]
    if study.dev.positive:
        own = test["operating_point"]["prevalence"]["data"]["prevalence"]
        said.append(
            f"Predictive values hold where {share(own)} are {study.dev.positive}, as in the test set, and nowhere else; "
            "select.operating_point.prevalence gives them for another share."
        )
    return said
