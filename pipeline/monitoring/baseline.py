"""The counts of a candidate's out-of-fold predictions: what to expect of samples like the training data.

select_best puts it into the champion's bundle.json, under `metrics`, for `monitoring.drift`; git's reports do without.
"""

from pathlib import Path

import numpy as np

from pipeline.data.dataset import Dataset
from pipeline.monitoring import histograms
from pipeline.monitoring.comparisons import key_of
from pipeline.monitoring.histograms import Reference, design_effect
from pipeline.prediction import ood_tables
from pipeline.prediction.decision_rule import DecisionRule, calibrate, decide
from pipeline.training.candidate import Candidate


def count_out_of_fold(dev: Dataset, candidate: Path, rule: DecisionRule) -> Reference:
    """Return the counts of the out-of-fold predictions of the candidate in a folder on the development set."""
    saved, described = np.load(candidate / "oof.npz"), Candidate.read(candidate)
    proba, repeats = calibrate(saved["proba"], rule), len(saved["proba"]) // len(dev.y)
    distance = np.tile(saved["distance"] / rule.refusal, repeats)
    refused = distance > 1
    if "beyond" in saved:
        refused |= np.tile(saved["beyond"], repeats) > ood_tables.FAR
    components = saved["places"]
    tally = histograms.count_predictions(
        dev.classes, decide(proba, rule), proba, distance, np.tile(components, (repeats, 1)), refused
    )
    tally.categories = count_categories(dev, described, repeats)
    names = component_names(described, components.shape[1])
    if len(set(dev.group)) == len(dev.y):
        return Reference(tally, len(dev.y), names)
    once = slice(len(dev.y))
    effects = design_effects(
        dev, names, decide(proba[once], rule), refused[once], np.column_stack([distance[once], components])
    )
    shown = proba[once, 1] if len(dev.classes) == 2 else proba[once].max(axis=1)
    answered = ~refused[once]
    effects["probability"] = design_effect(average_ranks(shown[answered]), dev.group[answered])
    return Reference(tally, len(set(dev.group)), names, effects | of_values(dev, described, names, components))


def design_effects(
    dev: Dataset, names: list[str], decided: np.ndarray, refused: np.ndarray, positions: np.ndarray
) -> dict[str, float]:
    """Return the design effect of each figure of `drift`, by `comparisons.key_of`.

    `decided` int (n,), `refused` bool (n,); `positions` (n, 1 + k): the distance to the training data, and the components.
    """
    keys = ["distance", *(key_of("place", name) for name in names)]
    effects = {"refused": design_effect(refused.astype(float), dev.group)}
    for key, values in zip(keys, positions.T, strict=True):
        known = ~np.isnan(values)
        effects[key] = design_effect(average_ranks(values[known]), dev.group[known]) if known.any() else 1.0
    answered = ~refused
    for k, name in enumerate(dev.classes):
        effects[key_of("answer", name)] = design_effect((decided[answered] == k).astype(float), dev.group[answered])
    return effects


def average_ranks(values: np.ndarray) -> np.ndarray:
    """Return the rank of each value, float64 (n,), from 1; equal ones have their mean rank."""
    # scipy.stats, which has it too, takes 0.5 s to import
    _, bins, count = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(count) - (count - 1) / 2)[bins]


def count_categories(dev: Dataset, candidate: Candidate, repeats: int) -> dict[str, dict[str, int]]:
    """Return by column how many development samples have each category, each sample counted `repeats` times."""
    names = [field.name for field in candidate.schema if field.choices is not None]
    arrays = {name: dev.arrays[f"column:{name}"] for name in names}
    return {
        name: {
            str(value): int(n) * repeats
            for value, n in zip(*np.unique(array.astype(str), return_counts=True), strict=True)
        }
        for name, array in arrays.items()
    }


def of_values(dev: Dataset, candidate: Candidate, names: list[str], components: np.ndarray) -> dict[str, float]:
    """Return the design effects of values that are missing or out of range, and of each category."""
    effects = {}
    for name, position in zip(names, components.T, strict=True):
        known = ~np.isnan(position)
        effects[key_of("missing", name)] = design_effect((~known).astype(float), dev.group)
        effects[key_of("outside", name)] = design_effect((np.abs(position[known]) > 2).astype(float), dev.group[known])
    for field in candidate.schema:
        if field.choices is not None:
            column = dev.arrays[f"column:{field.name}"].astype(str)
            for value in ["", *field.choices]:
                key = key_of("category", f"{field.name}: {value or 'missing'}")
                effects[key] = design_effect((column == value).astype(float), dev.group)
    return effects


def component_names(candidate: Candidate, k: int) -> list[str]:
    """Return the names of k components: columns of a table, or directions, the first being the one that varies most."""
    if candidate.kind == "table":
        return [field.name for field in ood_tables.varied(candidate.schema)]
    return [f"direction {number}" for number in range(k, 0, -1)]
