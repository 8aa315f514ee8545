"""What tests of several modules of `prediction` share."""

import json

from pipeline.core import artifacts

IMAGE_MODELS = {  # one of each kind of features
    "near": {"estimator": "knn", "n_neighbors": 3},
    "colours": {"estimator": "random_forest", "features": "classical", "n_estimators": 10},
    "net": {"estimator": "mobilenetv2"},
}
EXPLAINED = {  # besides
    "line": {"estimator": "logreg", "C": 0.001},
    "trees": {"estimator": "random_forest", "n_estimators": 10},
}
KEYS = ["file", "class", "probabilities", "decision", "refused", "reason"]


def rewrite(folder, **values):
    """Change keys of bundle.json."""
    content = json.loads((folder / "bundle.json").read_text()) | values
    artifacts.write_json(folder / "bundle.json", content)
