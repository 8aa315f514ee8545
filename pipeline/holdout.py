"""Stage `holdout@task`: evaluate the test set after the champion is selected, with the serving Predictor.

Writes `reports/<task>/test/<model>.json` and `leaderboard.csv`; adds to `test_looks.csv` (see
`evaluation.new_data.test_set_evaluations`). If a shipped split leaks, the champion's report also has the result that the leak
would have produced (see `evaluation.new_data.held_out`).
"""

import sys
from dataclasses import replace

from pipeline.core import artifacts, params, params_models
from pipeline.core.paths import TaskPaths
from pipeline.core.stage import run
from pipeline.data import raw_changes
from pipeline.data.dataset import Dataset
from pipeline.evaluation import selection
from pipeline.evaluation.by_group import per
from pipeline.evaluation.metric_names import in_brackets
from pipeline.evaluation.new_data import test_set_evaluations
from pipeline.evaluation.new_data.held_out import as_published, candidate, rank, score_model
from pipeline.evaluation.report import read_cv

# The stage `report` depends on this folder, which DVC requires also for a task without external data.
EXTERNAL = b"Reports on data of other sources, one per data set: see `python -m pipeline.external --help`.\n"


def main(name: str) -> None:
    task = params.task(name)
    metric, winner = task.select.metric, selection.read(name).winner
    test = Dataset.read(name, "test")
    key = params_models.metric_key(metric, len(test.classes))
    test_set_evaluations.read(TaskPaths(name).test_set_evaluations)  # fails early if the file cannot be read
    with raw_changes.as_scanned(name, task.raw, "holdout"):
        tests = {model: score_model(name, model, task, test) for model in task.models}
    tests[winner] = replace(tests[winner], as_published=as_published(name, winner, test))
    reports = {model: read_cv(name, model) for model in task.models}
    for model, report in tests.items():
        artifacts.write_json(TaskPaths(name).test_report(model), report)
    artifacts.write_bytes(TaskPaths(name).reports / "external/README.md", EXTERNAL)
    artifacts.write_csv(TaskPaths(name).leaderboard, rank(reports, tests, winner, metric, key, task.select.unit))
    test_set_evaluations.note(name, test.fingerprint, {model: candidate(name, model) for model in task.models})
    opened = tests[winner].of_unit(task.select.unit)
    figure = f"test {metric}{per(task.select.unit)} {opened[key]:.3f}{in_brackets(opened.ci[key])}"
    print(
        f"holdout {name}: {winner}: {figure}, {test_set_evaluations.in_words(test_set_evaluations.count(name, winner))}",
        file=sys.stderr,
    )


if __name__ == "__main__":
    run(main)
