"""Lists are shortened to their first items and a count."""

from pipeline.data import wording


def test_long_lists_end_with_a_count():
    assert wording.some(["a", "b", "c"], 2) == "a, b and 1 more"
    assert wording.some(["a"], 2) == "a"


def test_the_commonest_value_comes_first():
    assert wording.counted(["b", "a", "b"]) == "b 2, a 1"


def test_sizes_name_the_commonest_and_the_range():
    assert wording.sizes([]) == ""
    assert wording.sizes([(60, 40)] * 2) == "all 60x40 px"
    assert wording.sizes([(60, 40), (60, 40), (30, 90)]) == "2 sizes, 30 to 90 px a side; 2 are 60x40"


def test_listings_show_the_first_files_with_their_reasons():
    assert wording.listing([]) == ""
    lines = wording.listing([(f"{n}.png", "is empty") for n in range(7)]).splitlines()
    assert lines == ["7", *(f"{n}.png: is empty" for n in range(5)), "... and 2 more"]
