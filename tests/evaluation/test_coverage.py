"""Coverage against risk, by hand."""

import numpy as np

from pipeline.evaluation.curves import coverage


def test_the_surest_and_the_most_familiar_come_first():
    found = coverage(np.array([True, False, False, True]), np.array([0.6, 0.9, 0.8, 0.7]), np.array([1.0, 2, 3, 4]))
    by = {name: part[["coverage", "risk"]].to_numpy().tolist() for name, part in found.groupby("by")}
    assert by["confidence"] == [[0.25, 0], [0.5, 0], [0.75, 1 / 3], [1, 0.5]]
    assert by["familiarity"] == [[0.25, 1], [0.5, 0.5], [0.75, 1 / 3], [1, 0.5]]
