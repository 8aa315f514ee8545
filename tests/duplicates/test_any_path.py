"""Any folder or CSV is read as it lies there, with no task set up."""

from pathlib import Path

import pytest

from pipeline.core.errors import DataError
from pipeline.duplicates.any_path import collect
from tests.helpers.dicom import write_export
from tests.helpers.dicom_export import slices
from tests.helpers.samples import put

pytestmark = pytest.mark.filterwarnings("error")


def rows(folder):
    result = collect(folder)
    root, samples, skipped = result.root, result.samples, result.skipped
    columns = ["path", "label", "group", "shipped"]
    return root, list(samples[columns].itertuples(index=False, name=None)), skipped


def test_class_folders_give_labels_and_shipped_folders_the_split(tmp_path):
    put(tmp_path, {"train/benign/a.png": 1, "test/benign/b.png": 2, "train/chart.png": 3})
    root, samples, skipped = rows(tmp_path)
    assert root == tmp_path
    assert samples == [("test/benign/b.png", "benign", "", "test"), ("train/benign/a.png", "benign", "", "train")]
    assert [item.path for item in skipped] == ["train/chart.png"]


def test_a_folder_of_images_without_classes_will_do(tmp_path):
    put(tmp_path, {"b.png": 1, "a.jpg": 2, "notes.pdf": "x", ".hidden": "x"})
    _, samples, skipped = rows(tmp_path)
    assert samples == [("a.jpg", "", "", ""), ("b.png", "", "", "")]
    assert {item.path: item.reason for item in skipped} == {
        ".hidden": "a hidden or system file",
        "notes.pdf": "is no image by its name (.pdf)",
    }


def test_train_and_test_folders_without_classes_are_a_shipped_split(tmp_path):
    put(tmp_path, {"train/a.png": 1, "test/b.png": 2})
    assert rows(tmp_path)[1] == [("test/b.png", "", "", "test"), ("train/a.png", "", "", "train")]


def test_columns_of_a_csv_are_recognised_by_name(tmp_path, capsys):
    rows_ = [
        ("b", 7, "Testing", "mel", "A"),
        ("a", 8, "train", "nv", "B"),
        ("c", 8, "train", "nv", "B"),
        ("d", 9, "train", "nv", "B"),
    ]
    text = "path,Patient ID,split,Diagnosis,site\n" + "".join(f"x/{a}.png,{b},{c},{d},{e}\n" for a, b, c, d, e in rows_)
    put(tmp_path, {"labels.csv": text, **{f"x/{name}.png": seed for seed, name in enumerate("abcd")}})
    root, samples, _ = rows(tmp_path / "labels.csv")
    assert root == tmp_path
    assert rows(tmp_path)[1] == samples  # the folder with the CSV in it
    assert samples[:2] == [("x/a.png", "nv", "8", "train"), ("x/b.png", "mel", "7", "test")]
    assert collect(tmp_path / "labels.csv").samples["site"].tolist() == ["B", "A", "B", "B"]
    assert "labels.csv: label is 'Diagnosis', group is 'Patient ID', shipped is 'split'" in capsys.readouterr().err


def test_a_split_column_with_other_words_is_ignored(tmp_path):
    put(tmp_path, {"labels.csv": "path,label,split\na.png,x,left\n", "a.png": 1})
    assert rows(tmp_path / "labels.csv")[1] == [("a.png", "x", "", "")]


def test_rows_are_compared_without_label_group_and_numbers(tmp_path, capsys):
    put(tmp_path, {"t.csv": "id,age,smokes,cancer\n1,60,yes,NO\n2,60,yes,YES\n3,61,yes,NO\n4,62,no,YES\n"})
    result = collect(tmp_path / "t.csv")
    assert result.root is None
    assert result.samples["label"].tolist() == ["NO", "YES", "NO", "YES"]
    assert list(result.features) == ["age", "smokes"]
    assert result.samples["id"].nunique() == 4
    err = capsys.readouterr().err
    assert "t.csv: label is 'cancer'" in err
    assert "t.csv: rows are compared by 2 columns" in err


def test_rows_without_a_label_are_compared_by_all_columns(tmp_path):
    put(tmp_path, {"t.csv": "a,b\n1,0.1\n2,0.2\n1,0.1\n"})
    result = collect(tmp_path / "t.csv")
    assert set(result.samples["label"]) == {""}
    assert list(result.features) == ["a", "b"]


def test_what_cannot_be_audited_is_named_with_what_was_expected(tmp_path):
    put(tmp_path, {"empty/readme.pdf": "x", "data.docx": "x", "one.csv": "label\nx\ny\n"})
    for name, error in {
        "absent": "absent: there is no such file, folder or task",
        "empty": "empty: no image found; expected images, in class folders or without",
        "data.docx": r"data.docx: is neither a folder nor a table",
        "one.csv": "one.csv: has no column besides label; expected at least one feature",
    }.items():
        with pytest.raises(DataError, match=error):
            collect(tmp_path / name)


def test_a_path_that_leads_out_of_the_folder_is_refused(tmp_path):
    put(tmp_path, {"labels.csv": "path,label\n../a.png,x\n"})
    with pytest.raises(DataError, match=r"row 1: '\.\./a\.png' leads out of the folder"):
        collect(tmp_path / "labels.csv")


def test_a_csv_that_names_images_without_suffix_is_no_table(tmp_path):
    rows_ = "".join(f"ISIC_{n},{'xy'[n % 2]}\n" for n in range(4))
    put(tmp_path, {"labels.csv": "image_name,target\n" + rows_, **{f"train/ISIC_{n}.jpg": n for n in range(4)}})
    root, samples, _ = rows(tmp_path / "labels.csv")
    assert root == tmp_path
    assert samples[0][:2] == ("train/ISIC_0.jpg", "x")


def test_folders_that_ask_are_audited_without_classes(tmp_path, capsys):
    put(tmp_path, {f"fold{k}/{c}/1.png": k for k in (1, 2) for c in "ab"})
    assert {label for _, label, _, _ in rows(tmp_path)[1]} == {""}
    assert "Audited without classes" in capsys.readouterr().err


def test_dicom_files_of_a_patient_are_an_untraceable_group(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write_export(Path("export"), [*slices(4), *slices(4)])
    samples = collect(Path("export")).samples
    assert sorted(samples["group"].value_counts().items()) == [(f"patient {n}", 4) for n in range(1, 5)]
    assert "group is the PatientID of DICOM files" in capsys.readouterr().err
    assert not Path("data").exists()
