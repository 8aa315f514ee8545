"""dev.npz and test.npz: disjoint, in step with the features, and the same bytes for the same samples."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline import preprocess, scan, split
from pipeline.core import artifacts
from pipeline.core.errors import DataError, ParamsError
from pipeline.data import feature_arrays, litert, tables
from pipeline.data.audit_result import AuditResult
from pipeline.data.dataset import Dataset
from pipeline.data.images import decoding, squares
from pipeline.data.images.pixel_rule import AS_IT_WAS
from tests.helpers.samples import noise, put, task, write_params

FAST = {"folds": 2, "min_test_per_class": 1}


@pytest.fixture
def images_task(empty_folder, tmp_path, program) -> Path:
    """A project with a scanned and split image task of 20 + 12 images, one of them unreadable."""
    artifacts.write_bytes("models/backbone/embedder.tflite", program.read_bytes())
    files = {
        f"{label}/{n}.png": 100 * len(label) + n for label, count in (("mole", 20), ("rare", 12)) for n in range(count)
    }
    files |= {"mole/broken.png": b"no image"}
    put(tmp_path / "raw", files)
    return prepare(task(split=FAST))


def prepare(block: dict) -> Path:
    """Run the stages before preprocess; nothing is the same image."""
    write_params(block)
    scan.main("skin")
    artifacts.write_json("data/skin/audit.json", AuditResult().to_json())
    split.main("skin")
    return Path("data/skin")


def put_table(text: str) -> dict:
    """Write a table and return its task."""
    Path("rows.csv").write_text(text, encoding="utf-8")
    return task("table", "rows.csv", split=FAST)


def both(folder: Path) -> tuple[Dataset, Dataset]:
    """Run preprocess and return development and test set."""
    preprocess.main("skin")
    return Dataset.load(folder / "dev.npz"), Dataset.load(folder / "test.npz")


def test_development_and_test_hold_each_usable_sample_once(images_task):
    dev, test = both(images_task)
    assert not set(dev.path) & set(test.path)
    assert len(dev.path) + len(test.path) == 32
    assert "mole/broken.png" not in {*dev.path, *test.path}
    assert (dev.fold >= 0).all()
    assert (test.fold == -1).all()
    assert set(dev.fold) == {0, 1}


def test_every_row_has_the_features_of_its_own_file(images_task, program):
    embedder = litert.Embedder(program.read_bytes())
    for part in both(images_task):
        assert part.X("embedding").shape == (len(part.path), 8)
        assert list(part.id) == sorted(part.id)
        for row, path in enumerate(part.path):
            image = decoding.decode((Path("raw") / path).read_bytes())
            square = squares.resize(image.pixels)
            assert part.id[row] == image.id
            assert part.classes[part.y[row]] == path.split("/")[0]
            assert np.array_equal(part.X("embedding")[row], embedder(square))
            assert np.array_equal(part.X("classical")[row], squares.classical(square))


def test_the_rarer_class_is_positive_and_last(images_task, capsys):
    dev, _ = both(images_task)
    assert dev.classes == ["mole", "rare"]
    assert dev.positive == "rare"
    assert "the positive class is 'rare'" in capsys.readouterr().err


def test_the_positive_class_may_be_chosen(images_task):
    write_params(task(split=FAST, preprocess={"positive": "mole"}))
    assert both(images_task)[0].classes == ["rare", "mole"]


def test_test_samples_do_not_change_the_positive_class(images_task):
    table = pd.read_csv(images_task / "split.csv", dtype=str, keep_default_na=False)
    # the rarer class of the development set, although it is the more frequent one elsewhere
    surplus = table[(table["subset"] == "dev") & (table["label"] == "mole")].index[3:]
    table.loc[surplus, ["subset", "fold"]] = "test", ""
    artifacts.write_csv(images_task / "split.csv", table)
    dev, test = both(images_task)
    assert dev.positive == test.positive == "mole"


def test_uploads_do_not_change_the_positive_class(images_task):
    """Else a batch of the rarer class would turn the classes round, and with them the file of the test set."""
    split = pd.read_csv(images_task / "split.csv", dtype=str, keep_default_na=False)
    uploads = list(split.loc[(split["subset"] == "dev") & (split["label"] == "mole"), "path"])[3:]
    for path in uploads:
        artifacts.write_bytes(f"data/uploads/skin/{path}", (Path("raw") / path).read_bytes())
    for file in ("split.csv", "scan/samples.csv"):
        table = pd.read_csv(images_task / file, dtype=str, keep_default_na=False)
        table["path"] = [f"data/uploads/skin/{path}" if path in uploads else path for path in table["path"]]
        artifacts.write_csv(images_task / file, table)
    dev, test = both(images_task)
    assert (dev.y == dev.classes.index("mole")).sum() > (dev.y == dev.classes.index("rare")).sum()
    assert dev.positive == test.positive == "mole"


def test_an_operating_point_of_three_classes_is_refused(empty_folder):
    rows = "".join(f"{n},{'abc'[n % 3]}\n" for n in range(60))
    folder = prepare(put_table("size,label\n" + rows) | {"select": {"operating_point": {"target_sensitivity": 0.9}}})
    with pytest.raises(ParamsError, match=r"tasks\.skin\.select\.operating_point: 3 classes have no sensitivity"):
        preprocess.main("skin")
    assert not (folder / "dev.npz").exists()


@pytest.mark.parametrize(
    ("labels", "positive", "expected"),
    [("aab", None, "ab"), ("abb", None, "ba"), ("ab", None, "ba"), ("ab", "b", "ab"), ("cabab", None, "abc")],
)
def test_classes_are_sorted_but_for_the_positive_one(labels, positive, expected):
    assert feature_arrays.order_classes(pd.Series(list(labels)), positive, "skin") == list(expected)


@pytest.mark.parametrize(("labels", "positive"), [("ab", "A"), ("ab", ""), ("abc", "a")])
def test_an_unknown_positive_class_is_refused(labels, positive):
    text = rf"tasks.skin.preprocess.positive: found '{positive}'; expected one of two classes; there are: a, b"
    with pytest.raises(DataError, match=text):
        feature_arrays.order_classes(pd.Series(list(labels)), positive, "skin")


def test_pixels_of_the_development_set_are_kept_on_request(images_task):
    write_params(task(split=FAST, preprocess={"pixels": True}), workers=2)
    dev, _ = both(images_task)
    pixels = np.load(images_task / "dev_pixels.npy")
    assert pixels.shape == (len(dev.path), 224, 224, 3)
    assert pixels.dtype == np.uint8
    for row, path in enumerate(dev.path):
        assert np.array_equal(pixels[row], squares.resize(decoding.decode((Path("raw") / path).read_bytes()).pixels))


def test_without_that_the_file_of_pixels_has_no_rows(images_task):
    both(images_task)
    assert np.load(images_task / "dev_pixels.npy").shape == (0, 224, 224, 3)


@pytest.mark.parametrize("change", ["emptied", "deleted"])
def test_a_file_that_changed_since_the_scan_is_refused(images_task, change):
    write_params(task(split=FAST, preprocess={"pixels": True}))
    path = Path("raw") / both(images_task)[0].path[0]
    path.write_bytes(b"") if change == "emptied" else path.unlink()
    with pytest.raises(DataError, match=r"^raw: is not what scan read"):
        preprocess.main("skin")


def test_the_same_samples_give_the_same_bytes(images_task):
    files = [images_task / name for name in ("dev.npz", "test.npz", "dev_pixels.npy")]
    both(images_task)
    once = [file.read_bytes() for file in files]
    both(images_task)
    assert [file.read_bytes() for file in files] == once


# tables


@pytest.fixture
def table_task(empty_folder) -> Path:
    """A project with a table that has numbers, categories in several scripts, missing cells, and names of ours."""
    sites = ["手", "רגל", "NA", "🙂", ""]
    rows = [f"{n},{'NA' if n % 7 == 0 else n / 4},{sites[n % 5]},{n % 3},{'xy'[n % 2]}" for n in range(80)]
    return prepare(put_table("\n".join(["id,größe,site,a/b: [c],label", *rows])))


def test_columns_survive_with_types_missing_cells_and_scripts(table_task):
    dev, test = both(table_task)
    raw = tables.typed(tables.read_csv(Path("rows.csv")).drop(columns="label"))
    for part in (dev, test):
        rows = [int(path.removeprefix("row ")) - 1 for path in part.path]
        pd.testing.assert_frame_equal(part.X("columns"), raw.iloc[rows].reset_index(drop=True))
    assert dev.column_names == ["column:id", "column:größe", "column:site", "column:a/b: [c]"]


def test_types_are_those_of_the_whole_table_on_both_sides(table_task):
    dev, test = both(table_task)
    assert dev.X("columns").dtypes.equals(test.X("columns").dtypes)


def test_a_column_of_which_everything_is_missing_survives(empty_folder):
    rows = "".join(f"{n},,{'xy'[n % 2]}\n" for n in range(60))
    dev, _ = both(prepare(put_table("a,b,label\n" + rows)))
    assert dev.X("columns")["b"].isna().all()


def test_repeated_folds_reach_the_development_set_alone(images_task):
    once, _ = both(images_task)
    assert once.folds.shape == (1, len(once.y))
    dev, test = both(prepare(task(split=FAST | {"repeats": 3})))
    assert dev.folds.shape == (3, len(dev.y))
    assert set(dev.folds.ravel()) == {0, 1}
    np.testing.assert_array_equal(dev.folds[0], once.fold)
    assert test.folds.shape == (1, len(test.y))
    assert dev.fingerprint != once.fingerprint


# the data set itself


def small(**changes: object) -> Dataset:
    """Return a data set of three samples."""
    parts = {
        "id": np.array(["1", "2", "3"]), "path": np.array(["a", "b", "c"]), "group": np.array(["g", "g", "h"]),
        "y": np.array([0, 1, 1]), "fold": np.array([0, 0, 1]), "classes": ["x", "y"],
        "arrays": {"embedding": np.eye(3, dtype=np.float32)},
    }  # fmt: skip
    return Dataset(**parts | changes)


def test_a_data_set_survives_saving_byte_for_byte(tmp_path):
    small().save(tmp_path / "a.npz")
    loaded = Dataset.load(tmp_path / "a.npz")
    assert loaded.classes == ["x", "y"]
    for name in ("id", "path", "group", "y", "fold"):
        assert np.array_equal(getattr(loaded, name), getattr(small(), name))
    assert np.array_equal(loaded.X("embedding"), np.eye(3))
    loaded.save(tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_a_data_set_is_read_without_unpickling(tmp_path):
    small(id=np.array([{"an": "object"}] * 3, dtype=object)).save(tmp_path / "a.npz")
    with pytest.raises(ValueError, match="allow_pickle"):
        Dataset.load(tmp_path / "a.npz")


@pytest.mark.parametrize(
    "change",
    [{"y": np.array([0, 1, 0])}, {"fold": np.array([0, 1, 1])}, {"classes": ["x", "z"]}, {"group": np.array(list("ghh"))},
     {"id": np.array(list("124"))}],
    ids=["label", "fold", "class", "group", "sample"],
)  # fmt: skip
def test_the_fingerprint_changes_with_the_samples_their_labels_and_folds(change):
    assert small(**change).fingerprint != small().fingerprint


def test_the_fingerprint_ignores_names_of_files_and_features():
    assert small(path=np.array(["d", "e", "f"]), arrays={}).fingerprint == small().fingerprint


def test_tiled_samples_keep_group_and_first_fold():
    result = small().tiled(2)
    assert result.id.tolist() == ["1", "2", "3"] * 2
    assert result.group.tolist() == ["g", "g", "h"] * 2
    assert result.fold.tolist() == [0, 0, 1] * 2
    assert small().tiled(1).X("embedding").shape == (3, 3)


def test_of_more_than_two_classes_none_is_positive():
    assert small(classes=["x", "y", "z"]).positive is None


def test_rows_of_the_scan_are_matched_by_path():
    table = pd.DataFrame({
        "id": ["1", "2"], "path": ["b", "a"], "label": ["x", "y"], "group": ["", ""], "subset": ["dev", "dev"],
        "fold": ["0", "1"],
    })  # fmt: skip
    features = {"embedding": np.array([[10.0], [20.0]])}
    part = feature_arrays.take(table, "dev", ["x", "y"], features, {"a": 0, "b": 1})
    assert part.X("embedding")[:, 0].tolist() == [20.0, 10.0]
    assert len(feature_arrays.take(table, "test", ["x", "y"], features, {"a": 0, "b": 1}).y) == 0


def test_an_image_at_preprocess_is_the_one_of_the_scan(tmp_path):
    put(tmp_path, {"a.png": 1})
    assert np.array_equal(
        feature_arrays.read_square("a.png", tmp_path, AS_IT_WAS), squares.resize(np.asarray(noise(1)))
    )
