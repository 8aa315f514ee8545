"""The copy of the project in which a batch is tried."""

import pytest

from pipeline.core import artifacts
from pipeline.core.errors import DataError
from pipeline.core.paths import TaskPaths
from pipeline.data import uploads
from pipeline.data.uploads import Included
from pipeline.retraining import sandbox
from tests.helpers.samples import task, write_params


def test_the_copy_includes_the_batch_and_links_raw_data(uploaded):
    for file in (
        "raw/a/1.png",
        ".cache/features/scan.sqlite",
        "data/uploads/skin/pictures/x.png",
        "pipeline/a.py",
        "dvc.yaml",
    ):
        artifacts.write_bytes(file, b"x")
    uploads.write("skin", [Included(f"{1:016x}", "a", "", "earlier")])
    before = {path: path.read_bytes() for path in uploaded.rglob("*") if path.is_file()}
    sandbox.prepare("skin", "b")
    tree = sandbox.TREE
    assert (tree / "pipeline/a.py").read_bytes() == b"x"
    rows = TaskPaths("skin", tree).included.read_text().splitlines()
    assert rows == ["hash,label,group,batch", f"{1:016x},a,,earlier", f"{2:016x},a,,b"]
    for linked in ("raw", ".cache/features", "data/uploads/skin/pictures"):
        assert (tree / linked).resolve() == (uploaded / linked).resolve()
    assert "dir = /cache" in (tree / ".dvc/config.local").read_text()
    assert {path: path.read_bytes() for path in before} == before
    sandbox.remove_tree("skin", "another")
    assert tree.exists()
    sandbox.remove_tree("skin", "b")
    assert not tree.exists()
    assert (uploaded / "raw/a/1.png").exists()


def test_raw_data_outside_the_project_need_an_absolute_path(uploaded):
    write_params(task(raw="../../elsewhere"))
    with pytest.raises(DataError, match="name it by its absolute path"):
        sandbox.prepare("skin", "b")
