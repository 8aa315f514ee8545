"""Stage `train@model`: cross-fit a model over the task's folds, then fit it on the whole development set.

Parameters with a list of values are tuned inside each training fold. The test set is not read.
Writes to `models/<task>/candidates/<model>/`:

- the model: `model.joblib`, or `model.keras` and the same network as `model.tflite`; for images known.npz (see `ood_images`)
- oof.npz: `proba`, float64 (n_repeats * n_dev, n_classes), by models fitted without the sample's fold, one repeat after the
  other; `distance` (n_dev,) to the other folds; `view_distance` (n_views,), that of images' views; `beyond` (n_dev,), the
  distance of clinical columns from their ranges; `places`, float32 (n_dev, k), the components of the distance (see
  `prediction.ood_reference`)
- history.csv: fold, epoch, loss, val_loss
- importance.csv of a table: column, importance (the mean over folds of `training.importance`), and the least and the most
- candidate.json: `training.candidate.Candidate`
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
    export.save_model(fitted.model, job.folder)
    ood = score_training_samples(job.model.features, job.X, job.dev, job.schema, job.folder)
    tuned = (
        tuning.describe_choice(job.model.own, fitted.by_fold, fitted.on_all, fitted.log_loss) if job.is_tuned else None
    )
    export.write_results(job.folder, export.describe_candidate(job, tuned, fitted.model.chosen_), fitted, ood)
    remove_scratch(job.X)


if __name__ == "__main__":
    run(main)
