"""The label of a CSV of images, and the columns that are other names of it."""

from pathlib import Path

import pandas as pd

from pipeline.data.columns.label_columns import name_labels, other_names_of_label

DX = ["mel", "nv", "nv", "bcc"] * 10


def test_columns_whose_values_go_with_one_label_are_named():
    values = {"malignant": ["1", "0", "0", "1"] * 10, "dx_code": [word[0] for word in DX], "site": ["arm", "leg"] * 20}
    table = pd.DataFrame(values | {"id": [str(n) for n in range(40)]})
    assert other_names_of_label(table, pd.Series(DX)) == ["dx_code"]


def test_one_hot_columns_stand_in_for_a_missing_label():
    columns = {name: [str(int(word == name)) for word in DX] for name in ("mel", "nv", "bcc")}
    roles = name_labels(pd.DataFrame(columns), Path("l.csv"), None, None)
    assert roles.label is None
    assert roles.one_hot == ("mel", "nv", "bcc")
    assert name_labels(pd.DataFrame({"age": ["1"] * 40, "dx": DX}), Path("l.csv"), None, None).label == "dx"
