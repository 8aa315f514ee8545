"""The smallest sample sizes are those of the paper and of the R package pmsampsize."""

import math

import pytest

from pipeline.stats.sample_size import cox_snell, entropy, highest_cox_snell, minimum


def test_criteria_are_those_of_pmsampsize():
    # pmsampsize(type = "b", csrsquared = 0.288, parameters = 24, prevalence = 0.174)
    assert vars(minimum(0.288, 24, 0.174)) == {"shrinkage": 623, "optimism": 662, "overall_risk": 221}
    assert minimum(0.288, 24, 0.174).n == 662


def test_highest_r2_is_that_of_a_perfect_model():
    assert highest_cox_snell(0.5) == pytest.approx(0.75)
    assert cox_snell(0.0, 0.3) == pytest.approx(highest_cox_snell(0.3))


def test_model_that_says_the_prevalence_has_no_r2():
    assert cox_snell(entropy(0.2), 0.2) == pytest.approx(0)
    assert entropy(0.5) == pytest.approx(math.log(2))
