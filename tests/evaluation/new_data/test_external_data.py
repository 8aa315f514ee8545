"""Samples of another source that are in the task's own data are found, with their copies and groups."""

from pipeline.evaluation.new_data import external_data


def test_copies_of_copies_are_overlap_and_copies_form_groups():
    inside, groups = external_data.match_copies([(0, 2), (2, 3), (4, 5)], ["dev", "test"], ["", "", "a", "b", "b"])
    assert inside.tolist() == ["dev", "dev", "", "", ""]
    assert groups[0] == groups[1]
    assert groups[2] == groups[3] == groups[4]  # 4 and 5 are copies, 5 and 6 of one patient
    assert groups[0] != groups[2]


def test_overlap_with_training_takes_precedence_over_test():
    inside, _ = external_data.match_copies([(1, 2), (0, 3), (1, 3)], ["dev", "test"], ["", ""])
    assert inside.tolist() == ["dev", "dev"]  # 0, 1, 2 and 3 hang together
    inside, _ = external_data.match_copies([(1, 2), (0, 3)], ["dev", "test"], ["", ""])
    assert inside.tolist() == ["test", "dev"]


def test_labels_are_translated_and_those_of_no_class_are_empty():
    labels = external_data.translate(["mel", "benign", "scar"], ["benign", "malignant"], {"mel": "malignant"})
    assert labels == ["malignant", "benign", ""]
