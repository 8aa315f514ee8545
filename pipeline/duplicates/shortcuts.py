"""Detect shortcuts: acquisition properties that predict the label.

A shallow tree is cross-validated on one property at a time, such as the width of the image or its format.
"""

import re

import numpy as np
import pandas as pd

from pipeline.data.audit_result import Shortcut
from pipeline.duplicates.cross_fitted_auc import cross_fit, divide, is_enough, limits

# ROC AUC that the property must reach, and that the lower end of its 95 % interval must: 0.5 is chance
LEAST, LEAST_LOW = 0.65, 0.55
MARKS, OF_MARKS = "burnt-in marks", (0.75, 0.7)  # edges of tissue depend on the class as well, a little
# Where and with what a sample was taken, in names of columns
ACQUISITION = re.compile(
    r"(?i)(^|[\W_])(site|scanner|device|machine|manufacturer|vendor|hospital|cent(er|re)|clinic|ward|camera|microscope|stain(er)?|"
    r"kernel|modality|body_part|view|burned_in|protocol|sequence|operator|reader|technician|batch|plate|run|kit|lab(oratory)?|cohort|source|dataset)(name|type|no|nr)?"
    r"($|[\W_])"
)
MOST_VALUES = 20  # of a property in words; rarer values count as one


def find_shortcuts(properties: dict[str, np.ndarray], labels: np.ndarray, groups: np.ndarray) -> list[Shortcut]:
    """Return each property from which a shallow tree predicts the label, sorted by name.

    `properties`: float arrays (n,) or (n, k), or str arrays (n,); `labels`: str (n,); `groups`: int (n,), kept together
    in cross-validation. `majority` is the share of the commonest class. With three or more classes, each is also
    tested against the rest, named `width (normal vs rest)`: a scanner used for one class hardly shows in the overall figure.

    Notes
    -----
    The criterion is the ROC AUC: at a prevalence of 20 %, a scanner of all malignant and a tenth of the benign images hardly
    exceeds the accuracy of always predicting benign, but has an ROC AUC of 0.95.
    """
    if not is_enough(labels, groups):
        return []
    folds = divide(labels, groups)
    shortcuts = []
    for name, values in sorted(properties.items()):
        table = as_numbers(values)
        for view, wanted in views(name, labels):
            least, least_low = OF_MARKS if name == MARKS else (LEAST, LEAST_LOW)
            fitted = cross_fit(table, wanted, groups, folds, least=least)
            if fitted is None or fitted.roc_auc < least or limits(fitted)[0] < least_low:
                continue
            accuracy = float((fitted.probabilities.argmax(axis=1) == fitted.labels).mean())
            majority = float(np.bincount(fitted.labels).max() / len(wanted))
            shortcuts.append(Shortcut(view, accuracy, majority, fitted.roc_auc))
    return shortcuts


def properties_of(samples: pd.DataFrame, tones: np.ndarray, marks: np.ndarray | None = None) -> dict[str, np.ndarray]:
    """Return the acquisition properties of images: size, mode, format, colour, and the site where it is known.

    `samples`: rows of samples.csv; `tones`: (n, 4), mean red, green, blue and border brightness; `marks`: (n, N_MARKS), see
    `measure_marks`.
    """
    size = samples[["width", "height", "bytes"]].astype(float)
    properties = {column: size[column].to_numpy() for column in size}
    properties |= {
        "aspect": properties["width"] / properties["height"],
        "mean colour": tones[:, :3],
        "border": tones[:, 3],
    }
    if marks is not None:
        properties[MARKS] = marks
    columns = [column for column in samples if column in ("mode", "format") or ACQUISITION.search(column)]
    return properties | {column: samples[column].to_numpy(str) for column in columns}


def properties_of_rows(features: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return the acquisition properties of a table made by `data.tables.typed`: missing cells, columns such as scanner."""
    columns = [column for column in features if ACQUISITION.search(column)]
    return missing_cells(features) | {column: features[column].astype(str).to_numpy(str) for column in columns}


def missing_cells(features: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return for each column whether the cell is missing, by the name `missing age`; for tables made by `data.tables.typed`.

    A question asked only of ill patients reveals the label without any value.
    """
    columns = {name: column.to_numpy() for name, column in features.items()}
    missing = {name: np.isnan(cells) if cells.dtype == np.float64 else cells == "" for name, cells in columns.items()}
    return {f"missing {name}": values.astype(float) for name, values in missing.items() if values.any()}


def views(name: str, labels: np.ndarray) -> list[tuple[str, np.ndarray]]:
    """Return the targets to predict: the labels, and for three or more classes each against the rest."""
    classes = np.unique(labels)
    against = [(f"{name} ({label} vs rest)", np.where(labels == label, label, "")) for label in classes]
    return [(name, labels), *(against if len(classes) > 2 else [])]


def as_numbers(values: np.ndarray) -> np.ndarray:
    """Return float (n, k): numbers as they are, words as one column for each of their MOST_VALUES commonest values."""
    if values.dtype.kind == "f":
        return values.reshape(len(values), -1)
    common = pd.Series(values).value_counts(sort=True).sort_index().nlargest(MOST_VALUES).index
    return np.stack([values == value for value in common], axis=1).astype(float)
