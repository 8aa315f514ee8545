"""The profile of a batch: its distance, the samples that it joins, its shortcuts."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.core import artifacts, params
from pipeline.data import uploads
from pipeline.data.audit_result import AuditResult, PathPair
from pipeline.data.dataset import Dataset
from pipeline.data.uploads import Included
from pipeline.retraining import batch_profile
from tests.helpers.models import dataset, numbers
from tests.helpers.samples import task, write_params
from tests.helpers.textures import texture


@pytest.fixture(autouse=True)
def _seed(monkeypatch):
    monkeypatch.setattr(params, "seed", lambda: 7)


def embedded(n: int, more: int, shift: float) -> tuple[Dataset, Dataset, list[str]]:
    """Return a development set of n images, one with `more` that differ by `shift` in 5 of 40 directions, and their paths."""
    rng = np.random.default_rng(1)
    X = np.abs(rng.normal(2, 0.3, size=(n + more, 40))).astype(np.float32)
    X[n:, :5] += shift
    y = np.arange(n + more) % 2
    whole = dataset(X, y)
    whole = Dataset(whole.id, whole.path, whole.group, y, whole.fold, whole.classes, {"embedding": X})
    old = np.arange(n)
    dev = Dataset(
        *(part[old] for part in (whole.id, whole.path, whole.group, y, whole.fold)),
        whole.classes,
        {"embedding": X[old]},
    )
    return dev, whole, whole.path[n:].tolist()


def test_only_a_different_batch_is_farther_from_the_training_data():
    alike = batch_profile.drift("image", *embedded(300, 60, 0.0))
    unlike = batch_profile.drift("image", *embedded(300, 60, 1.0))
    assert alike.n == unlike.n == 60
    assert alike.ci[0] < 0.5 < alike.ci[1] + 0.1
    assert unlike.ci[0] > 0.9
    assert unlike.distance["batch"] > 1.2 * unlike.distance["training"]


def test_one_group_or_no_sample_gives_no_interval():
    dev, whole, _ = embedded(100, 10, 0.0)
    assert batch_profile.drift("image", dev, whole, ["nothing.png"]).farther is None
    assert np.isnan(batch_profile.interval_over_groups(np.ones(4), np.array(["a"] * 4))).all()


def test_rows_outside_the_training_ranges_are_farther():
    X, y = numbers(200)
    whole = dataset(X, y)
    columns = {f"column:{name}": X[:, k].astype(float) for k, name in enumerate("abc")}
    columns["column:a"][150:] += 100
    whole = Dataset(whole.id, whole.path, whole.group, y, whole.fold, whole.classes, columns)
    own = {name: values[:150] for name, values in columns.items()}
    dev = Dataset(*(part[:150] for part in (whole.id, whole.path, whole.group, y, whole.fold)), whole.classes, own)
    assert batch_profile.drift("table", dev, whole, whole.path[150:].tolist()).farther > 0.99
    assert batch_profile.drift("table", dev, whole, whole.path[:150].tolist()).farther < 0.55


def test_joined_samples_are_counted_unless_left_out():
    def pair(a: str, b: str, copy: bool = True) -> PathPair:
        return PathPair(a, b, "exact", 1.0, copy)

    audit = AuditResult(uploads=[pair("old", "n1"), pair("n2", "n3"), pair("old", "n4"), pair("old", "n5", False)])
    files = {f"n{k}": Included("0" * 16, "a", "", "b") for k in range(1, 6)}
    assert batch_profile.joined(audit, files, {"n4"}) == 1
    assert batch_profile.joined(AuditResult(), files, set()) == 0


@pytest.mark.parametrize("width", [0, 350])
def test_only_a_batch_of_another_size_has_shortcuts(empty_folder, tmp_path, width):
    write_params(task())
    rows, files = [], {}
    for k in range(20):
        is_new, image = k % 2 == 1, texture(k).resize((200, 150))
        path = uploads.stored("skin", "image", f"{k:016x}").as_posix() if is_new else f"a/{k}.png"
        if is_new:
            files[path] = Included(f"{k:016x}", "a", "", "b")
            image = image.resize((width or 200, 150))
        location = uploads.locate(Path(params.task("skin").raw), path)
        location.parent.mkdir(parents=True, exist_ok=True)
        image.save(location)
        size = {"width": image.width, "height": 150, "bytes": 1, "mode": "RGB", "format": "PNG"}
        rows.append({"path": path, "subset": "dev", "group": f"g{k}"} | size)
    artifacts.write_csv("data/skin/scan/samples.csv", pd.DataFrame(rows))
    names = {shortcut.name for shortcut in batch_profile.shortcuts("skin", tmp_path, files, pd.DataFrame(rows))}
    assert names >= {"width", "aspect"} if width else not names & {"width", "aspect", "height"}
