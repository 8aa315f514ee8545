"""The model card."""

from pipeline.reporting import model_card, results


def test_the_card_names_model_use_and_open_points(rows):
    study = results.read("t")
    card = dict(model_card.card(study))
    assert card["Model details"][0].startswith(f"{study.winner}: logreg (")
    assert "Research use; it is not a medical device." in card["Intended use"]
    assert card["Factors"][0] == "Reported separately by age."
    assert card["Training data"] == ["200 rows of 100 groups; see Data and Split."]
    assert [title for title, lines in card.items() if any(line.startswith(model_card.AUTHOR) for line in lines)] == [
        "Model details", "Intended use", "Factors", "Ethical considerations",
    ]  # fmt: skip
