"""Data sets, projects and a backbone that the tests of the model side share."""

import contextlib
import dataclasses
import functools
import io
import shutil
from collections.abc import Iterator
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
import yaml
from sklearn.model_selection import StratifiedGroupKFold

from pipeline import evaluate, holdout, select_best, train
from pipeline.core import artifacts, params, paths
from pipeline.data import litert, raw_changes, tables
from pipeline.data.dataset import Dataset
from pipeline.data.images import decoding
from pipeline.data.images.squares import classical, resize
from pipeline.data.synthetic import example
from pipeline.estimators import _backbone, _network, mobilenetv2
from pipeline.estimators._protocol import Classifier, get_estimator
from pipeline.evaluation import plots
from pipeline.prediction import bundle, ood_reference
from pipeline.prediction.decision_rule import DecisionRule
from pipeline.training import export as exporting
from pipeline.training.candidate import Candidate
from pipeline.training.job import Job
from tests.helpers.shared import made_once

NAMES = {2: ["benign", "malignant"], 4: ["adeno", "large cell", "normal", "squamous"]}
PARAMS = Path(__file__).parents[2] / "params.yaml"
# Third party: Keras asks numpy for an array without a copy in a way that numpy 2 will not take for ever.
KERAS_NOISE = "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"

THREE_MODELS = {"line": {"estimator": "logreg"}, "near": {"estimator": "knn"}, "floor": {"estimator": "dummy"}}
HEAD = mobilenetv2.Params(epochs=60, learning_rate=0.01, dropout=0.0)


def numbers(n: int = 120, n_classes: int = 2, seed: int = 0, n_features: int = 6) -> tuple[np.ndarray, np.ndarray]:
    """Return X float32 (n, n_features), whose first two columns tell the classes apart for the most part, and y (n,)."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % n_classes
    X = rng.normal(size=(n, n_features))
    X[:, 0] += 2 * (y % 2)
    X[:, 1] += 2 * (y // 2)
    return X.astype(np.float32), y


def mixed(n: int = 120, n_classes: int = 2, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    """Return a table with missing numbers, a category with missing values, an empty and a constant column, and y (n,)."""
    X, y = numbers(n, n_classes, seed, 3)
    rng = np.random.default_rng(seed + 1)
    age = X[:, 0].astype(np.float64) * 10 + 50
    age[rng.random(n) < 0.1] = np.nan
    site = rng.choice(["arm", "leg", ""], n)
    table = pd.DataFrame({"age": age, "size": X[:, 1].astype(np.float64), "site": site.astype(object)})
    return table.assign(empty=np.nan, constant=3.0), y


def dataset(X: np.ndarray | pd.DataFrame, y: np.ndarray, groups: np.ndarray | None = None, folds: int = 5) -> Dataset:
    """Return a development set, divided into folds as the stage `split` does it; of features `embedding` or columns."""
    groups = np.arange(len(y)) if groups is None else groups
    fold = np.full(len(y), -1)
    if folds:
        parts = StratifiedGroupKFold(folds, shuffle=True, random_state=7).split(y, y, groups)
        for number, (_, held_out) in enumerate(parts):
            fold[held_out] = number
    if isinstance(X, pd.DataFrame):
        kinds = {name: np.float64 if tables.is_number(X[name]) else str for name in X}
        arrays = {f"column:{name}": X[name].to_numpy(dtype=kind) for name, kind in kinds.items()}
    else:
        arrays = {"embedding": X, "classical": X, "ood": np.abs(X)}
    ids = np.array([f"{number:016x}" for number in range(len(y))])
    paths = np.array([f"{number}.png" for number in range(len(y))])
    names = np.array([f"g{group:04}" for group in groups])
    return Dataset(id=ids, path=paths, group=names, y=y, fold=fold, classes=NAMES[int(y.max()) + 1], arrays=arrays)


def predictions(n_classes: int, n: int = 80, of_a_group: int = 2, seed: int = 0) -> tuple[Dataset, np.ndarray]:
    """Return a development set in groups, and probabilities (n, n_classes) that are right for the most part."""
    X, y = numbers(n, n_classes, seed)
    rng = np.random.default_rng(seed)
    proba = rng.dirichlet(np.ones(n_classes), n) + 0.5 * np.eye(n_classes)[y]
    return dataset(X, y, np.arange(n) // of_a_group), proba / proba.sum(axis=1, keepdims=True)


def write_params(models: dict[str, dict], kind: str = "table", task: str = "t", **select: object) -> None:
    """Write a params.yaml of one task to the working folder, and what scan read.

    `models` holds each model's block but for its task.
    """
    block = {"kind": kind, "raw": "raw", "read": {}, "audit": {}, "split": {}}
    block |= {"preprocess": {}, "select": {"draws": 200} | select, "models": list(models)}
    features = "columns" if kind == "table" else "embedding"
    blocks = {name: {"task": task, "features": features} | own for name, own in models.items()}
    content = yaml.safe_load(PARAMS.read_text(encoding="utf-8")) | {"tasks": {task: block}, "models": blocks}
    Path("params.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    raw_changes.record(raw_changes.RawData.read("raw"), task)  # as after a scan


def train_and_evaluate(models: dict[str, dict]) -> None:
    """Run the stages `train` and `evaluate` of some models in the working folder, with blank charts."""
    with blank_charts():
        for name in models:
            train.main(name)
            evaluate.evaluate(params.model(name).task, name)


@contextlib.contextmanager
def blank_charts() -> Iterator[None]:
    """Let stages write charts that show nothing: drawing them takes nine tenths of `evaluate`.

    Real ones are looked at in evaluation/test_plots.py and test_out_of_fold.py.
    """
    blank = functools.partial(artifacts.write_bytes, data=dumped_image(np.full((4, 5, 3), 255, np.uint8)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plots, "save", lambda drawn, path: blank(path))
        yield


def dumped_image(pixels: np.ndarray, suffix: str = "PNG") -> bytes:
    """Return the bytes of an image file."""
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(pixels).save(out, suffix)
    return out.getvalue()


def classifier(name: str, seed: int = 7, **own: object) -> Classifier:
    """Return an unfitted scikit-learn classifier of the estimator `name`."""
    estimator = get_estimator(name)
    return estimator.build(estimator.Params(**own), seed)


MAKERS = {"array": numbers, "table": mixed}


def dumped(estimator: object) -> bytes:
    """Return the bytes that `joblib.dump` writes."""
    out = io.BytesIO()
    joblib.dump(estimator, out)
    return out.getvalue()


def drawn_image(seed: int, width: int = 300, height: int = 225, suffix: str = "PNG") -> bytes:
    """Return a drawn image file: a bright or dark disc on noise."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    disc = np.hypot(x - width / 2, y - height / 2) < 40 + seed % 3 * 20
    pixels = rng.integers(90, 160, (height, width, 3)) + np.where(disc, 80 if seed % 2 else -80, 0)[..., None]
    return dumped_image(pixels.clip(0, 255).astype(np.uint8), suffix)


def chessboard() -> bytes:
    """Return a PNG that no lesion is like."""
    fields = np.kron(np.indices((28, 28)).sum(0) % 2 * 255, np.ones((8, 8)))
    return dumped_image(np.repeat(fields[..., None], 3, axis=2).astype(np.uint8))


def lesion(number: int, width: int = 300, height: int = 225, suffix: str = "JPEG") -> bytes:
    """Return a drawn photo of a skin lesion as an image file: like the images of the demo."""
    from PIL import Image

    with Image.open(io.BytesIO(example.example(number))) as photo:
        pixels = np.asarray(photo.resize((width, height))).astype(int)
    pixels += np.random.default_rng(number).integers(-3, 4, pixels.shape)  # so that a PNG is as large as of a camera
    return dumped_image(pixels.clip(0, 255).astype(np.uint8), suffix)


def square(seed: int) -> np.ndarray:
    """Return a drawn image as a model sees it: uint8 RGB (224, 224, 3)."""
    return resize(decoding.decode(drawn_image(seed)).pixels)


def random_backbone(session: Path) -> Path:
    """Return a folder with `models/backbone/` of a random network, made once in the whole test session."""
    return made_once(session, "random_backbone", make_backbone)


def make_backbone(folder: Path) -> None:
    """Write `models/backbone/` of a random network to the folder."""
    model = _network.build(_backbone.fetch("random", 7))
    artifacts.write_npz(folder / paths.WEIGHTS, _network.get_weights(model))
    artifacts.write_bytes(folder / paths.EMBEDDER, _network.to_litert(model))


def use_backbone(session: Path) -> None:
    """Make the random network the working folder's backbone."""
    Path("models").mkdir(exist_ok=True)
    Path("models/backbone").symlink_to(random_backbone(session) / "models/backbone")


def embed(squares: np.ndarray) -> np.ndarray:
    """Return the embeddings (n, 1280) of images by the working folder's backbone."""
    embedder = litert.Embedder(Path(paths.EMBEDDER).read_bytes())
    return np.stack([embedder(shown) for shown in squares])


def learnt_head(session: Path) -> Path:
    """Return a folder with a backbone, 24 images and the files of a head learnt on them, see `learn_head`; made once, too."""

    def make(folder: Path) -> None:
        with folder_of(folder):
            learn_head(session)

    return made_once(session, "learnt_head", make)


def learn_head(session: Path) -> None:
    """Learn a head on 24 images in the working folder; who takes what it predicted need not import TensorFlow."""
    use_backbone(session)
    squares = np.stack([square(seed) for seed in range(24)])
    embedding, y = embed(squares), np.arange(24) % 2
    np.save("pixels.npy", squares)
    np.save("embedding.npy", embedding)
    fitted = mobilenetv2.build(HEAD, 7).fit(embedding, y, y, "t")
    Path("head").mkdir()
    fitted.save(Path("head"))
    joblib.dump(fitted, "fitted.joblib")
    np.save("proba.npy", fitted.predict_proba(embedding))


def describe(**own: object) -> Candidate:
    """Return the description of a logistic regression for a table of two classes; `own` replaces its values."""
    facts = {"task": "t", "model": "m", "estimator": "logreg", "features": "columns", "hyperparameters": {}}
    facts |= {"kind": "table", "classes": NAMES[2], "positive": NAMES[2][1], "input": None, "schema": []}
    return Candidate(**facts | {"versions": {}, "data_fingerprint": "ab" * 32, "files": {}} | own)


def write_candidate(folder: Path, files: dict[str, bytes], **own: object) -> Path:
    """Write a candidate, see `describe`, with these files to `folder`; return it."""
    for name, data in files.items():
        artifacts.write_bytes(folder / name, data)
    describe(files={name: artifacts.sha256(data) for name, data in files.items()}, **own).write(folder)
    return folder


def use_head(session: Path, name: str, dev: Dataset) -> None:
    """Make the head the working folder's candidate `name` of the task t; what it predicts is not out of fold."""
    learnt, X = learnt_head(session), dev.X("embedding")
    folder = Path(shutil.copytree(learnt / "head", f"models/t/candidates/{name}"))
    judged = ood_reference.score_training_samples("embedding", X, dev, [], folder)
    job = Job(name, params.model(name), params.task("t"), get_estimator("mobilenetv2"), [], dev, X)
    exporting.describe_candidate(job).write(folder)
    artifacts.write_npz(folder / "oof.npz", {"proba": np.load(learnt / "proba.npy")} | judged)
    artifacts.write_csv(folder / "history.csv", pd.DataFrame({"fold": [0], "epoch": [1], "loss": [1], "val_loss": [1]}))


def image_project(session: Path, models: dict[str, dict], program: Path | None = None, **select: object) -> Dataset:
    """Make the working folder a project of the image task t: 24 drawn PNG in raw/, dev.npz; return the latter.

    Its backbone is the random network, or a LiteRT `program`, for which TensorFlow is not imported.
    """
    if program:
        artifacts.write_bytes(paths.EMBEDDER, program.read_bytes())
    else:
        use_backbone(session)
    embedder = Path(paths.EMBEDDER).resolve()
    made = made_once(session, "drawn_by_program" if program else "drawn", functools.partial(draw_images, embedder))
    shutil.copytree(made, ".", dirs_exist_ok=True)
    write_params(models, "image", **select)
    dev = Dataset.load(Path("data/t/dev.npz"))
    return dataclasses.replace(dev, arrays={name: np.array(dev.arrays[name]) for name in dev.arrays})


def draw_images(embedder: Path, folder: Path) -> None:
    """Write raw/ and data/t/dev.npz to the folder, see `image_project`."""
    for seed in range(24):
        artifacts.write_bytes(folder / f"raw/{seed}.png", drawn_image(seed))
    squares = np.stack([square(seed) for seed in range(24)])
    run = litert.Embedder(embedder.read_bytes()).run
    seen = [run(shown, frozen_mean=True) for shown in squares]
    dev = dataset(np.stack([inference.output for inference in seen]), np.arange(24) % 2)
    dev.arrays["classical"] = np.stack([classical(shown) for shown in squares])
    dev.arrays["ood"] = np.stack([inference.frozen_mean for inference in seen])
    dev.save(folder / "data/t/dev.npz")


def held_out_set(dev: Dataset, n: int) -> Dataset:
    """Return the first `n` images of a development set as a test set."""
    test = dataset(dev.X("embedding")[:n], dev.y[:n], folds=0)
    test.arrays["ood"] = dev.X("ood")[:n]
    return test


def export(name: str, folder: Path, rule: DecisionRule | None = None) -> Path:
    """Write the bundle of the task t's candidate `name` in the working folder; return `folder`."""
    bundle.write(folder, Path(f"models/t/candidates/{name}"), rule or DecisionRule(), {"roc_auc": 0.5})
    return folder


@contextlib.contextmanager
def folder_of(path: Path):
    """Work in `path`, made if it is not there, for as long as the block lasts."""
    path.mkdir(parents=True, exist_ok=True)
    with contextlib.chdir(path):
        yield path


def score(models: dict[str, dict], n_dev: int, n_test: int) -> None:
    """Make the current folder a table project with groups of two whose champion is chosen and whose test set has been opened."""
    write_params(models)
    dataset(*mixed(n_dev), np.arange(n_dev) // 2).save(Path("data/t/dev.npz"))
    dataset(*mixed(n_test, seed=5), folds=0).save(Path("data/t/test.npz"))
    train_and_evaluate(models)
    select_best.main("t")
    holdout.main("t")
