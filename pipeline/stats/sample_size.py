"""The smallest sample size for a prediction model of a binary outcome.

Riley et al. 2020, "Calculating the sample size required for developing a clinical prediction model", BMJ 368:m441, with the
formulas of Riley et al. 2019, Statistics in Medicine 38:1276. Meant for regression without penalty: a penalised model needs
fewer, a forest or a network more (van der Ploeg, Austin and Steyerberg 2014).
"""

import math
from dataclasses import dataclass

SHRINKAGE = 0.9  # at least
OPTIMISM = 0.05  # of Nagelkerke's R2, at most
MARGIN = 0.05  # of the overall risk


@dataclass(frozen=True)
class MinimumSize:
    """The sizes that each criterion asks for; `n` is the largest of them."""

    shrinkage: int
    optimism: int
    overall_risk: int

    @property
    def n(self) -> int:
        """The size that meets all three."""
        return max(self.shrinkage, self.optimism, self.overall_risk)


def highest_cox_snell(prevalence: float) -> float:
    """Return the highest Cox-Snell R2 that an outcome of this prevalence admits."""
    return 1 - math.exp(-2 * entropy(prevalence))


def entropy(prevalence: float) -> float:
    """Return the log loss of predicting the prevalence for all."""
    return -prevalence * math.log(prevalence) - (1 - prevalence) * math.log(1 - prevalence)


def cox_snell(log_loss: float, prevalence: float) -> float:
    """Return the Cox-Snell R2 that a mean log loss corresponds to: 1 - exp(-2 (that of the prevalence - that of the model))."""
    return 1 - math.exp(-2 * (entropy(prevalence) - log_loss))


def minimum(r2: float, n_parameters: int, prevalence: float) -> MinimumSize:
    """Return the smallest sizes for a model of `n_parameters` whose Cox-Snell R2 is `r2` on new samples, in 0..its highest."""
    best = highest_cox_snell(prevalence)
    needed = r2 / (r2 + OPTIMISM * best)
    return MinimumSize(
        _of_shrinkage(r2, n_parameters, SHRINKAGE),
        _of_shrinkage(r2, n_parameters, needed),
        math.ceil((1.96 / MARGIN) ** 2 * prevalence * (1 - prevalence)),
    )


def _of_shrinkage(r2: float, n_parameters: int, shrinkage: float) -> int:
    """Return the size from which on the expected uniform shrinkage is at least that (equation 11 of the paper of 2019)."""
    return math.ceil(n_parameters / ((shrinkage - 1) * math.log(1 - r2 / shrinkage)))
