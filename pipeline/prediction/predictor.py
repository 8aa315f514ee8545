"""The only way to a prediction: command line, app, API, MLflow and the stage `holdout` all use `Predictor`.

Needs neither tensorflow nor mlflow, for images no pandas, for tables no LiteRT, and for the usual models no scikit-learn.
"""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.core.errors import BundleError, DataError
from pipeline.data import litert, rows
from pipeline.data.image_with_columns import ImageWithColumns, image_part
from pipeline.data.images import decoding, squares
from pipeline.prediction import bundle, explanation, group_answer, light_model, ood, portable
from pipeline.prediction.answer import Explanation, Item, OodScore, Prediction, Row, refused
from pipeline.prediction.decision_rule import calibrate, decide, in_words
from pipeline.prediction.explanation import LoadedSample
from pipeline.prediction.group_answer import GroupItem
from pipeline.prediction.light_model import LightModel

Sample = bytes | Row | tuple[bytes, Row]  # an image file, a row, an image file with clinical columns


@dataclass(frozen=True)
class Score:
    """The model's probabilities for one sample and its comparison with the training data, before the decision.

    `proba`: calibrated, float64 (n_classes,); `raw`: the same before. `feature_map`: of networks that run on pixels; empty if
    not asked for.
    """

    raw: np.ndarray
    proba: np.ndarray
    ood: OodScore
    feature_map: np.ndarray


class Predictor:
    """A loaded bundle. `load` turns bytes into what the model takes, `score` that into probabilities, `predict` all of it.

    Any number of threads may share a Predictor: no call leaves anything behind in it, and a network has a pool of interpreters
    (see `litert.Embedder`). It can be copied and pickled. `id` is the model's name and the first digits of bundle.json's SHA-256.
    """

    def __init__(self, folder: str | Path, expected_sha256: str | None = None):
        """Load the bundle in `folder`; raise BundleError if a file is missing or does not match its hash.

        `expected_sha256`, where the caller has it from `bundle.expected_sha256`, is that of bundle.json itself.
        """
        loaded = bundle.read(Path(folder), expected_sha256)
        self.info, self.id, files = loaded.info, loaded.id, loaded.files
        self.classes, self.rule = self.info.classes, self.info.rule
        program = files.get("model.tflite") or files.get("embedder.tflite")
        self._network = litert.Embedder(program) if program else None
        self._arrays = {name: dict(np.load(io.BytesIO(data))) for name, data in files.items() if name.endswith(".npz")}
        self.model: Any = None  # of a network nothing, which answers by its program
        if "model.joblib" in files:
            file = files["model.joblib"]
            self.model = light_model.read(file) or portable.load(file, self.id, self.info.versions)
        elif not {"model.tflite", "model.npz"} <= files.keys():
            raise BundleError(
                f"{Path(folder).as_posix()}/bundle.json names no model, or one without model.npz: run 'dvc repro'"
            )

    def warm_up(self, n_threads: int) -> None:
        """Get ready for so many threads at once, so that none of them waits for an interpreter to be created."""
        if self._network:
            self._network.warm_up(n_threads)

    def load(self, data: Sample, with_map: bool = False) -> LoadedSample:
        """Return the features of one sample, a batch of one, and what they were made from; raise DataError for bad input.

        An image file's bytes give pixels uint8 (1, 224, 224, 3), or an embedding (1, n) or classical features (1, 320) as
        float32, `with_map` also the feature map of an embedding; a table's row, a dict by column name, gives `OneRow` or a
        DataFrame, whichever the model takes; (bytes, row) gives an `ImageWithColumns`.
        """
        file, cells = data if isinstance(data, tuple) else (None, data) if isinstance(data, Mapping) else (data, None)
        names = ", ".join(field.name for field in self.info.schema)
        if cells is None and names:
            raise DataError(f"comes without what the model takes{' with an image' * (not self.info.is_table)}: {names}")
        row: Any = None
        unused = ""
        if cells is not None:
            row = rows.one_row(cells, self.info.schema) if names else None
            if row:
                rows.check_values(row, self.info.schema)
                is_light = isinstance(self.model, LightModel) and not self.info.is_vector
                row = row if is_light else row.to_frame()
            unused = rows.unused(cells, self.info.schema)
        if self.info.is_vector:
            return self._vector(row, unused)
        if self.info.is_table:
            return LoadedSample(row, cells=cells or {}, note=unused)
        if file is None:
            raise DataError("comes without an image file, which the model takes")
        if not isinstance(file, (bytes, bytearray)):
            raise DataError(f"is no image file: found {type(file).__name__}; expected the file's bytes")
        read = decoding.read_square(file, self.info.pixel_rule)
        sample = self.load_square(read.pixels, with_map)
        combined = sample.features if row is None else ImageWithColumns(sample.features, row)
        note = "; ".join(filter(None, (read.note, unused)))
        return replace(sample, features=combined, cells=cells or {}, note=note)

    def _vector(self, row: Any, note: str) -> LoadedSample:
        """Return the features that the user computed; raise DataError where one is too large for float32."""
        from pipeline.data import own_features

        with np.errstate(over="ignore"):
            vector = row.to_numpy(np.float32)
        if not np.isfinite(vector).all():
            name = row.columns[int(np.flatnonzero(~np.isfinite(vector[0]))[0])]
            raise DataError(f"feature {name!r} is missing or too large for float32; expected {vector.shape[1]} numbers")
        return LoadedSample(vector, own_features.compared(vector), note=note)

    def load_square(self, square: np.ndarray, with_map: bool = False) -> LoadedSample:
        """Return what `load` gives of an image already at uint8 RGB (224, 224, 3)."""
        kind = image_part(self.info.features)
        if kind == "embedding":
            inference = self._run_network(square, frozen_mean=True, feature_map=with_map)
            # In a bundle of an older version the embedding itself is compared.
            is_older = len(self.reference.get("mean", ())) == len(inference.output)
            compared = inference.output if is_older else inference.frozen_mean
            return LoadedSample(inference.output[None], compared[None], square, inference.feature_map)
        features = (square if kind == "pixels" else squares.classical(square))[None]
        return LoadedSample(features, features, square)

    @property
    def reference(self) -> dict[str, np.ndarray]:
        """What `ood_images.fit` made of the training images; empty for a table."""
        return self._arrays.get("known.npz", {})

    def score(self, sample: LoadedSample, with_map: bool = False) -> Score:
        """Return the probabilities of a loaded sample, and how it compares with the training data."""
        raw, means, feature_map = self._run(sample.features, with_map)
        compared = means if means.size else sample.compared
        scored = ood.score(self.info, self.rule.refusal, sample.features, compared, self.reference)
        return Score(np.asarray(raw[0], np.float64), calibrate(raw, self.rule)[0], scored, feature_map)

    def _run(self, features: Any, with_map: bool = False) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return probabilities before calibration, and of a network that runs on pixels what is compared, and the feature map."""
        if self.info.features != "pixels":
            return self.model.predict_proba(features), litert.NOT_ASKED, litert.NOT_ASKED
        inference = self._run_network(features[0], frozen_mean=True, feature_map=with_map)
        return inference.output[None], inference.frozen_mean[None], inference.feature_map

    def _run_network(self, square: np.ndarray, **asked: bool) -> litert.Inference:
        if self._network is None:
            raise BundleError(f"{self.id} has no network for what its model takes: run 'dvc repro'")
        return self._network.run(square, **asked)

    def predict(self, data: Sample, name: str) -> Item:
        """Return the item for one sample; bad input becomes an item with an empty class and the reason."""
        return self.predict_with_ood(data, name).item

    def explain(self, data: Sample, name: str) -> tuple[Item, Explanation | None]:
        """Return the item as `predict` does, and what the answer rests on, None without an answer."""
        prediction = self.predict_with_ood(data, name, explain=True)
        return prediction.item, prediction.explanation

    def predict_with_ood(self, data: Sample, name: str, explain: bool = False) -> Prediction:
        """Return the item for one sample, how it compares with the training data, and, if asked, the explanation."""
        try:
            sample = self.load(data, with_map=explain)
            score = self.score(sample, with_map=explain)
        except DataError as error:
            return Prediction(refused(name, str(error)))
        item = self._item(name, score, sample.note)
        if not explain or not item["class"] or self.info.is_vector:  # the image is not here
            return Prediction(item, score.ood, raw=score.raw)
        if score.feature_map.size:
            sample = replace(sample, feature_map=score.feature_map)

        def seen(square: np.ndarray) -> np.ndarray:
            features: np.ndarray = self.load_square(square).features
            return self._run(features)[0] if self.info.features == "pixels" else features

        model = self._arrays.get("model.npz", self.model)
        explained = explanation.explain(self.info, model, sample, seen, self.classes.index(item["class"]))
        return Prediction(item, score.ood, explained, score.raw)

    def predict_group(self, samples: Sequence[tuple[str, Sample]], name: str) -> GroupItem:
        """Return one answer to the samples of a patient, at least one, each as (name, data); see `group_answer`."""
        predictions = [self.predict_with_ood(data, of_sample) for of_sample, data in samples]
        return group_answer.answer(self.info, name, predictions)

    def _item(self, name: str, score: Score, note: str) -> Item:
        """Return the item; a sample too far from the training data is refused."""
        if score.ood.is_refused:
            return refused(name, score.ood.reason)
        answer = self.classes[int(decide(score.proba[None], self.rule)[0])]
        item: Item = {
            "file": name,
            "class": answer,
            "probabilities": {name: round(float(p), 6) for name, p in zip(self.classes, score.proba, strict=True)},
            "decision": in_words(answer, self.info.positive, self.rule),
            "refused": False,
            "reason": "; ".join(filter(None, (score.ood.reason, note))),
        }
        if self.info.warning:
            item["warning"] = self.info.warning
        return item
