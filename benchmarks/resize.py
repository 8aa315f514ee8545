"""What `read.resize` changes: ROC AUC of a logistic regression on embeddings of images that are not square, by lesion."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.figures import DATA, Figure, save
from pipeline.core import paths
from pipeline.data import litert
from pipeline.data.images import decoding
from pipeline.data.images.pixel_rule import PixelRule

N = 350  # lesions of each of two classes
SEEDS = range(5)
HAM = DATA / "ham10000"


def chosen() -> pd.DataFrame:
    """Return an image of each of N melanomas and N nevi: path, label, group."""
    table = pd.read_csv(HAM / "labels.csv", dtype=str)
    table = table[table["label"].isin(["mel", "nv"])].drop_duplicates("group")
    return table.groupby("label").head(N).reset_index(drop=True)


def main() -> None:
    if not HAM.is_dir() or not paths.EMBEDDER.exists():
        sys.exit(
            f"benchmarks.resize needs {HAM} (set ASSAY_DATA) and {paths.EMBEDDER.as_posix()} ('dvc repro backbone')"
        )
    table = chosen()
    y = (table["label"] == "mel").to_numpy()
    embed = litert.Embedder(paths.EMBEDDER.read_bytes())
    figures = []
    for how in ("stretch", "letterbox", "crop"):
        X = np.stack(
            [embed(decoding.square(Path(HAM, path).read_bytes(), PixelRule(resize=how))) for path in table["path"]]
        )
        model = make_pipeline(StandardScaler(), LogisticRegression(C=0.001, max_iter=2000))
        scores = []
        for seed in SEEDS:
            folds = StratifiedGroupKFold(5, shuffle=True, random_state=seed)
            proba = cross_val_predict(model, X, y, groups=table["group"], cv=folds, method="predict_proba")[:, 1]
            scores.append(roc_auc_score(y, proba))
        spread = (
            f"{len(table)} images of 600 x 450 px, {len(SEEDS)} divisions, from {min(scores):.3f} to {max(scores):.3f}"
        )
        figures.append(Figure(f"ROC AUC with {how}", float(np.mean(scores)), spread))
    save("resize", "Resize", figures)


if __name__ == "__main__":
    main()
