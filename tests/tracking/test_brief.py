"""The table of runs opens with a few figures and their intervals."""

from pipeline.tracking import brief
from pipeline.tracking.run_record import Record


def record(metrics: dict[str, float]) -> Record:
    return Record("t", "m", "key", {}, metrics, [], {}, "data")


def test_six_figures_are_shown_with_their_intervals():
    metrics = {f"oof_{key}": 0.5 for key in brief.PREFERRED} | {
        "oof_roc_auc_low": 0.4,
        "oof_roc_auc_high": 0.61,
        "oof_f1": 1.0,
        "oof_specificity": 0.999,
    }
    texts = brief.figures(record(metrics))
    assert len(texts) == brief.MOST == 6
    assert texts["ROC AUC"] == ".50 .40-.61"
    assert (texts["Sensitivity"], texts["Specificity"]) == (".50", "1.0")


def test_the_champion_is_the_first_column():
    columns = brief.view("roc_auc", "roc_auc", ["ROC AUC"])["selectedColumns"]
    assert columns[:2] == ["tags.`champion`", "tags.`ROC AUC`"]
