"""The mistakes of a model are listed, the most confident first."""

from app.views.answer import percent
from pipeline.core import artifacts
from pipeline.evaluation import mistakes
from tests.helpers import pages
from tests.helpers.page_projects import champion
from tests.helpers.pages import opened


def test_the_mistakes_are_those_of_the_confusion_matrix(compared):
    page, table = opened("compare", "t", "One model"), mistakes.of_model("t", champion())
    matrix = artifacts.read_json(f"reports/t/cv/{champion()}.json")["counts"]["confusion"]
    wrong = {(a, b): n for a, row in matrix.items() for b, n in row.items() if a != b and n}
    assert table.groupby(["label", "decided"]).size().to_dict() == wrong
    shown = pages.table(page, "Taken for")
    assert shown["Probability"].tolist() == [percent(p) for p in table["probability"].head(len(shown))]
    (kind, n) = max(wrong.items(), key=lambda item: item[1])
    (choice,) = [radio for radio in page.radio if radio.label == "Kind of mistake"]
    page = choice.set_value(f"{kind[0]} taken for {kind[1]} ({n})").run()
    assert set(pages.table(page, "Taken for")["Taken for"]) == {kind[1]}
