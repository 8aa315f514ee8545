"""Which names of folders are those of a shipped split."""

import pytest

from pipeline.data.folders.folder_names import split_names
from tests.helpers.folders import AB, reading, subsets


@pytest.mark.parametrize(
    ("train", "test"),
    [("train_set", "test_set"), ("Training Images", "Testing Images"), ("ISIC_Training_Input", "ISIC_Test_Input"),
     ("trainset", "testset"), ("data_train", "data_val"), ("01_train", "02_test")],
)  # fmt: skip
def test_split_folders_keep_the_shipped_split(tmp_path, train, test):
    layout = reading(tmp_path, [f"{folder}/{c}/{n}.png" for folder in (train, test) for c in AB for n in range(3)])
    assert layout.roles.folders == "split/class"
    assert {subset for _, subset in subsets(layout)} in ({"train", "test"}, {"train", "valid"})


@pytest.mark.parametrize(
    "names", [("tested", "trained"), ("train", "benign"), ("test1", "test2"), ("latest", "contest")]
)
def test_other_words_are_no_splits(names):
    assert len(split_names(names)) < len(names)
