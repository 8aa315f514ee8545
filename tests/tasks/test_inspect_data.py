"""A data set is described as the scan will see it: every layout, every bad file with its reason, nothing changed."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.core.errors import DataError
from pipeline.tasks.choices import Choices
from pipeline.tasks.inspect_data import InspectedData, inspect
from tests.helpers.samples import encoded, noise, png_header, put

CLASSES = {
    f"{label}/{number}.png": 100 * k + number for k, label in enumerate(("benign", "malignant")) for number in range(8)
}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    """An empty current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def inspected(
    path: str = "raw", label: str | None = None, group: str | None = None
) -> tuple[InspectedData, dict[str, str]]:
    """Return the data set and its description by title."""
    data = inspect(path, label, group, workers=2)
    return data, {title: text for title, text in data.lines if text}


def csv_of(files: dict, header: str = "path,label", cells: str = "{path},{label}") -> str:
    """Return a CSV with a row for each file."""
    rows = [cells.format(path=path, label=path.split("/")[0], n=n) for n, path in enumerate(files)]
    return "\n".join([header, *rows]) + "\n"


# layouts


def test_class_folders():
    put(Path("raw"), CLASSES)
    data, description = inspected()
    assert (data.kind, data.raw, data.read) == ("image", "raw", {})
    assert description["found"] == "16 images in class folders"
    assert description["classes"] == "benign 8, malignant 8"
    assert description["subsets"] == "none are shipped: a test set will be drawn"
    assert (description["sizes"], description["modes"], description["formats"]) == ("all 60x40 px", "RGB 16", "PNG 16")
    assert "unreadable" not in description


def test_shipped_splits_of_class_folders():
    put(Path("raw"), {f"{part}/{path}": seed for part in ("Train", "test") for path, seed in CLASSES.items()})
    data, description = inspected()
    assert description["subsets"] == "test 16, train 16"
    assert set(data.samples["shipped"]) == {"train", "test"}


@pytest.mark.parametrize("path", ["raw", "raw/labels.csv"])
def test_a_csv_that_lists_images_alone_or_in_their_folder(path):
    rows = csv_of(CLASSES, "path,dx,patient,part,split,age", "{path},{label},P{n},left,train,60")
    text = rows.replace(",P2,", ",P1,")
    put(Path("raw"), CLASSES | {"labels.csv": text, "chart.png": 1, "other.csv": "a,b\n1,2\n", "broken.csv": b"\xff"})
    data, description = inspected(path)
    assert (data.raw, data.read) == (
        "raw",
        {"csv": "labels.csv", "label": "dx", "group": "patient", "shipped": "split"},
    )
    assert description["found"] == "16 images listed in labels.csv"
    assert description["label"] == "column 'dx' (guessed; --label takes another)"
    assert description["group"].startswith(
        "column 'patient' (guessed; --group takes another): samples that share it stay"
    )
    assert description["kept"] == "part, age: in samples.csv, for later use"
    assert description["not listed"] == "3 more files in the folder: ignored"
    assert description["groups"] == "15: few, figures will be uncertain"


def test_a_csv_of_features():
    rows = "".join(
        f"{n * 7 % 61},{n % 2},{'m' if n % 3 else ''},7,name{n},{'yes' if n % 5 else 'no'}\n" for n in range(40)
    )
    put(Path(), {"rows.csv": "age,smokes,sex,site,who,ill\n" + rows})
    data, description = inspected("rows.csv")
    assert (data.kind, data.raw, data.read) == ("table", "rows.csv", {"label": "ill", "exclude": ["who"]})
    assert description["found"] == "40 rows of 4 features"
    assert description["label"] == "column 'ill' (guessed, named like an outcome; --label takes another)"
    assert description["classes"] == "yes 32, no 8"
    assert (description["numbers"], description["categories"]) == ("age, smokes, site", "sex")
    assert description["empty cells"] == "sex 14"
    assert description["constant"] == "site: carry no information"
    assert description["left out"].startswith("who: has another text in each row")
    assert description["group"].startswith("none found: each sample counts as another patient")


def patients(n: int, pattern: str) -> dict[str, bytes]:
    """Return images of n patients, four each, that are alike within a patient; the label is the patient's."""
    files = {}
    for patient in range(n):
        tone = np.random.default_rng(patient).integers(40, 216, 3)
        for k in range(4):
            grain = np.random.default_rng(100 * patient + k).normal(0, 8, (40, 40, 3))
            image = Image.fromarray((tone + grain).clip(0, 255).astype(np.uint8))
            files[pattern.format(label="ab"[patient % 2], patient=patient, k=k)] = encoded(image)
    return files


@pytest.mark.parametrize("pattern", ["{label}/p{patient}/{k}.png", "{label}/{patient:08d}_{k}.png"])
def test_patients_in_paths_are_grouped_by_default_and_said(pattern):
    put(Path("raw"), patients(24, pattern))
    data, description = inspected()
    assert data.samples["group"].nunique() == 24
    assert data.read.keys() == {"group_from"}
    assert "more alike than others" in description["group"]
    assert "--no-group decides otherwise" in description["group"]


def test_a_decision_on_groups_goes_before_what_is_found():
    put(Path("raw"), patients(24, "{label}/{patient}_{k}.png"))
    own = inspect("raw", None, None, 1, Choices(group_from=r"/(\d)"))
    assert own.read == {"group_from": r"/(\d)"}
    assert own.samples["group"].nunique() == 10
    assert inspect("raw", None, None, 1, Choices(no_group=True)).read == {"no_group": True}


def visits(extra: str = "", columns: str = "") -> None:
    """Write rows.csv: 60 patients, five visits each, the label of the patient at random."""
    rng = np.random.default_rng(0)
    lines = [f"{columns}crp,age,bmi,ill"]
    for patient in range(60):
        x, label = rng.normal(size=3), rng.integers(2)
        for visit in range(5):
            row = x + 0.05 * rng.normal(size=3)
            own = extra.format(patient=patient, visit=visit, label=label, row=5 * patient + visit)
            lines.append(own + ",".join(f"{value:.3f}" for value in row) + f",{label}")
    put(Path(), {"rows.csv": "\n".join([*lines, ""])})


@pytest.mark.parametrize("name", ["MRN", "patient_nbr", "hospital number", "column9"])
def test_visits_are_grouped_whatever_the_column_is_called(name):
    visits("X{patient},", f"{name},")
    data, _ = inspected("rows.csv")
    assert data.read["group"] == name
    assert data.samples["group"].nunique() == 60


def test_indices_and_other_labels_are_excluded_unless_kept():
    visits("{row},P{patient},{row},D{label},", "Unnamed: 0,patient,id,dx_code,")
    data, _ = inspected("rows.csv")
    assert data.read == {"label": "ill", "group": "patient", "exclude": ["Unnamed: 0", "id", "dx_code"]}
    assert "each of its values stands for one label" in str(data.lines)
    kept = inspect("rows.csv", None, None, 1, Choices(keep=("dx_code",), exclude=("bmi",)))
    assert kept.read["exclude"] == ["Unnamed: 0", "id", "bmi"]


def test_nearly_numeric_columns_get_a_warning():
    put(Path(), {"rows.csv": "age,ill\n" + "".join(f"{n},{'yn'[n % 2]}\n" for n in range(9)) + "5?,y\n"})
    _, description = inspected("rows.csv")
    assert description["warning"] == (
        "column 'age' is taken as categories: 1 of 10 cells are no numbers, the first '5?' in line 11"
    )


def test_chosen_columns_are_not_called_guessed():
    put(Path("raw"), CLASSES | {"labels.csv": csv_of(CLASSES, "path,label,dx", "{path},{n},{label}")})
    data, description = inspected(label="dx")
    assert data.read["label"] == "dx"
    assert description["label"] == "column 'dx'"


def test_paths_become_relative_only_inside_the_project(folder, monkeypatch):
    put(
        folder,
        {
            f"{location}/{path}": seed
            for location in ("in side/raw [1]", "project/raw")
            for path, seed in CLASSES.items()
        },
    )
    monkeypatch.chdir(folder / "project")
    assert inspected(str(folder / "project" / "raw"))[0].raw == "raw"
    assert inspected("../in side/raw [1]")[0].raw == (folder / "in side" / "raw [1]").as_posix()
    assert inspected(str(folder / "in side" / "raw [1]"))[0].raw == (folder / "in side" / "raw [1]").as_posix()


def test_inspecting_changes_nothing():
    root = put(Path("raw"), CLASSES | {"labels.csv": csv_of(CLASSES)})
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*")}
    inspected()
    assert {path: path.stat().st_mtime_ns for path in root.rglob("*")} == before


# bad files


def image_file(mode: str, file_format: str = "PNG", **options: object) -> bytes:
    """Return an image file of a mode."""
    return encoded(noise(7).convert(mode), file_format, **options)


GOOD = {
    "16-bit.png": encoded(Image.fromarray(np.full((40, 60), 40_000, "uint16"))),
    "palette.png": image_file("P"),
    "cmyk.jpg": image_file("CMYK", "JPEG"),
    "grey and alpha.png": image_file("LA"),
    "1-bit.tif": image_file("1", "TIFF"),
}  # fmt: skip
BAD = {
    "empty.png": (b"", "not a readable image (0 bytes)"),
    "text.jpg": (b"no image", "not a readable image; expected one of JPEG, PNG, BMP, TIFF, WEBP, DICOM"),
    "truncated.jpg": (
        encoded(noise(0, 200, 200), "JPEG")[:6000],
        "not a readable image (OSError: image file is truncated",
    ),
    "moving.webp": (
        encoded(noise(), "WEBP", save_all=True, append_images=[noise(1)]),
        "has 2 frames; export one frame",
    ),
    "one pixel.png": (encoded(noise(0, 1, 1)), "is 1x1 px; at least 16 px on each side are needed"),
    "bomb.png": (png_header(60_000, 60_000), "is 60000x60000 px, over 50 megapixels; scale it down"),
    "slice.dcm": (bytes(128) + b"DICM" + bytes(400), "is a DICOM file without pixels"),
}
STRAY = {
    ".hidden.png": "a hidden or system file",
    "Thumbs.db": "a hidden or system file",
    "moving.gif": "is no image by its name (.gif)",
    "notes.txt": "is no image by its name (.txt)",
}


def test_bad_files_are_reported_and_unusual_ones_read():
    files = CLASSES | {f"malignant/{name}": data for name, data in GOOD.items()}
    files |= {f"benign/{name}": data for name, (data, _) in BAD.items()}
    put(Path("raw"), files | {f"benign/{name}": b"" for name in STRAY} | {"chart.png": 1})
    data, description = inspected()
    assert description["classes"] == "malignant 13, benign 8"
    errors = data.samples[data.samples["error"] != ""].set_index("path")["error"]
    assert set(errors.index) == {f"benign/{name}" for name in BAD}
    for name, (_, reason) in BAD.items():
        assert errors[f"benign/{name}"].startswith(reason)
    assert description["unreadable"].splitlines()[0] == "7"
    assert description["unreadable"].splitlines()[-1] == "... and 2 more"
    assert description["skipped"].splitlines()[:2] == ["5", "benign/.hidden.png: a hidden or system file"]
    assert "chart.png: is not in a class folder" in description["skipped"]
    for name, reason in STRAY.items():
        assert f"benign/{name}: {reason}" in description["skipped"]


def test_names_in_any_script_with_spaces_and_brackets_are_read():
    put(Path("raw"), {f"{label}/{n} (1) [x] 良.png": n for label in ("large cell [T2]", "נגע שפיר") for n in range(4)})
    _, description = inspected()
    assert description["classes"] == "large cell [T2] 4, נגע שפיר 4"


def test_only_small_classes_are_decoded():
    """Of a truncated file the header is whole: only decoding, as for ids of small classes, finds it at once."""
    half = BAD["truncated.jpg"][0]
    put(Path("raw"), {f"benign/{n}.png": 1 for n in range(80)} | {f"malignant/{n}.png": n for n in range(8)})
    put(Path("raw"), {"benign/half.jpg": half, "malignant/half.jpg": half})
    data, _ = inspected()
    errors = data.samples.set_index("path")["error"]
    assert errors["benign/half.jpg"] == ""
    assert "truncated" in errors["malignant/half.jpg"]
    ids = data.samples.set_index("path")["id"]
    assert ids["benign/1.png"] == "benign/1.png"
    assert len(ids["malignant/1.png"]) == 16


def test_loops_of_links_end():
    root = put(Path("raw"), CLASSES)
    (root / "benign" / "up").symlink_to("..")
    (root / "malignant" / "itself").symlink_to(".")
    assert inspected()[1]["found"] == "16 images in class folders"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_does_not_hang():
    os.mkfifo(put(Path("raw"), CLASSES) / "benign" / "pipe.png")
    assert inspected()[1]["unreadable"] == "1\nbenign/pipe.png: is not a regular file"


def test_missing_images_of_the_csv_are_reported():
    put(Path("raw"), CLASSES | {"labels.csv": csv_of([*CLASSES, "benign/gone.png"])})
    assert inspected()[1]["unreadable"] == "1\nbenign/gone.png: cannot be opened (No such file or directory)"


# what no task can be made of


@pytest.mark.parametrize(
    ("files", "path", "text"),
    [
        ({}, "nowhere", "^nowhere: there is no such file or folder$"),
        ({"raw/x.txt": ""}, "raw", "raw: no image found.*expected class folders, train/ and test/ folders or a CSV"),
        ({"raw/a/1.png": 1}, "raw", r"raw: only one class \(a\); at least two are needed"),
        ({"raw/a/1.png": 1, "raw/A/2.png": 2}, "raw", "raw: the labels 'A' and 'a' differ only in case; make them one"),
        ({"raw/train/a/1.png": 1, "raw/x/2.png": 1}, "raw", "train look like shipped splits, but there are other folders: x"),
        ({"x.png": 1}, "x.png", "^x.png: is an image; expected a table"),
        ({"raw/a.csv": "path,label\n", "raw/b/1.png": 1}, "raw", "only one class"),
        ({"raw/a.csv": "path,l\n1,2\n", "raw/b.csv": "path,l\n1,2\n"}, "raw", "raw: a.csv, b.csv have a column 'path'"),
        ({"a.csv": "path,dx\nx.png,1\ny.png,\n"}, "a.csv", r"only one class \(1\)"),
        ({"a.csv": "path,dx\n../x.png,1\ny.png,2\n"}, "a.csv", "row 1: '../x.png' leads out of the folder"),
        ({"a.csv": "age,label\n1,x\n2,x\n"}, "a.csv", r"a.csv: only one class \(x\)"),
        ({"a.csv": "age,label\n1,Yes\n2,YES\n"}, "a.csv", "the labels 'YES' and 'Yes' differ only in case"),
        ({"a.csv": "label\nx\ny\n"}, "a.csv", "a.csv: has no column besides the label"),
        ({"a.csv": ""}, "a.csv", "a.csv: has no rows; expected a header line and at least one row"),
        ({"a.csv": "a,a,label\n1,2,x\n"}, "a.csv", "a.csv: the header names 'a' more than once; rename all but one"),
        ({"a.csv": "age,site\n1,arm\n2,leg\n"}, "a.csv", "a.csv: cannot tell which column is the label"),
        ({"a.csv": b"\xff\xfea\0"}, "a.csv", "a.csv: has no rows"),
    ],
)  # fmt: skip
def test_unusable_data_raise_one_clear_error(files, path, text):
    put(Path(), files)
    with pytest.raises(DataError, match=text):
        inspected(path)


def test_columns_of_folders_are_refused():
    put(Path("raw"), CLASSES)
    with pytest.raises(
        DataError, match=r"raw: --label and --group name columns of a CSV; there is none with a column 'path'"
    ):
        inspected(group="patient")


def test_bom_semicolons_and_header_spaces_are_accepted():
    rows = "".join(f"{n},5;{'yn'[n % 2]}\n" for n in range(8))
    put(Path(), {"a.csv": b"\xef\xbb\xbf size ; label \n" + rows.encode()})
    data, description = inspected("a.csv")
    assert data.read == {"label": "label"}
    assert description["numbers"] == "size"


def test_an_unread_table_next_to_class_folders_is_reported():
    put(Path("raw"), {f"{side}/{n}.png": n for side in ("left", "right") for n in range(8)})
    Path("raw/labels.xlsx").write_bytes(b"")
    _, description = inspected()
    assert description["warning"].startswith("labels.xlsx next to the class folders is not read")


def test_the_other_part_of_a_split_in_tables_is_named(tmp_path):
    values = np.random.default_rng(0).normal(size=60)
    rows = "".join(f"{value:.2f},{'ab'[k % 2]}\n" for k, value in enumerate(values))
    for name in ("train.csv", "test.csv"):
        (tmp_path / name).write_text("x,label\n" + rows)
    warnings = [text for title, text in inspect(str(tmp_path / "train.csv"), None, None, 1).lines if title == "warning"]
    assert any("test.csv next to it is not read" in text for text in warnings)
    with pytest.raises(DataError, match=r"to read test\.csv as a table of features, give its own path"):
        inspect(str(tmp_path), None, None, 1)
