"""Is what was served like the training data: figures by reference implementations, intervals and verdicts by simulation."""

import numpy as np
import pytest

from pipeline.monitoring import comparisons, drift, histograms
from pipeline.monitoring.histograms import Reference, Tally
from pipeline.stats import intervals

CLASSES = ["benign", "malignant"]
K = 16


def shown(n, seed, far=0.0, aside=0.0, malignant=0.4, k=K):
    """Return the counts of n samples: `far` and `aside` move distances, and components along the first direction."""
    rng = np.random.default_rng(seed)
    distance = rng.gamma(16, 0.6 / 16, n) + far
    components = rng.normal(size=(n, k))
    components[:, :1] += aside
    p = np.where(rng.random(n) < malignant, 0.9, 0.1)
    return histograms.count_predictions(
        CLASSES, (p > 0.5).astype(int), np.column_stack([1 - p, p]), distance, components, distance > 1
    )


def reference(n=600, n_groups=500, k=K):
    return Reference(shown(n, 1, k=k), n_groups, [f"direction {j}" for j in range(1, k + 1)])


def only(report, of):
    return [figure for figure in report.figures if figure.of == of]


def test_similar_samples_raise_no_alarm():
    trained = reference()
    verdicts = [drift.compare([shown(300, seed)], trained, "image").verdict for seed in range(2, 202)]
    assert verdicts.count("unlike") == 0
    assert verdicts.count("shifted") <= 0.08 * len(verdicts)  # meant: 5 %


def test_many_refusals_are_an_alarm_with_both_shares_in_words():
    result = drift.compare([shown(200, 2, far=0.3)], reference(), "image")
    (refused,) = only(result, "refused")
    assert result.verdict == "unlike"
    assert refused.ci[0] > comparisons.REFUSED
    assert refused.training == pytest.approx(0.01, abs=0.02)
    assert result.sentence.startswith("The images of the last 7 days are clearly different from the training data: ")
    assert f"{refused.served:.0%} refused against {refused.training:.0%}" in result.sentence
    assert result.sentence.endswith("Collect labels before trusting the answers.")


def test_a_shift_to_one_side_is_found_at_equal_distance():
    result = drift.compare([shown(200, 2, aside=1.2)], reference(), "image")
    first, *others = only(result, "place")
    assert result.verdict == "unlike"
    assert first.alarm
    assert not any(item.alarm for item in [*others, *only(result, "refused"), *only(result, "distance")])
    assert (
        "in one direction of content, the served image lies on the same side of the training image in 8"
        in result.sentence
    )
    below = drift.compare([shown(200, 2, aside=-1.2)], reference(), "table")
    assert "in column 'direction 1' the served row lies below the training row in 8" in below.sentence


def test_other_answers_are_an_alarm_in_either_direction():
    for share, sign in ((0.9, "+"), (0.05, "-")):
        result = drift.compare([shown(200, 2, malignant=share)], reference(), "image")
        (answer,) = only(result, "answer")  # of two classes one says it all
        assert (answer.name, answer.alarm, result.verdict) == ("malignant", True, "unlike")
        assert f"answered malignant against {answer.training:.0%} (difference {sign}" in result.sentence


def test_a_sure_but_small_difference_is_said_to_be_small():
    result = drift.compare([shown(3000, 2, aside=0.3)], reference(3000, 3000), "image")
    assert result.verdict == "shifted"
    assert "perhaps only slightly" in result.sentence


def test_under_fifty_samples_nothing_is_said():
    result = drift.compare([shown(49, 2, far=3)], reference(), "table")
    assert (result.verdict, result.figures) == ("too few", [])
    assert result.sentence == "Too few to compare: 49 rows in the last 7 days; at least 50 are needed."
    assert drift.compare([shown(50, 2, far=3)], reference(), "table").verdict == "unlike"


def test_a_bundle_without_a_reference_gets_no_verdict():
    result = drift.compare([shown(200, 2)], None, "image")
    assert result.verdict == "unknown"
    assert "dvc repro" in result.sentence


def test_samples_of_one_group_count_as_one():
    few, many = (drift.compare([shown(200, 2)], reference(600, n), "image") for n in (60, 600))
    for of in ("refused", "distance", "place", "answer"):
        narrow, wide = (np.diff(only(result, of)[0].ci)[0] for result in (many, few))
        assert wide > 1.1 * narrow


def test_missing_answers_or_components_leave_the_other_figures():
    result = drift.compare([shown(200, 2, far=5, k=0)], reference(k=0), "table")
    assert [figure.of for figure in result.figures] == ["refused", "distance"]
    assert result.verdict == "unlike"
    nothing_refused = drift.compare([Tally(answers={"benign": 200})], reference(), "image")
    assert {figure.of for figure in nothing_refused.figures} == {"refused", "answer"}


def test_named_groups_widen_the_intervals_as_if_each_were_one():
    served, known = shown(300, 2), shown(300, 2)
    known.grouped, known.squares = 300, 60 * 25
    few, many = comparisons.figures([known], reference()), comparisons.figures([served], reference())
    for a, b in zip(few, many, strict=True):
        assert a.ci[1] - a.ci[0] > b.ci[1] - b.ci[0]
    n, k = 60, known.refused / 5
    level = 1 - 0.05 * (1 - comparisons.OF_ANSWERS) / (2 + 3 * K)
    expected = intervals.of_difference(
        known.refused / 300,
        list(intervals.wilson(k, n, level)),
        reference().tally.refused / 600,
        list(intervals.wilson(reference().tally.refused / 600 * 500, 500, level)),
    )
    assert few[0].ci == pytest.approx(tuple(expected))


def test_what_is_assumed_of_unnamed_samples_is_in_the_sentence():
    served = shown(300, 2)
    effects = {"refused": 2.0, "distance": 3.0}
    assumed = Reference(reference().tally, 500, reference().names, effects)
    text = drift.compare([served], assumed, "image").sentence
    assert "300 of 300 came without a group, so it is assumed that as many are of one patient as in development" in text
    assert "design effect up to 3.0" in text
    served.grouped, served.squares = 300, 300
    assert "assumed" not in drift.compare([served], assumed, "image").sentence
    assert "assumed" not in drift.compare([shown(300, 2)], reference(), "image").sentence


def with_values(counts, share, n, new=0):
    """Return counts of which a share has the value arm in the column site, the others leg."""
    counts.categories = {"site": {"arm": round(share * n), "leg": n - round(share * n) - new}}
    counts.new_categories = {"site": new} if new else {}
    return counts


def of_sites(n=600):
    return Reference(with_values(shown(n, 1), 0.5, n), 500, [f"direction {j}" for j in range(1, K + 1)])


@pytest.mark.parametrize(("share", "new"), [(1.0, 0), (0.0, 0), (0.5, 75)])
def test_another_value_of_a_category_is_an_alarm(share, new):
    result = drift.compare([with_values(shown(150, 2), share, 150, new)], of_sites(), "table")
    assert result.verdict == "unlike"
    assert "with site: " in result.sentence


def test_missing_column_is_an_alarm():
    week = shown(150, 2)
    week.components[0] = 0
    result = drift.compare([week], reference(), "table")
    assert result.verdict == "unlike"
    assert "100% without a value of 'direction 1' against 0%" in result.sentence


def test_out_of_range_values_in_ten_percent_are_noticed():
    week, trained = shown(150, 2, k=1), reference(k=1)
    for counts in (week, trained.tally):  # within the range that training saw
        counts.components[0] = 0
        counts.components[0, 12] = counts.n
    week.components[0, [12, 30]] = [135, 15]
    result = drift.compare([week], trained, "table")
    (outside,) = only(result, "outside")
    assert outside.differs
    assert outside.served == 0.1


def test_evidence_of_a_prevalence_adds_up_over_weeks():
    before = [shown(60, seed, malignant=0.4) for seed in (2, 3, 4)]
    after = [shown(60, seed, malignant=0.62) for seed in (2, 3, 4)]
    assert drift.compare(before, reference(), "image").verdict == "alike"
    figures = [figure for figure in drift.compare(after, reference(), "image").figures if figure.of == "probability"]
    assert [figure.days for figure in figures] == [7, 14, 21]
    widths = [figure.ci[1] - figure.ci[0] for figure in figures]
    assert widths == sorted(widths, reverse=True)
    assert figures[-1].differs
    assert "over 21 days" in drift.compare(after, reference(), "image").sentence or figures[0].differs


def test_weeks_without_samples_add_no_figure():
    figures = drift.compare([Tally(), shown(150, 2)], reference(), "image").figures
    assert [figure.days for figure in figures if figure.of == "probability"] == [7]
