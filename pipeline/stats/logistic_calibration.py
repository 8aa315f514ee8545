"""Calibration of two classes by logistic regression: slope, intercept and a flexible curve, with cluster-robust intervals.

Cox 1958, "Two further applications of a model for binary regression", Biometrika 45:562: the outcome is regressed on the logit
of the predicted probability. Slope 1 and intercept 0 is perfect; a slope under 1 says that probabilities are too extreme. The
intercept is that of slope 1, calibration in the large (Van Calster et al. 2019, BMC Medicine 17:230). The curve regresses on
restricted cubic splines of the logit (Harrell 2015, "Regression modeling strategies", section 2.4.5). Intervals are by the
sandwich estimator over groups (Liang and Zeger 1986), with Student's quantile.
"""

from dataclasses import dataclass

import numpy as np

from pipeline.stats.intervals import student

NAMES = ("calibration_slope", "calibration_intercept")
EVENTS = 20  # samples of the rarer class, below which neither is given
KNOTS = (0.05, 0.275, 0.5, 0.725, 0.95)  # quantiles of the logit (Harrell 2015, table 2.3), for five knots
POINTS = 50  # of the curve
STEPS = 50  # of Newton's method, which needs five to ten
STEEPEST = 50.0  # a slope beyond is that of classes that a threshold separates
CLIP = 1e-6


@dataclass(frozen=True)
class Fit:
    """Coefficients, float64 (k,), and their covariance (k, k), robust to groups."""

    coefficients: np.ndarray
    covariance: np.ndarray
    reach: float

    def interval(self, row: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return row @ coefficients and the ends of its 95 % interval; `row` (k,) or (m, k)."""
        value = row @ self.coefficients
        error = np.sqrt(np.einsum("...i,ij,...j->...", row, self.covariance, row))
        return value, value - self.reach * error, value + self.reach * error


def slope_and_intercept(y: np.ndarray, p: np.ndarray, groups: np.ndarray) -> dict[str, tuple[float, list[float]]]:
    """Return calibration_slope and calibration_intercept, each with [low, high]; none where they cannot be given.

    `y` int (n,): 0 or 1; `p` float (n,): probabilities of 1; `groups` (n,). They cannot be given with under `EVENTS` samples
    of a class, where a threshold separates the classes, or where all probabilities are equal.
    """
    x = logit(p)
    if min(y.sum(), len(y) - y.sum()) < EVENTS or np.ptp(x) < CLIP or is_separated(y, x):
        return {}
    slope = fit(np.column_stack([np.ones(len(x)), x]), y, groups)
    level = fit(np.ones((len(x), 1)), y, groups, offset=x)
    if slope is None or level is None or abs(slope.coefficients[1]) > STEEPEST:
        return {}
    parts = {"calibration_slope": (slope, np.array([0.0, 1.0])), "calibration_intercept": (level, np.ones(1))}
    calibration = {}
    for name, (model, row) in parts.items():
        value, low, high = (float(number) for number in model.interval(row))
        calibration[name] = (value, [low, high])
    return calibration


def curve(
    y: np.ndarray, p: np.ndarray, groups: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray] | None:
    """Return probabilities, rising over the middle 98 % of `p`, and the share observed there with the ends of its pointwise 95 %
    interval, each float64 (POINTS,); None where it cannot be given, see `slope_and_intercept`.
    """
    x = logit(p)
    knots = np.unique(np.quantile(x, KNOTS))
    if min(y.sum(), len(y) - y.sum()) < EVENTS or len(knots) < 3 or is_separated(y, x):
        return None
    model = fit(splines(x, knots), y, groups)
    if model is None:
        return None
    grid = np.linspace(np.quantile(p, 0.01), np.quantile(p, 0.99), POINTS)
    value, low, high = (1 / (1 + np.exp(-np.clip(end, -30, 30))) for end in model.interval(splines(logit(grid), knots)))
    return grid, value, low, high


def logit(p: np.ndarray) -> np.ndarray:
    """Return the log odds (n,) of probabilities (n,); those of 0 and 1 count as a little more and less."""
    clipped = np.clip(np.asarray(p, dtype=np.float64), CLIP, 1 - CLIP)
    return np.log(clipped / (1 - clipped))


def is_separated(y: np.ndarray, x: np.ndarray) -> bool:
    """Return whether a threshold of x (n,) divides the classes y (n,) without an error, where the slope would be infinite."""
    return bool(x[y == 1].min() >= x[y == 0].max() or x[y == 1].max() <= x[y == 0].min())


def splines(x: np.ndarray, knots: np.ndarray) -> np.ndarray:
    """Return 1, x (n,) and the restricted cubic splines of x, float64 (n, len(knots)): straight beyond the outer knots."""
    last, before = knots[-1], knots[-2]
    columns = [np.ones(len(x)), x]
    for knot in knots[:-2]:
        tail = (last - knot) / (last - before) * cubed(x - before) - (before - knot) / (last - before) * cubed(x - last)
        columns.append((cubed(x - knot) - tail) / (last - knots[0]) ** 2)
    return np.column_stack(columns)


def cubed(x: np.ndarray) -> np.ndarray:
    """Return the cube of what is above 0, else 0."""
    return np.maximum(x, 0) ** 3


def fit(X: np.ndarray, y: np.ndarray, groups: np.ndarray, offset: np.ndarray | None = None) -> Fit | None:
    """Return the logistic regression of `y` on `X`, float64 (n, k), by Newton's method; None where it does not converge."""
    start = np.zeros(len(y)) if offset is None else offset
    coefficients = np.zeros(X.shape[1])
    for _ in range(STEPS):
        p = 1 / (1 + np.exp(-np.clip(start + X @ coefficients, -30, 30)))
        information = np.einsum("ni,n,nj->ij", X, p * (1 - p), X)
        try:
            step = np.linalg.solve(information, X.T @ (y - p))
        except np.linalg.LinAlgError:
            return None
        coefficients = coefficients + step
        if np.abs(step).max() < 1e-8:
            return with_covariance(X, y - p, information, groups, coefficients)
    return None


def with_covariance(
    X: np.ndarray, residuals: np.ndarray, information: np.ndarray, groups: np.ndarray, coefficients: np.ndarray
) -> Fit:
    """Return the fit with its sandwich covariance (k, k) over groups, times G / (G - 1).

    X (n, k), residuals and groups (n,), information (k, k), coefficients (k,).
    """
    members = np.unique(groups, return_inverse=True)[1]
    n_groups = int(members.max()) + 1
    scores = np.zeros((n_groups, X.shape[1]))
    np.add.at(scores, members, X * residuals[:, None])
    bread = np.linalg.inv(information)
    covariance = bread @ (scores.T @ scores) @ bread * n_groups / max(1, n_groups - 1)
    return Fit(coefficients, covariance, student(max(1, n_groups - 1)))
