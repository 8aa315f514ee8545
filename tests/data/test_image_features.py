"""Features of an image are those of its file, whatever the workers and the cache."""

import os

import numpy as np
import pandas as pd
import pytest

from pipeline import scan
from pipeline.core import paths
from pipeline.data import image_features, litert
from pipeline.data.images import squares
from tests.helpers.samples import noise, put, task
from tests.helpers.scans import BAD, GOOD, scanned, written


def test_features_of_a_row_are_those_of_its_file(scan_project, program):
    put(scan_project / "raw", GOOD | BAD)
    samples = scanned(task(), workers=2)
    embeddings, classical = np.load("data/skin/scan/embeddings.npy"), np.load("data/skin/scan/classical.npy")
    assert embeddings.shape == (6, 8)
    assert classical.shape == (6, 320)
    ood = np.load("data/skin/scan/ood.npy")
    assert embeddings.dtype == classical.dtype == np.float32
    embedder = litert.Embedder(program.read_bytes())
    for row, path in enumerate(samples["path"]):
        if path in GOOD:
            square = squares.resize(np.asarray(noise(GOOD[path])))
            assert np.array_equal(embeddings[row], embedder(square))
            assert np.array_equal(classical[row], squares.classical(square))
            assert np.array_equal(ood[row], embedder.run(square, frozen_mean=True).frozen_mean)


def test_intensity_is_counted_over_every_fourth_pixel(scan_project):
    put(scan_project / "raw", GOOD | BAD)
    samples = scanned(task())
    first = written()
    table = pd.read_csv("data/skin/scan/intensity.csv")
    assert len(table) == 2 * 3 * 32
    for label in ("benign", "malignant"):
        good = samples.loc[(samples["label"] == label) & (samples["error"] == ""), "path"]
        seen = np.stack([squares.resize(np.asarray(noise(GOOD[path])))[::4, ::4] for path in good])
        for number, channel in enumerate(("red", "green", "blue")):
            rows = table[(table["class"] == label) & (table["channel"] == channel)]
            counts = [((seen[..., number] >= low) & (seen[..., number] <= low + 7)).mean() for low in rows["bin_low"]]
            assert rows["share"].tolist() == pytest.approx(counts, abs=1e-6)
            assert (rows["bin_high"] - rows["bin_low"] == 7).all()
    assert table["bin_high"].max() == 255
    scan.main("skin")  # from the store
    assert written() == first


def test_workers_and_repeats_write_the_same_bytes(scan_project):
    put(scan_project / "raw", GOOD | BAD | {f"benign/{number}.png": number for number in range(10, 60)})
    scanned(task(), workers=1)
    once = written()
    assert set(once) == {
        "samples.csv",
        "skipped.csv",
        "embeddings.npy",
        "classical.npy",
        "ood.npy",
        "intensity.csv",
        "raw.json",
    }
    for workers in (2, 2, 1):
        scanned(task(), workers=workers)
        assert written() == once


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_unreadable_files_give_a_reason_and_never_hang(scan_project):
    root = put(scan_project / "raw", GOOD)
    os.mkfifo(root / "benign" / "pipe.png")
    (root / "benign" / "dead.png").symlink_to("nowhere")
    (root / "benign" / "endless.png").symlink_to("/dev/zero")
    samples = scanned(task()).set_index("path")
    assert (
        samples.loc["benign/pipe.png", "error"] == samples.loc["benign/endless.png", "error"] == "is not a regular file"
    )
    assert samples.loc["benign/dead.png", "error"].startswith("cannot be opened (No such file")


def test_the_cache_is_invalidated_by_another_network(scan_project, tmp_path):
    (tmp_path / "other.tflite").write_bytes(b"another network")
    recipes = [image_features.open_store(path).recipe for path in (paths.EMBEDDER, tmp_path / "other.tflite")]
    assert recipes[0] != recipes[1]
