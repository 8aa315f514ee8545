"""Stage `learning_curve@task`: fit the champion on a quarter, half and three quarters of each training fold.

Writes `reports/<task>/learning_curve.json`: ROC AUC and log loss out of fold at each size, and what twice the data are expected
to bring. Costs three fits per fold; a fine-tuned network has none, because that would take three times as long as its training.
"""

from pipeline.core import artifacts, params
from pipeline.core.paths import TaskPaths
from pipeline.core.stage import run
from pipeline.data.dataset import Dataset
from pipeline.evaluation import selection
from pipeline.evaluation.usefulness import training_sizes
from pipeline.evaluation.usefulness.learning_curve import LearningCurve


def main(name: str) -> None:
    model = selection.read(name).winner
    block = params.model(model)
    if block.estimator == "dummy" or block.features == "pixels":
        reason = f"{model} learns nothing" if block.estimator == "dummy" else f"{model} would take minutes for each fit"
        curve = LearningCurve(model, reason=reason)
    else:
        dev = Dataset.read(name, "dev")
        curve = training_sizes.score(
            dev, model, *training_sizes.predict(name, model, dev), params.task(name).select.draws
        )
    artifacts.write_json(TaskPaths(name).learning_curve, curve)


if __name__ == "__main__":
    run(main)
