import io
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.metrics import roc_auc_score

from pipeline.core.errors import DataError
from pipeline.data.images import decoding
from pipeline.data.synthetic import demo_set

N_LESIONS = 24
SEED = 3


@pytest.fixture(scope="module")
def drawn():
    return demo_set.lesion_set(SEED, N_LESIONS, workers=1)


@pytest.fixture
def table(drawn):
    return drawn[0].set_index("path")


@pytest.fixture
def files(drawn):
    return drawn[1]


@pytest.fixture
def flaws(drawn):
    return drawn[2]


def of_kind(flaws, *kinds):
    return [(flaw.copy, flaw.of) for flaw in flaws if flaw.kind in kinds]


def grey(data):
    image = Image.fromarray(decoding.decode(data).pixels).convert("L").resize((128, 128), Image.Resampling.BOX)
    values = np.asarray(image, dtype=float)
    return (values - values.mean()) / values.std()


def test_the_same_seed_gives_the_same_bytes_whatever_the_workers(drawn):
    table, files, flaws = demo_set.lesion_set(SEED, N_LESIONS, workers=2)
    pd.testing.assert_frame_equal(table, drawn[0])
    assert (files, flaws) == drawn[1:]


def test_another_seed_draws_other_images():
    assert demo_set.lesion_photos(1, 0)[0].data != demo_set.lesion_photos(2, 0)[0].data


def test_labels_csv_agrees_with_the_files(table, files):
    assert table.columns.tolist() == ["label", "lesion", "age", "sex", "site"]
    assert table.index.tolist() == sorted(files)
    assert set(table.label) == {"benign", "malignant"}
    assert not table.isna().any(axis=None)
    assert all(Image.open(io.BytesIO(files[path])).format == {"jpg": "JPEG", "png": "PNG"}[path[-3:]] for path in files)


def test_photos_of_one_lesion_differ_but_share_their_columns(table, files):
    several = [rows for _, rows in table.groupby("lesion") if len(rows) > 1]
    assert len(several) >= 3
    for rows in several:
        assert (rows.nunique() == 1).all()
        assert len({files[path] for path in rows.index}) == len(rows)


def test_photos_differ_in_size_and_aspect(files, flaws):
    copies = {flaw.copy for flaw in flaws}
    sizes = [Image.open(io.BytesIO(data)).size for path, data in files.items() if path not in copies]
    assert all(200 <= max(size) <= 256 for size in sizes)
    assert len(set(sizes)) > 10
    assert len({round(width / height, 1) for width, height in sizes}) == 3


def test_every_kind_of_flaw_is_planted_as_often_as_stated(flaws):
    stated = {kind: count for kind, (_, count) in demo_set.COPIES.items()}
    assert Counter(flaw.kind for flaw in flaws) == {**stated, "truncated": 1}


def test_only_the_truncated_file_is_unreadable(files, flaws):
    [(broken, _)] = of_kind(flaws, "truncated")
    with pytest.raises(DataError, match="not a readable image"):
        decoding.decode(files[broken])
    for path in set(files) - {broken}:
        decoding.decode(files[path])


def test_byte_copies_have_equal_bytes_and_no_other_files_have(files, flaws):
    equal = of_kind(flaws, "byte copy", "relabelled")
    assert all(files[copy] == files[of] for copy, of in equal)
    assert len(set(files.values())) == len(files) - len(equal)


def test_a_png_copy_has_the_same_pixels_under_other_bytes(files, flaws):
    for copy, of in of_kind(flaws, "png"):
        assert files[copy] != files[of]
        assert decoding.decode(files[copy]).id == decoding.decode(files[of]).id


def test_altered_copies_look_like_their_source_under_other_pixels(files, flaws):
    for copy, of in of_kind(flaws, "recompressed", "resized", "stretched"):
        assert decoding.decode(files[copy]).id != decoding.decode(files[of]).id
        assert np.mean(grey(files[copy]) * grey(files[of])) > 0.97


def test_resized_copies_keep_their_aspect_and_stretched_ones_do_not(files, flaws):
    def stretch(index, of):
        copy, source = decoding.decode(files[index]), decoding.decode(files[of])
        assert (copy.width, copy.height) != (source.width, source.height)
        return copy.width / copy.height * source.height / source.width

    assert all(abs(stretch(*pair) - 1) < 0.02 for pair in of_kind(flaws, "resized"))
    assert all(abs(stretch(*pair) - 1) > 0.2 for pair in of_kind(flaws, "stretched"))


def test_copies_have_lesion_ids_of_their_own(table, flaws):
    copies = [flaw.copy for flaw in flaws if flaw.kind != "truncated"]
    assert (table.lesion.value_counts()[table.lesion[copies]] == 1).all()
    assert table.lesion.nunique() == N_LESIONS + len(copies)


def test_only_the_relabelled_copy_has_another_label_than_its_source(table, flaws):
    [(copy_index, of)] = of_kind(flaws, "relabelled")
    assert table.label[copy_index] != table.label[of]
    others = [flaw for flaw in flaws if flaw.kind != "relabelled"]
    assert all(table.label[flaw.copy] == table.label[flaw.of] for flaw in others)


def test_planting_leaves_the_given_photos_as_they_were():
    photos = [photo for index in range(N_LESIONS) for photo in demo_set.lesion_photos(SEED, index)]
    before = list(photos)
    demo_set.plant_flaws(photos, np.random.default_rng(0))
    assert photos == before


def test_no_two_lesions_look_like_the_same_image(table, files, flaws):
    planted = {flaw.copy for flaw in flaws}
    paths = [path for path in files if path not in planted]
    image_files = np.stack([grey(files[path]).ravel() for path in paths])
    lesions = table.lesion[paths].to_numpy()
    alike = image_files @ image_files.T / image_files.shape[1]
    assert alike[lesions[:, None] != lesions].max() < 0.95


def test_neither_size_nor_weight_of_a_file_tells_its_class(table, files, flaws):
    planted = {flaw.copy for flaw in flaws}
    paths = [path for path in files if path not in planted and path.endswith(".jpg")]
    malignant = table.label[paths] == "malignant"
    widths = [Image.open(io.BytesIO(files[path])).width for path in paths]
    assert 0.25 < roc_auc_score(malignant, widths) < 0.75
    assert 0.25 < roc_auc_score(malignant, [len(files[path]) for path in paths]) < 0.75


def test_the_breast_table_has_thirty_columns_and_the_published_counts():
    table = demo_set.breast_table()
    assert table.shape == (569, 31)
    assert table.columns[0] == "mean radius"
    assert table.columns[-1] == "diagnosis"
    assert table.diagnosis.value_counts().to_dict() == {"benign": 357, "malignant": 212}
    assert not table.isna().any(axis=None)
