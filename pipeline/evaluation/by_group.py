"""Groups of samples that are answered together, such as all images of a patient: which they are, and how they are pooled.

A unit is a group, or what has one value of a column within a group. Where each unit is one sample there is nothing to do, and
nothing is written.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from pipeline.core.errors import ParamsError
from pipeline.core.params_models import SelectParams
from pipeline.data.dataset import Dataset
from pipeline.data.tabular.missing import is_unknown
from pipeline.evaluation import calibration, subgroups
from pipeline.evaluation.report import PoolingReport, TriedPooling
from pipeline.prediction.decision_rule import DecisionRule, calibrate
from pipeline.prediction.pooling import is_enough, pool
from pipeline.stats.metrics import losses

SAMPLE, GROUP = "sample", "group"
SEVERAL = "several values"  # of a unit whose samples are in different subgroups


@dataclass(frozen=True)
class Units:
    """Which samples are answered together.

    `name`: group, or a column; `member` int (n,): the unit of each sample, numbered by their first samples; `data`: a row per
    unit, whose `group` is that of its samples; `n_mixed`: how many have samples with different labels, counted before those
    are taken apart.
    """

    name: str
    member: np.ndarray
    data: Dataset
    n_mixed: int

    @property
    def n(self) -> int:
        """How many units there are."""
        return len(self.data.y)

    @property
    def largest(self) -> int:
        """The number of samples of the largest unit."""
        return int(np.bincount(self.member).max())

    def tiled(self, times: int) -> "Units":
        """Return the units of samples that are repeated `times` over, one repeat after the other."""
        if times == 1:
            return self
        member = np.concatenate([self.member + repeat * self.n for repeat in range(times)])
        return replace(self, member=member, data=self.data.tiled(times))

    def values(self, of_samples: np.ndarray) -> np.ndarray:
        """Return each unit's value of a column, str (n,): that of its samples, `SEVERAL` where they differ."""
        first = np.unique(self.member, return_index=True)[1]
        value = of_samples[first].astype(object)
        value[np.unique(self.member[of_samples != value[self.member]])] = SEVERAL
        return value.astype(str)


def name_of(select: SelectParams) -> str:
    """Return what figures per group are of: the column that `select.unit` names, else the group."""
    return GROUP if select.unit == SAMPLE else select.unit


def per(unit: str) -> str:
    """Return " per group" or " per lesion", what stands behind the name of a figure; "" for samples."""
    return "" if unit == SAMPLE else f" per {unit}"


def read(task: str, subset: str, data: Dataset, select: SelectParams) -> Units | None:
    """Return `of_task`; None where every one is one sample."""
    units = of_task(task, subset, data, select)
    return units if units.largest > 1 else None


def of_task(task: str, subset: str, data: Dataset, select: SelectParams) -> Units:
    """Return the units of a task's development or test set, `subset` dev or test."""
    keys = [data.group]
    if name_of(select) != GROUP:
        table = subgroups.columns(task, subset, data)
        subgroups.check(list(table), [select.unit], f"{task}.select.unit")
        keys.append(named_values(table[select.unit].astype(str).to_numpy(), data.id))
    return find(data, keys, select)


def check(classes: list[str], select: SelectParams, task: str) -> None:
    """Raise ParamsError where a group is to have the label of any positive sample, and there are more than two classes.

    `preprocess`, the first stage that knows the classes, asks before anything is trained.
    """
    if select.group_label == "any positive" and len(classes) > 2:
        raise ParamsError(
            f"params.yaml: tasks.{task}.select.group_label: any positive is for two classes; there are {len(classes)}: "
            "leave it out"
        )


def named_values(values: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """Return a column's values, str (n,); a sample without one, or with a word for unknown, is by itself."""
    return np.array(
        [
            f"without a value {id_}" if is_unknown(value) else value.strip()
            for value, id_ in zip(values, ids, strict=True)
        ]
    )


def find(data: Dataset, keys: Sequence[np.ndarray], select: SelectParams) -> Units:
    """Return the units of samples: those with equal `keys`, each str (n,).

    With two classes, a unit is positive if one of its samples is, where `select.group_label` says so. Else the samples of a unit
    with different labels are each by themselves.
    """
    together = numbered(*keys)
    low, high = np.full(len(together), len(data.classes)), np.full(len(together), -1)
    np.minimum.at(low, together, data.y)
    np.maximum.at(high, together, data.y)
    is_mixed = (low < high)[together]
    n_mixed = len(set(together[is_mixed]))
    apart = is_mixed & (select.group_label != "any positive")
    member = numbered(together, np.where(apart, np.arange(1, len(together) + 1), 0))
    first = np.unique(member, return_index=True)[1]
    rows = replace(data.rows(first), y=np.where(apart[first], data.y[first], high[together[first]]))
    return Units(name_of(select), member, rows, n_mixed)


def numbered(*keys: np.ndarray) -> np.ndarray:
    """Return a number, int (n,), for each combination of keys, in the order in which they first appear."""
    numbers: dict[tuple[object, ...], int] = {}
    return np.array(
        [numbers.setdefault(key, len(numbers)) for key in zip(*(k.tolist() for k in keys), strict=True)], int
    )


@dataclass(frozen=True)
class Usable:
    """Which samples take part in their unit's answer, bool (n,), and which units get none, bool (n_units,).

    Figures are of all units: one that gets no answer, for lack of usable samples, is judged by all of its samples.
    """

    samples: np.ndarray
    refused: np.ndarray


def usable(units: Units, refused: np.ndarray) -> Usable:
    """Return what takes part where the samples `refused`, bool (n,), are out-of-distribution."""
    n, n_usable = (np.bincount(units.member, weights, units.n) for weights in (None, ~refused))
    no_answer = np.array([not is_enough(int(a), int(b)) for a, b in zip(n_usable, n, strict=True)])
    return Usable(~refused | no_answer[units.member], no_answer)


def pooled(units: Units, raw: np.ndarray, part: Usable, method: str) -> np.ndarray:
    """Return the units' probabilities before calibration, (n_units, n_classes), of those of the samples."""
    return pool(raw[part.samples], units.member[part.samples], units.n, method)


def choose(units: Units, raw: np.ndarray, part: Usable, methods: list[str], rule: DecisionRule | None) -> PoolingReport:
    """Return which of the `methods` is taken by the log loss of the units: on all of them, and without each fold.

    It is the first whose log loss is within a standard error of the lowest (Breiman et al. 1984, "Classification and regression
    trees", section 3.4.3), so that folds differ only where data say so.

    `rule`: by which the pooled probabilities are calibrated; None where that is yet to be chosen on units, and so fitted on
    those that a method is compared on.
    """
    fold, y = units.data.fold, units.data.y
    proba = {method: pooled(units, raw, part, method) for method in methods}

    def loss(method: str, rows: np.ndarray) -> np.ndarray:
        own = proba[method][rows]
        scaling = rule or DecisionRule(calibration=calibration.fit(own, y[rows]))
        return losses(y[rows], calibrate(own, scaling))["log_loss"]

    def best(rows: np.ndarray) -> str:
        if len(methods) == 1:
            return methods[0]
        of_method = {method: loss(method, rows) for method in methods}
        lowest = min(of_method.values(), key=lambda values: values.mean())
        return next(method for method in methods if is_within_error(of_method[method] - lowest, units.data.group[rows]))

    every = np.ones(units.n, bool)
    by_fold = [best(fold != number) for number in range(int(fold.max()) + 1)]
    tried = [TriedPooling(method, float(loss(method, every).mean())) for method in methods]
    return PoolingReport(best(every), by_fold, tried)


def is_within_error(behind: np.ndarray, groups: np.ndarray) -> bool:
    """Return whether the mean of paired differences, float (n,), is at most its standard error over `groups` (n,)."""
    member, size = np.unique(groups, return_inverse=True, return_counts=True)[1:]
    residues = np.bincount(member, behind - behind.mean())
    n_groups = len(size)
    error = (n_groups / max(1, n_groups - 1) * (residues**2).sum()) ** 0.5 / len(behind)
    return bool(behind.mean() <= error)
