"""Are there enough samples for a table's columns? Events per parameter, and the smallest size by Riley et al. of two classes."""

from pipeline.data.tabular.formats import Field
from pipeline.evaluation.report import Report, SampleSize
from pipeline.stats.sample_size import cox_snell, highest_cox_snell, minimum

SUPPOSED = 0.15  # of the highest R2, where the model shows none: what Riley et al. 2020 advise to suppose


def n_parameters(fields: list[Field]) -> int:
    """Return how many coefficients a regression on these columns has, the intercept aside."""
    return sum(max(1, len(field.choices or []) - 1) if field.type == "choice" else 1 for field in fields)


def describe(report: Report, fields: list[Field]) -> SampleSize | None:
    """Return the sample size of a development set against what its columns need; None where there are no columns.

    `report`: the model's, out of fold. Events are groups of the rarest class; with more than two classes there is no minimum.
    """
    if not fields:
        return None
    counts, parameters = report.counts, n_parameters(fields)
    events = min(counts.groups.values())
    sizes = SampleSize(counts.n_groups, events, parameters, events / parameters)
    actual = list(counts.actual.values())
    if len(actual) != 2 or not min(actual):
        return sizes
    prevalence = actual[1] / sum(actual)
    r2, highest = cox_snell(report["log_loss"], prevalence), highest_cox_snell(prevalence)
    # Above .9 of the highest a shrinkage of .9 has no solution: so good a model needs no more than one just below does.
    supposed = min(r2, 0.89 * highest) if r2 > 0 else SUPPOSED * highest
    needed = minimum(supposed, parameters, prevalence)
    return SampleSize(sizes.n, events, parameters, sizes.events_per_parameter, r2, needed.n, vars(needed))


def in_words(size: SampleSize) -> str:
    """Return the sample size as a sentence."""
    text = (
        f"{size.n} groups of samples, {size.events} of the rarest class, for {size.parameters} parameters: "
        f"{size.events_per_parameter:.1f} events per parameter"
    )
    if size.minimum is None:
        return f"{text}."
    verdict = "met" if size.n >= size.minimum else "not met"
    return f"{text}. The minimum for a regression without penalty (Riley et al. 2020) is {size.minimum}: {verdict}."
