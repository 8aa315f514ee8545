"""What the statistics promise, before they were rebuilt and now: `benchmarks/statistics.md`, from the files of results."""

from dataclasses import dataclass

from benchmarks.figures import RESULTS, Figure
from pipeline.core import artifacts

HEAD = """# The statistics, before and after

`make soak` measures what stands under *now*, and writes this page from the same files as [the page of all benchmarks](README.md),
which says how each is measured and by how many repetitions. *Before* was measured by simulation, too, on the code that these
statistics replaced. The formulas: [statistics](../docs/statistics.md).

| figure | before | now | bar |
|---|---|---|---|
"""


@dataclass(frozen=True)
class Row:
    """A figure of a file of results by its name there, and in words what it was before."""

    file: str
    figure: str
    before: str


ROWS = [
    Row("soak_choice", "100 samples: loss of true ROC AUC by the choice", "0.068"),
    Row("soak_choice", "20 groups of 5: loss of true ROC AUC by the choice", "0.109"),
    Row("soak_choice", "150 samples: equal models called different", "10 %"),
    Row("soak_choice", "20 groups of 5: equal models called different", "16 %"),
    Row("soak_choice", "60 samples of noise, best of five: interval of ROC AUC covers", "85 %"),
    Row("soak_promised", "60 samples: roc_auc", "covers 88 %"),
    Row("soak_promised", "60 samples: brier_score_loss", "covers 87 %"),
    Row("soak_promised", "60 samples of noise: roc_auc", "covers 88 %"),
    Row("soak_promised", "150 samples: roc_auc", "covers 92 %"),
    Row("soak_promise", "all sets: printed and hidden agree", "87 %"),
    Row("soak_thresholds", "20 positives of 40: true sensitivity of a target of .90", "0.860, printed as 0.900"),
    Row("soak_thresholds", "130 positives of 260: true sensitivity of a target of .90", "0.894, printed as 0.900"),
    Row("soak_monitor_weeks", "a column without a value: noticed", "1 to 17 of 40"),
    Row("soak_monitor_weeks", "a category with another value: noticed", "1 to 17 of 40"),
    Row("soak_monitor_weeks", "a tenth of the rows in another unit: noticed", "1 to 17 of 40"),
    Row("soak_notice", "weeks of another scanner: noticed", "1 to 17 of 40"),
    Row("soak_monitor_weeks", "prevalence .3 to .5: noticed within three weeks", "never summed over weeks"),
    Row("soak_monitor_weeks", "weeks without a change: noticed", ""),
    Row("drift_groups_five", "weeks with a false alarm, named", "44 %"),
    Row("drift_groups_five", "weeks with a false alarm, assumed", "44 %"),
    Row("soak_suspect_labels", "flipped labels among the first 60, of cleanlab's", "not there"),
    Row("soak_suspect_labels", "flipped labels among the first 60, against chance", "not there"),
    Row("soak_dcurves", "net benefit: largest difference to dcurves, in billionths", "not there"),
]


def page() -> str:
    """Return the page; a figure that was never measured here has no line."""
    lines = []
    for row in ROWS:
        path = RESULTS / f"{row.file}.json"
        content = artifacts.read_json(path) if path.exists() else {"figures": []}
        for figure in (Figure(**each) for each in content["figures"] if each["what"] == row.figure):
            verdict = figure.bar + ("" if figure.passed else ": **missed**")
            lines.append(
                f"| {figure.what} | {row.before} | {f'{figure.value:.3g} {figure.unit}'.rstrip()} | {verdict} |"
            )
    return HEAD + "\n".join(lines) + "\n"
