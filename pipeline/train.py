"""Stage `train@model`: cross-fit a model over the common folds, then fit it on the whole development set.

Values that its block lists are tried, and one is chosen inside each training fold.

Reads dev.npz only. Writes to `models/<task>/candidates/<model>/`: the model (`model.joblib`, or `model.keras` with its twin
`model.tflite`), oof.npz (`proba` float64 (n_repeats * n_dev, n_classes): each sample's probabilities by a model that did not see
it, one repeat of the folds after the other; `distance` (n_dev,): how unlike the other folds it is; `beyond` (n_dev,): how far
numbers beside a picture lie outside of theirs; `places` float32 (n_dev, k): on which side it lies, see `judge` in
`prediction.ood_images` and `prediction.ood_tables`), of pictures known.npz, history.csv (fold, epoch, loss, val_loss), of a table
importance.csv (column, importance: the mean over folds of `cross_fit.permuted`, and the least and the most), and candidate.json
(all of the bundle that training knows).
"""

from pipeline.core import params
from pipeline.core.stage import run
from pipeline.prediction.ood_reference import score_training_samples
from pipeline.training import export, tuning
from pipeline.training.cross_fit import cross_fit
from pipeline.training.job import announce, load_job, remove_scratch


def main(name: str) -> None:
    job = load_job(name)
    side_by_side = job.estimator.use_workers(params.workers())
    announce(job)
    fitted = cross_fit(job.builds, job.X, job.dev, side_by_side, f"train {name}", params.seed())
    export.save(fitted.model, job.folder)
    ood = score_training_samples(fitted.model, job.X, job.dev, job.schema, job.folder)
    tuned = tuning.describe(job.model.own, fitted.by_fold, fitted.on_all, fitted.log_loss) if job.is_tuned else None
    export.write(job.folder, export.describe(job, tuned), fitted, ood)
    remove_scratch(job.X)


if __name__ == "__main__":
    run(main)
