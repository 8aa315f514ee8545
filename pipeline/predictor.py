"""The only way to a prediction: the command line, the app, the API and the stage `holdout` all use `Predictor`.

    python -m pipeline.predictor BUNDLE FILE... [--column NAME=VALUE]... [--format table|json|csv] [--explain FOLDER]

Needs neither tensorflow nor mlflow, and for images not pandas.
"""

import argparse
import copy
import io
import sys
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from pipeline import bundle, explanation, familiarity, images
from pipeline.beside import Beside, asked_for, has_columns, of_picture
from pipeline.decision import calibrate, decide, in_words
from pipeline.one_row import one_row
from pipeline.stage import BundleError, DataError, run

Sample = bytes | dict[str, Any] | tuple[bytes, dict[str, Any]]  # a picture file, a row, a picture and its columns
TOLERANCE = 1e-4  # largest difference of a probability between two processors, and between Keras and LiteRT


class Predictor:
    """A loaded bundle. `features` turns bytes into what the model sees, `decide` that into an answer.

    Not for several threads at once: an interpreter serves one, so take a `twin` for each. It starts with the first sample; a copy
    made with copy or pickle starts its own. `info` is the content of
    bundle.json, `id` the model's name and the first digits of that file's SHA-256. `seen` is where the last sample lay (see
    `pipeline.tally`): its distance in thresholds and its places; None where it could not be read, or nothing is refused.
    """

    seen: tuple[float, np.ndarray] | None = None

    def __init__(self, folder: str | Path, vouched: str | None = None):
        """Load the bundle in `folder`; raise BundleError if a file is missing or does not match its hash.

        `vouched`, where the caller has it from `bundle.vouched`, is the SHA-256 that bundle.json itself must have.
        """
        self.info, sha256 = bundle.read_content(Path(folder), vouched)
        files = bundle.read_files(Path(folder), self.info)
        self.id = f"{self.info.get('model', 'model')}@{sha256[:12]}"
        self.classes: list[str] = self.info["classes"]
        self._programs = {name: data for name, data in files.items() if name.endswith(".tflite")}
        self._arrays = {name: dict(np.load(io.BytesIO(data))) for name, data in files.items() if name.endswith(".npz")}
        if "model.joblib" in files:
            import joblib

            from pipeline.estimators import _prepare  # noqa: F401 - what the models in the files are made of

            self._model = joblib.load(io.BytesIO(files["model.joblib"]))
        elif not {"model.tflite", "model.npz"} <= files.keys():
            raise BundleError(
                f"{Path(folder).as_posix()}/bundle.json names no model, or one without model.npz: run 'dvc repro'"
            )

    @cached_property
    def _proba(self) -> Callable[[Any], np.ndarray]:
        if "model.tflite" not in self._programs:
            return one_row(self._model)
        return lambda X: self._network(X[0])[None]

    @cached_property
    def _network(self) -> images.Embedder:
        return images.Embedder(self._programs["model.tflite"])

    @cached_property
    def _embed(self) -> Callable[[np.ndarray], np.ndarray]:
        return images.Embedder(self._programs["embedder.tflite"])

    def __getstate__(self) -> dict[str, Any]:
        return {
            name: value
            for name, value in self.__dict__.items()
            if name not in ("_proba", "_embed", "_network", "_linear_head")
        }

    def twin(self) -> "Predictor":
        """Return a Predictor of the same bundle for another thread: it shares the model, and has its own interpreters."""
        return copy.copy(self)

    def features(self, data: Sample) -> Any:
        """Return the features of one sample as a batch of one.

        An image file's bytes give pixels uint8 (1, 224, 224, 3), or an embedding (1, n) or classical features (1, 320) as
        float32; a table's row, a dict by column name, gives a DataFrame of one row; a model that takes columns beside the
        picture is given both, (bytes, row), and gets a `Beside`. Raises DataError for bad input.
        """
        if self.info["kind"] == "table":
            from pipeline import tables

            return tables.to_frame(data, self.info["schema"])
        if not has_columns(self.info["features"]):
            return self.look(images.square(data))
        if not isinstance(data, tuple):
            raise DataError(f"comes without what the model takes beside the picture: {', '.join(asked_for(self.info))}")
        from pipeline import tables

        row = tables.to_frame(data[1], self.info["schema"])
        return Beside(self.look(images.square(data[0])), row)

    def look(self, square: np.ndarray) -> np.ndarray:
        """Return what is seen, as a batch of one, of a picture already at uint8 RGB (224, 224, 3)."""
        seen = of_picture(self.info["features"])
        if seen == "pixels":
            return square[None]
        return (self._embed(square) if seen == "embedding" else images.classical(square))[None]

    def proba(self, features: Any) -> np.ndarray:
        """Return the calibrated probabilities, float64 (n_classes,), of a batch of one."""
        return calibrate(self._proba(features), self.info["decision"])[0]

    def doubt(self, features: Any) -> tuple[str, bool]:
        """Return what is doubtful about the sample that `proba` was asked for last, and whether it is refused for that.

        A picture is refused where it is unlike the training data (see `pipeline.familiarity`), a row where a number is far off.
        """
        most = self.info["decision"].get("refusal", {}).get("threshold", np.inf)
        if self.info["kind"] == "table":
            from pipeline import ranges

            distance, places = ranges.judge(features, self.info["schema"])
            self.seen = float(distance[0]) / most, places[0]
            return ranges.doubt(features, self.info["schema"], most) if distance[0] > 0 else ("", False)
        if most == np.inf:
            return "", False
        if isinstance(features, Beside):
            from pipeline import ranges

            unlike = self._unlike(features.picture[0], most)
            said, is_far = ranges.doubt(features.columns, self.info["schema"], ranges.FAR)
            return "; ".join(filter(None, (unlike, said))), bool(unlike) or is_far
        seen = self._network.familiar() if self.info["features"] == "pixels" else features[0]
        reason = self._unlike(seen, most)
        return reason, bool(reason)

    def _unlike(self, seen: np.ndarray, most: float) -> str:
        distance, places = familiarity.judge(self._arrays["known.npz"], seen[None])
        self.seen = float(distance[0]) / most, places[0]
        return familiarity.doubt(float(distance[0]), most)

    def decide(self, features: Any) -> dict[str, Any]:
        """Return class, probabilities by class, decision (the answer in words), refused and reason for a batch of one.

        What is unlike the training data is refused: without class, probabilities and decision, with the reason.
        """
        proba = self.proba(features)
        reason, is_refused = self.doubt(features)
        if is_refused:
            return refused(reason)
        answer = self.classes[int(decide(proba[None], self.info["decision"])[0])]
        return {
            "class": answer,
            "probabilities": {name: round(float(p), 6) for name, p in zip(self.classes, proba, strict=True)},
            "decision": in_words(answer, self.info["positive"], self.info["decision"]),
            "refused": False,
            "reason": reason,
        }

    def golden(self) -> list[dict[str, Any]]:
        """Return what the bundle answers to inputs that are nobody's data: drawn pictures, or rows made from the schema."""
        if self.info["kind"] == "table":
            fields = self.info["schema"]
            inputs = [{f["name"]: f.get(at, f["default"]) for f in fields} for at in ("default", "min", "max")]
            return [{"input": row, "probabilities": self.proba(self.features(row))} for row in inputs]
        seen = [self.look(picture) for picture in images.sample_pictures()]
        if has_columns(self.info["features"]):
            from pipeline import tables

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
        self.seen = None
        try:
            return {"file": name} | self.decide(self.features(data))
        except DataError as error:
            return {"file": name} | refused(str(error))

    def explain(self, data: Sample, name: str) -> tuple[dict[str, Any], dict[str, Any] | None]:
        """Return the item as `predict` does, and what the answer rests on (see `pipeline.explanation`), None without an answer.

        Of a picture: kind, map (a list of rows, see `kind`) and png, the picture with the map over it, as bytes. Of a row:
        kind and columns, each with column, value and contribution to the answer, the largest first. Of a picture with columns
        both: the columns are then `TERMS` of the log-odds where the map is exact, else `CHANGES`.
        """
        item = self.predict(data, name)
        if not item["class"]:
            return item, None
        k = self.classes.index(item["class"])
        if self.info["kind"] == "table":
            return item, self._why_row(self.features(data), data, k)
        if not isinstance(data, tuple):
            # asked for late: a network has no _model
            return item, self._why_picture(data, lambda seen: self._model.predict_proba(seen), k)
        features = self.features(data)
        found = self._why_picture(data[0], lambda seen: self._model.predict_proba(features.seen_as(seen)), k)
        return item, found | {"columns": self._why_row(features, data[1], k)["columns"]}

    def _why_picture(self, data: bytes, proba: Callable[[np.ndarray], np.ndarray], k: int) -> dict[str, Any]:
        """Explain the picture that was predicted last, whose feature map is still there."""
        square = images.square(data)
        if of_picture(self.info["features"]) == "classical":
            kind, heat = explanation.COVERED, explanation.squares_covered(square, self.look, proba, k)
        else:
            program = self._network if self.info["features"] == "pixels" else self._embed
            if self._linear_head:
                kind, heat = (
                    explanation.ACTIVATION,
                    explanation.class_activation(program.feature_map(), *self._linear_head, k),
                )
            else:
                kind = explanation.LEFT_OUT
                heat = explanation.places_left_out(program.feature_map(), proba, k)
        return {"kind": kind, "map": heat.tolist(), "png": explanation.overlay(square, heat)}

    @cached_property
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


def main(*arguments: str) -> None:
    parser = argparse.ArgumentParser("python -m pipeline.predictor", description="Predict files with a bundle.")
    parser.add_argument("bundle", help="a bundle's folder, for instance models/lesions/best")
    parser.add_argument("files", nargs="+", help="pictures, or CSV files whose rows are samples")
    parser.add_argument("--column", metavar="NAME=VALUE", action="append", default=[], help="known beside the pictures")
    parser.add_argument("--format", choices=("table", "json", "csv"), default="table")
    parser.add_argument("--explain", metavar="FOLDER", help="write there what each answer rests on, as PNG or CSV")
    given = parser.parse_args(arguments)
    from pipeline import predict_files

    predictor = Predictor(given.bundle)
    inputs = predict_files.read_inputs(predictor, given.files, predict_files.read_columns(predictor, given.column))
    items = predict_files.predict_all(predictor, inputs)
    if given.explain:
        predict_files.explain_all(predictor, inputs, Path(given.explain))
    sys.stdout.write(predict_files.show(items, predictor.classes, given.format))
    bad = [item["file"] for item in items if not item["class"]]
    if bad:
        raise DataError(
            f"{len(bad)} of {len(items)} inputs could not be used: {', '.join(bad[:5])}; see the reasons above"
        )


if __name__ == "__main__":
    run(main)
