"""On real photos: are flipped labels found as by cleanlab, and do explanations depend on what the model learnt?

Embeddings of all photos, a logistic regression, folds by lesion. The second question is the randomisation test of Adebayo et al.
2018, "Sanity checks for saliency maps": a map that stays the same when the model's weights, or the labels that it was fitted on,
are put in random order shows the image and not the model.
"""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.preprocessing import StandardScaler

from benchmarks.figures import Figure, save
from pipeline.data import litert
from pipeline.data.images import decoding
from pipeline.prediction.explanation import class_activation
from pipeline.stats.confident_learning import suspects
from soak.real_data import DATA, read_labels

FIRST, SHARE, MAPS, DRAWS = 60, 0.05, 40, 10
EMBEDDER = Path("models/backbone/embedder.tflite")
CLEANLAB = """
import json, sys
import numpy as np
from cleanlab.filter import find_label_issues
saved = np.load(sys.argv[1])
print(json.dumps(find_label_issues(saved["y"], saved["proba"], return_indices_ranked_by="self_confidence").tolist()))
"""


@pytest.fixture(scope="module")
def photos() -> tuple[np.ndarray, np.ndarray, np.ndarray, list[np.ndarray]]:
    """The embeddings (n, n_features), classes and groups of all photos, and the feature maps of some of them."""
    if not DATA.is_dir() or not EMBEDDER.exists():
        pytest.skip("the real data are not here, or 'dvc repro backbone' has not run")
    rows, embedder = read_labels(DATA), litert.Embedder(EMBEDDER.read_bytes())
    shown = set(np.random.default_rng(7).choice(len(rows), MAPS, replace=False).tolist())
    embeddings, maps = [], []
    for number, row in enumerate(rows):
        result = embedder.run(decoding.square((DATA / row["path"]).read_bytes()), feature_map=number in shown)
        embeddings.append(result.output)
        if number in shown:
            maps.append(result.feature_map)
    names = sorted({row["label"] for row in rows})
    y = np.array([names.index(row["label"]) for row in rows])
    return np.array(embeddings), y, np.array([row["group"] for row in rows]), maps


def fitted(X: np.ndarray, y: np.ndarray) -> LogisticRegression:
    """Return a logistic regression as strict as the demo's."""
    return LogisticRegression(C=0.001, max_iter=1000).fit(X, y)


def by_cleanlab(folder: Path, y: np.ndarray, proba: np.ndarray) -> list[int]:
    """Return the rows that the package holds to be wrong, the most suspect first; it runs in an environment of its own."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    python = folder / "bin/python"
    done = subprocess.run(
        [python, "-m", "pip", "install", "-q", "cleanlab"], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip(f"cleanlab cannot be installed: {done.stderr.strip()[-200:]}")
    np.savez(folder / "given.npz", y=y, proba=proba)
    done = subprocess.run([python, "-c", CLEANLAB, folder / "given.npz"], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_flipped_labels_come_first_as_by_cleanlab(photos, tmp_path):
    X, y, groups, _ = photos
    wrong = np.random.default_rng(7).choice(len(y), round(SHARE * len(y)), replace=False)
    y = y.copy()
    y[wrong] = 1 - y[wrong]
    X, proba = StandardScaler().fit_transform(X), np.empty((len(y), 2))
    for rows, held_out in StratifiedGroupKFold(5, shuffle=True, random_state=7).split(X, y, groups):
        proba[held_out] = fitted(X[rows], y[rows]).predict_proba(X[held_out])
    hits = len(set(suspects(y, proba).rows[:FIRST]) & set(wrong))
    of_package = len(set(by_cleanlab(tmp_path / "venv", y, proba)[:FIRST]) & set(wrong))
    by_chance = FIRST * SHARE
    rows = [
        Figure(
            "flipped labels among the first 60, of cleanlab's",
            hits / of_package,
            f"{hits} / {of_package}",
            at_least=0.9,
        ),
        Figure(
            "flipped labels among the first 60, against chance", hits / by_chance, f"{hits} / {by_chance:g}", at_least=5
        ),
    ]
    save("soak_suspect_labels", "Flipped labels of real photos are found", rows, command="make soak")
    assert [row for row in rows if not row.passed] == []


def likeness(a: list[np.ndarray], b: list[np.ndarray]) -> float:
    """Return the mean over images of Spearman's correlation of two maps."""
    return float(np.mean([spearmanr(x, y).statistic for x, y in zip(a, b, strict=True)]))


def test_explanations_depend_on_weights_and_labels(photos):
    X, y, _, maps = photos
    scaler, rng = StandardScaler().fit(X), np.random.default_rng(7)
    X = scaler.transform(X)

    def heat(weights: np.ndarray) -> list[np.ndarray]:
        both = np.column_stack([-weights, weights])
        return [class_activation(of_image, both, np.zeros(2), 1).ravel() for of_image in maps]

    def weights(rows: np.ndarray, labels: np.ndarray) -> np.ndarray:
        return np.asarray(fitted(X[rows], labels[rows]).coef_[0] / scaler.scale_)

    whole = np.ones(len(y), bool)
    learnt = weights(whole, y)
    randomised = {
        "random weights": lambda: rng.permutation(learnt),
        "random labels": lambda: weights(whole, rng.permutation(y)),
        "another half of the photos": lambda: weights(rng.random(len(y)) < 0.5, y),
    }
    rows = []
    for name, draw in randomised.items():
        alike = [likeness(heat(learnt), heat(draw())) for _ in range(DRAWS)]
        how = f"Spearman's correlation of {MAPS} maps, mean of {DRAWS} draws, {min(alike):.2f} to {max(alike):.2f}"
        bar = {"at_least": 0.7} if "half" in name else {"at_most": 0.3}
        rows.append(Figure(f"explanations of a model of {name}", float(np.mean(alike)), how, **bar))
    save("soak_random_models", "Explanations depend on what the model learnt", rows, command="make soak")
    assert [row for row in rows if not row.passed] == []
