"""The page Compare shows what a model is good for: decision curve, predictive values, sample size and learning curve."""

from tests.helpers import pages
from tests.helpers.page_projects import champion
from tests.helpers.pages import opened, text_of


def test_decision_curve_and_predictive_values_are_shown_of_two_classes(compared):
    page = opened("compare", "t", "Threshold")
    assert "Decision curve, out of fold" in [entry.value for entry in page.subheader]
    assert list(pages.table(page, "Threshold"))[1:3] == ["Model", "Treat all"]
    assert pages.table(page, "Prevalence")["Prevalence"].str.contains("in these data").sum() == 1
    assert f"{champion()}: " in text_of(page).replace("\\", "")


def test_several_classes_have_no_decision_curve(four_classes, work_in_copy):
    work_in_copy(four_classes)
    headings = [entry.value for entry in opened("compare", "t", "Threshold").subheader]
    assert "Sample size" in headings
    assert "Decision curve, out of fold" not in headings
