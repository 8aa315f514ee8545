"""Curves have steps that runs share, so that they can be drawn together."""

from pathlib import Path

import pytest

from pipeline.core.artifacts import UnreadableError
from pipeline.tracking import curves


def test_a_roc_curve_has_a_value_for_each_percent(tmp_path):
    path = tmp_path / "roc.csv"
    path.write_text("fpr,tpr\n0,0\n0,0.2\n0.104,0.6\n0.098,0.5\n1,1\n")
    assert curves.roc(path) == [(0, curves.CURVE, 0.2), (10, curves.CURVE, 0.6), (100, curves.CURVE, 1.0)]
    assert curves.roc(Path("nowhere.csv")) == []


def test_a_merge_conflict_is_named(tmp_path):
    path = tmp_path / "roc.csv"
    path.write_text("fpr,tpr\n<<<<<<< HEAD\n0,0.2\n=======\n0,0.3\n>>>>>>> other\n")
    with pytest.raises(UnreadableError, match=r"roc.csv: has a merge conflict in line 2"):
        curves.roc(path)


def test_losses_are_read_by_epoch(tmp_path):
    path = tmp_path / "history.csv"
    path.write_text("epoch,loss,val_loss\n1,0.9,1.1\n2,0.5,\n")
    assert curves.losses(path) == [(1, "loss", 0.9), (1, "val_loss", 1.1), (2, "loss", 0.5)]
