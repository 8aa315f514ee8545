"""Several columns that are one label, and labels of which a sample has several."""

from pathlib import Path

import pandas as pd
import pytest

from pipeline.core.errors import DataError
from pipeline.data import tables
from pipeline.data.columns.one_label import check_joined, find_one_hot
from tests.helpers.folders import NAMES, list_images
from tests.helpers.samples import put


def test_one_hot_columns_are_one_label(tmp_path):
    text = "image,MEL,NV,BCC\n" + "".join(
        f"{name},{n % 3 == 0:d}.0,{n % 3 == 1:d}.0,{n % 3 == 2:d}.0\n" for n, name in enumerate(NAMES)
    )
    root = put(tmp_path / "raw", {f"train/{name}.jpg": b"" for name in NAMES} | {"l.csv": text})
    one_hot = find_one_hot(tables.read_csv(root / "l.csv"), root / "l.csv")
    assert one_hot == ["MEL", "NV", "BCC"]
    samples, _ = list_images(root, csv="l.csv", path_column="image", images=["train"], one_hot=one_hot)
    assert [sample.label for sample in samples.values()][:4] == ["MEL", "NV", "BCC", "MEL"]


def test_several_labels_a_row_are_refused_as_multi_label():
    table = pd.DataFrame({"A": ["1", "0", "1"], "B": ["1", "1", "0"], "C": ["0", "0", "0"]})
    with pytest.raises(DataError, match=r"l.csv: is multi-label: 1 rows have a 1 in several of the columns A, B, C"):
        find_one_hot(table, Path("l.csv"))


def test_several_labels_in_a_cell_are_refused_as_multi_label():
    with pytest.raises(
        DataError, match=r"is multi-label: column 'f' holds several labels in a cell.+Mass\|Nodule' in row 3"
    ):
        check_joined(pd.Series(["Mass", "Nodule", "Mass|Nodule"]), "f", Path("l.csv"))


@pytest.mark.parametrize("words", [["T1, left", "T2"], ["a+b", "c"], ["squamous; large", "adeno"]])
def test_signs_inside_of_a_label_are_no_second_one(words):
    check_joined(pd.Series(words), "f", Path("l.csv"))
