"""The files of a bundle that also answers without Assay: the model with calibration and class names in it, and README.md.

Apart from `portable`, which serving imports, because a network is rewritten with tensorflow.
"""

import io
import tempfile
from dataclasses import fields
from functools import lru_cache
from pathlib import Path

from pipeline.prediction import bundle_readme
from pipeline.prediction.bundle import BundleInfo
from pipeline.prediction.decision_rule import DecisionRule
from pipeline.prediction.portable import modules_of, scaling, wrap
from pipeline.training.candidate import Candidate


def make(described: Candidate, files: dict[str, bytes], rule: DecisionRule) -> dict[str, bytes]:
    """Return a bundle's files with calibration and class names in the model, and README.md."""
    known = {part.name: getattr(described, part.name) for part in fields(BundleInfo) if hasattr(described, part.name)}
    info = BundleInfo(**known | {"decision": rule.to_json()})
    files = export(files, rule, info.classes)
    modules = modules_of(files["model.joblib"]) if "model.joblib" in files else []
    return files | {"README.md": bundle_readme.write(info, modules).encode()}


def export(files: dict[str, bytes], rule: DecisionRule, classes: list[str]) -> dict[str, bytes]:
    """Return a candidate's files with the calibration of `rule` and the names of `classes` in model.joblib or model.keras."""
    exported = dict(files)
    if "model.joblib" in files:
        import joblib

        from pipeline.estimators import _prepare  # noqa: F401 - what the models in the files are made of

        out = io.BytesIO()
        joblib.dump(wrap(joblib.load(io.BytesIO(files["model.joblib"])), rule, classes), out)
        exported["model.joblib"] = out.getvalue()
    if "model.keras" in files:
        exported["model.keras"] = calibrated_network(files["model.keras"], rule, tuple(classes))
    return exported


@lru_cache(maxsize=1)  # 3 s, and a champion is written twice: first to make the predictions that its bundle records
def calibrated_network(data: bytes, rule: DecisionRule, classes: tuple[str, ...]) -> bytes:
    """Return the `.keras` file of a network whose output is a dict, the calibrated probability (n,) by class name."""
    from pipeline.estimators import _network

    keras = _network.import_keras()
    amount, W, b = scaling(rule, len(classes))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.keras"
        file.write_bytes(data)
        keras.backend.clear_session()  # names of operations count from the first, so that equal models have equal bytes
        model = _network.load_keras(file)
        shrunk = keras.layers.Rescaling(1 - amount, offset=amount / len(classes), name="shrink")(model.output)
        last = keras.layers.Dense(len(classes), activation="softmax", name="calibrate")
        proba = last(keras.ops.log(keras.ops.maximum(shrunk, 1e-30)))
        last.set_weights([W, b])
        outputs = {name: proba[:, k] for k, name in enumerate(classes)}
        _network.save_keras(keras.Model(model.input, outputs, name=model.name), file)
        return file.read_bytes()
