"""The only way to a prediction: the command line, the app, the API and the stage `holdout` all use `Predictor`.

    python -m pipeline.predict BUNDLE FILE... [--column NAME=VALUE]... [--format table|json|csv] [--explain FOLDER]

Needs neither tensorflow nor mlflow, and for images not pandas.
"""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.core.errors import BundleError, DataError
from pipeline.data import images, litert
from pipeline.data.image_with_columns import Beside, asked_for, has_columns, image_part
from pipeline.prediction import bundle, explanation, ood_images
from pipeline.prediction.decision_rule import DecisionRule, calibrate, decide, in_words
from pipeline.prediction.fast_predict import one_row
from pipeline.prediction.ood_images import Seen

Sample = bytes | dict[str, Any] | tuple[bytes, dict[str, Any]]  # a picture file, a row, a picture and its columns
TOLERANCE = 1e-4  # largest difference of a probability between two processors, and between Keras and LiteRT


@dataclass(frozen=True)
class Score:
    """What the model and the training data say about one sample, before the decision.

    `proba`: calibrated, float64 (n_classes,). `reason`: why the sample is doubtful, "" if it is not; with `is_refused` it gets no
    answer. `ood`: distance to the training data in thresholds of refusal, and components (k,), see `monitoring.histograms`; None
    where nothing is refused. `feature_map`: of a network that runs on pixels, if asked for.
    """

    proba: np.ndarray
    reason: str
    is_refused: bool
    ood: Seen | None
    feature_map: np.ndarray | None = None


@dataclass(frozen=True)
class Prediction:
    """One sample's answer: `item` as `Predictor.predict` returns it, `ood` as in `Score`, `explanation` if asked for.

    `ood` is None, too, where the sample could not be read, `explanation` where there is no answer.
    """

    item: dict[str, Any]
    ood: Seen | None
    explanation: dict[str, Any] | None = None


class Predictor:
    """A loaded bundle. `features` turns bytes into what the model sees, `score` and `decide` that into an answer.

    Any number of threads may share a Predictor: no call leaves anything behind in it, and a network has a pool of interpreters
    (see `images.Embedder`). It can be copied and pickled. `info` is the content of bundle.json, `id` the model's name and the
    first digits of that file's SHA-256.
    """

    def __init__(self, folder: str | Path, vouched: str | None = None):
        """Load the bundle in `folder`; raise BundleError if a file is missing or does not match its hash.

        `vouched`, where the caller has it from `bundle.vouched`, is the SHA-256 that bundle.json itself must have.
        """
        self.info, sha256 = bundle.read_content(Path(folder), vouched)
        files = bundle.read_files(Path(folder), self.info)
        self.id = f"{self.info.get('model', 'model')}@{sha256[:12]}"
        self.classes: list[str] = self.info["classes"]
        self.rule = DecisionRule.from_json(self.info["decision"])
        program = files.get("model.tflite") or files.get("embedder.tflite")
        self._network = litert.Embedder(program) if program else None
        self._arrays = {name: dict(np.load(io.BytesIO(data))) for name, data in files.items() if name.endswith(".npz")}
        if "model.joblib" in files:
            import joblib

            from pipeline.estimators import _prepare  # noqa: F401 - what the models in the files are made of

            self._model = joblib.load(io.BytesIO(files["model.joblib"]))
            self._predict_proba = one_row(self._model)
        elif not {"model.tflite", "model.npz"} <= files.keys():
            raise BundleError(
                f"{Path(folder).as_posix()}/bundle.json names no model, or one without model.npz: run 'dvc repro'"
            )

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_predict_proba"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__ |= state
        if "_model" in state:
            self._predict_proba = one_row(self._model)

    def warm_up(self, n_threads: int) -> None:
        """Get ready for so many threads at once, so that none of them waits for an interpreter to be created."""
        if self._network:
            self._network.warm_up(n_threads)

    def features(self, data: Sample) -> Any:
        """Return the features of one sample as a batch of one.

        An image file's bytes give pixels uint8 (1, 224, 224, 3), or an embedding (1, n) or classical features (1, 320) as
        float32; a table's row, a dict by column name, gives a DataFrame of one row; a model that takes columns beside the
        picture is given both, (bytes, row), and gets a `Beside`. Raises DataError for bad input.
        """
        return self._read(data)[0]

    def _read(self, data: Sample, with_map: bool = False) -> tuple[Any, np.ndarray | None, np.ndarray | None]:
        """Return `features`; of an image also what a model sees of it, and of an embedding, `with_map`, the feature map."""
        if self.info["kind"] == "table":
            from pipeline.data import tables

            return tables.to_frame(data, self.info["schema"]), None, None
        if not has_columns(self.info["features"]):
            square = images.square(data)
            return *self._look(square, with_map), square
        if not isinstance(data, tuple):
            raise DataError(f"comes without what the model takes beside the picture: {', '.join(asked_for(self.info))}")
        from pipeline.data import tables

        row = tables.to_frame(data[1], self.info["schema"])
        square = images.square(data[0])
        seen, feature_map = self._look(square, with_map)
        return Beside(seen, row), feature_map, square

    def look(self, square: np.ndarray) -> np.ndarray:
        """Return what is seen, as a batch of one, of a picture already at uint8 RGB (224, 224, 3)."""
        return self._look(square)[0]

    def _look(self, square: np.ndarray, with_map: bool = False) -> tuple[np.ndarray, np.ndarray | None]:
        seen = image_part(self.info["features"])
        if seen == "embedding":
            inference = self._network.run(square, feature_map=with_map)
            return inference.output[None], inference.feature_map
        return (square if seen == "pixels" else images.classical(square))[None], None

    def proba(self, features: Any) -> np.ndarray:
        """Return the calibrated probabilities, float64 (n_classes,), of a batch of one."""
        return calibrate(self._raw(features)[0], self.rule)[0]

    def score(self, features: Any, with_map: bool = False) -> Score:
        """Return the probabilities of a batch of one, and how it compares with the training data.

        An image is refused where it is unlike the training data (see `prediction.ood_images`), a row where a number is far off.
        `with_map` returns the feature map, too, of a network that runs on pixels.
        """
        raw, seen, feature_map = self._raw(features, with_map)
        return Score(calibrate(raw, self.rule)[0], *self._compare(features, seen), feature_map)

    def _raw(self, features: Any, with_map: bool = False) -> tuple[np.ndarray, Any, np.ndarray | None]:
        """Return probabilities before calibration, what of an image is compared with the training data, and the feature map."""
        if self.info["features"] != "pixels":
            return self._predict_proba(features), features.picture if isinstance(features, Beside) else features, None
        inference = self._network.run(features[0], frozen_mean=True, feature_map=with_map)
        return inference.output[None], inference.frozen_mean[None], inference.feature_map

    def _compare(self, features: Any, seen: Any) -> tuple[str, bool, Seen | None]:
        """Return `reason`, `is_refused` and `ood` of `Score`; `seen` (1, n_features) is what of an image is compared."""
        limit = self.rule.refusal
        if self.info["kind"] == "table":
            from pipeline.prediction import ood_tables

            distance, components = ood_tables.judge(features, self.info["schema"])
            reason = ood_tables.doubt(features, self.info["schema"], limit) if distance[0] > 0 else ("", False)
            return *reason, (float(distance[0]) / limit, components[0])
        if limit == np.inf:
            return "", False, None
        distance, components = ood_images.judge(self._arrays["known.npz"], seen)
        reason = ood_images.doubt(float(distance[0]), limit)
        ood, is_refused = (float(distance[0]) / limit, components[0]), bool(reason)
        if isinstance(features, Beside):
            from pipeline.prediction import ood_tables

            of_columns, is_far = ood_tables.doubt(features.columns, self.info["schema"], ood_tables.FAR)
            reason, is_refused = "; ".join(filter(None, (reason, of_columns))), is_refused or is_far
        return reason, is_refused, ood

    def decide(self, features: Any) -> dict[str, Any]:
        """Return class, probabilities by class, decision (the answer in words), refused and reason for a batch of one.

        What is unlike the training data is refused: without class, probabilities and decision, with the reason.
        """
        return self._answer(self.score(features))

    def _answer(self, score: Score) -> dict[str, Any]:
        if score.is_refused:
            return refused(score.reason)
        answer = self.classes[int(decide(score.proba[None], self.rule)[0])]
        return {
            "class": answer,
            "probabilities": {name: round(float(p), 6) for name, p in zip(self.classes, score.proba, strict=True)},
            "decision": in_words(answer, self.info["positive"], self.rule),
            "refused": False,
            "reason": score.reason,
        }

    def golden(self) -> list[dict[str, Any]]:
        """Return what the bundle answers to inputs that are nobody's data: drawn pictures, or rows made from the schema."""
        if self.info["kind"] == "table":
            fields = self.info["schema"]
            inputs = [{f["name"]: f.get(at, f["default"]) for f in fields} for at in ("default", "min", "max")]
            return [{"input": row, "probabilities": self.proba(self.features(row))} for row in inputs]
        seen = [self.look(picture) for picture in images.sample_pictures()]
        if has_columns(self.info["features"]):
            from pipeline.data import tables

            row = tables.to_frame({f["name"]: f["default"] for f in self.info["schema"]}, self.info["schema"])
            seen = [Beside(picture, row) for picture in seen]
        return [
            {"input": f"images.sample_pictures()[{number}]", "probabilities": self.proba(features)}
            for number, features in enumerate(seen)
        ]

    def check(self) -> None:
        """Raise BundleError unless the bundle answers here what it answered where it was made, within TOLERANCE."""
        said = self.info.get("golden") or []
        found = self.golden()
        if len(said) != len(found):
            raise BundleError(f"{self.id} has {len(said)} golden predictions; expected {len(found)}: run 'dvc repro'")
        for expected, answer in zip(said, found, strict=True):
            difference = np.abs(np.subtract(expected["probabilities"], answer["probabilities"])).max()
            if not difference <= TOLERANCE:
                raise BundleError(
                    f"{self.id} answers {answer['input']} with a probability off by {difference:.2g} from its golden "
                    f"prediction; expected at most {TOLERANCE:.0g}: run 'dvc repro' with the versions installed here"
                )

    def predict(self, data: Sample, name: str) -> dict[str, Any]:
        """Return the item for one sample; bad input becomes an item with an empty class and the reason."""
        return self.predict_with_ood(data, name).item

    def explain(self, data: Sample, name: str) -> tuple[dict[str, Any], dict[str, Any] | None]:
        """Return the item as `predict` does, and what the answer rests on (see `prediction.explanation`), None without an answer.

        Of a picture: kind, map (a list of rows, see `kind`) and png, the picture with the map over it, as bytes. Of a row:
        kind and columns, each with column, value and contribution to the answer, the largest first. Of a picture with columns
        both: the columns are then `TERMS` of the log-odds where the map is exact, else `CHANGES`.
        """
        prediction = self.predict_with_ood(data, name, explain=True)
        return prediction.item, prediction.explanation

    def predict_with_ood(self, data: Sample, name: str, explain: bool = False) -> Prediction:
        """Return the item for one sample, where it lies relative to the training data, and, if asked, the explanation."""
        try:
            features, feature_map, square = self._read(data, with_map=explain)
            score = self.score(features, with_map=explain)
        except DataError as error:
            return Prediction({"file": name} | refused(str(error)), None)
        item = {"file": name} | self._answer(score)
        if not explain or not item["class"]:
            return Prediction(item, score.ood)
        k = self.classes.index(item["class"])
        if self.info["kind"] == "table":
            return Prediction(item, score.ood, self._why_row(features, data, k))
        why = self._why_image(features, square, score.feature_map if feature_map is None else feature_map, k)
        if isinstance(features, Beside):
            why["columns"] = self._why_row(features, data[1], k)["columns"]
        return Prediction(item, score.ood, why)

    def _why_image(self, features: Any, square: np.ndarray, feature_map: np.ndarray | None, k: int) -> dict[str, Any]:
        """Explain an image, uint8 RGB (224, 224, 3), of which `features` and the feature map are known."""

        def proba(seen: np.ndarray) -> np.ndarray:
            return self._model.predict_proba(features.seen_as(seen) if isinstance(features, Beside) else seen)

        if image_part(self.info["features"]) == "classical":
            kind, heat = explanation.COVERED, explanation.squares_covered(square, self.look, proba, k)
        elif head := self._linear_head():
            kind, heat = explanation.ACTIVATION, explanation.class_activation(feature_map, *head, k)
        else:
            kind, heat = explanation.LEFT_OUT, explanation.places_left_out(feature_map, proba, k)
        return {"kind": kind, "map": heat.tolist(), "png": explanation.overlay(square, heat)}

    def _linear_head(self) -> tuple[np.ndarray, np.ndarray] | None:
        if "model.npz" in self._arrays:
            return explanation.of_answer(self._arrays["model.npz"]["kernel"], self._arrays["model.npz"]["bias"])
        return explanation.linear_head(self._model)

    def _why_row(self, row: Any, data: dict[str, Any], k: int) -> dict[str, Any]:
        """Explain the columns of a sample, of which `row` are the features and `data` the cells."""
        if explanation.is_sum_of_terms(self._model):
            kind, found = explanation.TERMS, explanation.terms(self._model, row, k)
        else:
            usual = {field["name"]: field["default"] for field in self.info["schema"]}
            kind, found = explanation.CHANGES, explanation.changes(self._model.predict_proba, row, usual, k)
        columns = [{"column": name, "value": data.get(name), "contribution": value} for name, value in found.items()]
        return {"kind": kind, "columns": sorted(columns, key=lambda line: -abs(line["contribution"]))}


def refused(reason: str) -> dict[str, Any]:
    """Return the answer to a sample that gets none."""
    return {"class": "", "probabilities": {}, "decision": "", "refused": True, "reason": reason}
