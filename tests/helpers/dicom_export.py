"""An export of drawn slices, and what init_task finds in it."""

import numpy as np

from pipeline.tasks.choices import Choices
from pipeline.tasks.inspect_data import InspectedData, inspect
from tests.helpers.dicom import Slice


def slices(n_patients: int = 12, each: int = 2) -> list[Slice]:
    """Return drawn slices, `each` of a patient, whose label is that of the patient."""
    rng = np.random.default_rng(3)
    return [
        Slice(rng.integers(0, 256, (40, 48)).astype(np.uint8), ("benign", "malignant")[patient % 2], patient)
        for patient in range(n_patients)
        for _ in range(each)
    ]


def described(path: str = "export", **options: object) -> tuple[InspectedData, str]:
    """Return the data set and all that is told of it."""
    data = inspect(path, None, None, 1, Choices(**options))
    return data, "\n".join(f"{title}: {text}" for title, text in data.lines)
