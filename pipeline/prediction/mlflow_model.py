"""What `mlflow.pyfunc.load_model` loads: the Predictor, with a table going in and a table coming out. Imports no mlflow.

MLflow keeps a copy of this package next to the bundle, so a registered model works where there is no checkout.
"""

import io
from importlib.metadata import version

import numpy as np
import pandas as pd
from PIL import Image

from pipeline.data.images import squares
from pipeline.prediction.bundle import BundleInfo
from pipeline.prediction.predictor import Predictor

# What a prediction imports from other projects; track writes down the versions that are installed.
PACKAGES = ("ai-edge-litert", "joblib", "numpy", "pandas", "pillow", "pydantic", "pyyaml", "scikit-learn")
NOT_NEEDED = ("python", "tensorflow", "tensorflow-cpu", "keras")  # of the versions of training
# Raised when what is registered must change although bundles have not: signature, threads.
INTERFACE = "4"


class BundleModel:
    """A bundle behind MLflow's `predict`: one answer per row, in the same order. Threads may share it."""

    def __init__(self, predictor: Predictor):
        """Answer with `predictor`."""
        self.predictor = predictor

    def predict(self, table: pd.DataFrame, params: object = None) -> pd.DataFrame:
        """Return class, decision, refused, reason and `proba_<class>` for each row of `table`.

        Images: a column `image` with the bytes of an image file, and the schema's columns where the model takes clinical columns.
        Tables: the columns of the bundle's schema. An empty cell is a missing value, and so is a column that is not there
        and that training saw missing values in. Bad input becomes a row with an empty
        class, no probabilities and the reason. A model with a warning has it in a column.
        """
        info = self.predictor.info
        rows = table.drop(columns="image", errors="ignore").astype(object)
        given = {str(name).strip() for name in rows}
        absent = [field.name for field in info.schema if not field.is_required and field.name not in given]
        rows = rows.assign(**dict.fromkeys(absent))
        samples = rows.where(rows.notna(), None).to_dict("records")
        if not info.is_table:
            files = table["image"].tolist()
            samples = list(zip(files, samples, strict=True)) if info.clinical_columns else files
        items = [self.predictor.predict(sample, str(number)) for number, sample in enumerate(samples)]
        if absent:
            note = f"no column {', '.join(map(repr, absent))}: counts as missing"
            items = [item | {"reason": "; ".join(filter(None, (item["reason"], note)))} for item in items]
        rows = [
            {name: item.get(name, "") for name in ("class", "decision", "refused", "reason", "warning")}
            | {f"proba_{name}": item["probabilities"].get(name, np.nan) for name in self.predictor.classes}
            for item in items
        ]
        return pd.DataFrame(rows, columns=list(outputs(self.predictor.info)))


def _load_pyfunc(path: str) -> BundleModel:
    """Return the bundle in the folder `path` as a BundleModel; the function's name is MLflow's."""
    return BundleModel(Predictor(path))


def requirements(info: BundleInfo) -> list[str]:
    """Return what MLflow installs where the model answers: `PACKAGES`, and the package of an estimator that is a class."""
    others = {
        name: number
        for name, number in info.versions.items()
        if name not in (*PACKAGES, *NOT_NEEDED) and ":" not in number
    }
    return [f"{name}=={version(name)}" for name in PACKAGES] + [f"{name}=={number}" for name, number in others.items()]


def inputs(info: BundleInfo) -> dict[str, str]:
    """Return MLflow's type of each column that goes in.

    Columns are "any": MLflow rejects int64 where the signature says double, and where it says string it rejects a whole table
    for categories that pandas read as numbers, or a column without a value. The Predictor checks every cell.
    """
    image = {} if info.is_table else {"image": "binary"}
    return image | {field.name: "any" for field in info.schema}


def outputs(info: BundleInfo) -> dict[str, str]:
    """Return MLflow's type of each column that comes out."""
    answer = {"class": "string", "decision": "string", "refused": "boolean", "reason": "string"}
    answer |= {"warning": "string"} if info.warning else {}
    return answer | {f"proba_{name}": "double" for name in info.classes}


def example(info: BundleInfo) -> pd.DataFrame:
    """Return one row of synthetic input: a drawn image, or the schema's defaults."""
    row = {field.name: field.default for field in info.schema}
    if info.is_table:
        return pd.DataFrame([row])
    file = io.BytesIO()
    Image.fromarray(squares.sample_images()[0]).save(file, format="PNG")
    return pd.DataFrame([{"image": file.getvalue()} | row])
