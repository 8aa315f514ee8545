"""Two models side by side: their figures, and the differences that the stage wrote."""

import pandas as pd
import pytest

from tests.helpers import pages
from tests.helpers.page_projects import MODELS, champion
from tests.helpers.pages import opened

NAMES = list(MODELS)


def test_the_difference_of_two_models_is_that_of_the_stage(compared):
    page = opened("compare", "t", "Two models")
    written = pd.read_csv("reports/t/differences.csv").set_index(["model", "other", "figure"])
    assert len(written) % (len(NAMES) * (len(NAMES) - 1) // 2) == 0
    for model, other in ((champion(), None), (NAMES[0], NAMES[1]), (NAMES[1], NAMES[0])):
        page.selectbox[0].select(model).run()
        if other:
            page.selectbox[1].select(other).run()
        other = page.selectbox[1].value
        assert other != model
        sign = 1 if (model, other, "roc_auc") in written.index else -1
        row = written.loc[(model, other, "roc_auc") if sign == 1 else (other, model, "roc_auc")]
        shown = pages.table(page, "Figure").set_index("Figure").loc["ROC AUC"]
        assert float(shown["Difference"]) == pytest.approx(sign * row["difference"], abs=6e-4)
        ends = sorted((sign * row["low"], sign * row["high"]))
        assert shown["95 % interval"] == f"[{ends[0]:.3f}, {ends[1]:.3f}]"
        assert float(shown[model]) - float(shown[other]) == pytest.approx(float(shown["Difference"]), abs=1.1e-3)
