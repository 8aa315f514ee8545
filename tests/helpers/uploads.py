"""A task that was scanned, audited and split, to which samples are submitted: what tests of uploads share."""

from pathlib import Path

import pandas as pd
import yaml

from pipeline import audit, scan, split
from pipeline.core import artifacts, paths
from pipeline.data import uploads
from pipeline.retraining import intake
from pipeline.retraining.intake import Offer
from tests.helpers.samples import content, put, task
from tests.helpers.textures import stored, texture

N = 30  # images of each class
ONE_CLASS = ("benign", "malignant")


def make_task(program: Path) -> None:
    """Make the working folder a project with the image task `skin`: 60 images of 30 groups, split by hash."""
    files = {
        f"raw/{label}/{i}.png": stored(texture(i + 100 * k), "PNG")
        for k, label in enumerate(ONE_CLASS)
        for i in range(N)
    }
    rows = [f"{label}/{i}.png,{label},{label[0]}{i // 2}" for label in ONE_CLASS for i in range(N)]
    put(Path(), files | {"raw/list.csv": "\n".join(["path,label,lesion", *rows, ""])})
    artifacts.write_bytes(paths.EMBEDDER, program.read_bytes())
    read = {"csv": "list.csv", "label": "label", "group": "lesion"}
    block = task(read=read, split={"folds": 2, "min_test_per_class": 2})
    Path("params.yaml").write_text(yaml.safe_dump(content(block)), encoding="utf-8")
    restage()


def make_table() -> None:
    """Make the working folder a project with the table task `skin`, its label in the column `kind`."""
    rows = [f"{i}.5,{'arm' if i % 3 else 'leg'},{'ill' if i % 2 else 'well'}" for i in range(60)]
    put(Path(), {"raw.csv": "\n".join(["age,site,kind", *rows, ""])})
    block = task("table", "raw.csv", read={"label": "kind"}, split={"folds": 2, "min_test_per_class": 2})
    Path("params.yaml").write_text(yaml.safe_dump(content(block)), encoding="utf-8")
    restage()


def restage() -> None:
    """Run scan, audit and split."""
    uploads.create("skin")
    scan.main("skin")
    audit.run_stage("skin")
    split.main("skin")


def places() -> pd.DataFrame:
    """Return split.csv by path."""
    return pd.read_csv("data/skin/split.csv", dtype=str, keep_default_na=False).set_index("path")


def one_of(subset: str, label: str = "benign") -> Path:
    """Return the file of a raw sample of that subset."""
    table = places()
    return Path("raw", table.index[(table["subset"] == subset) & (table["label"] == label)][0])


def submit(*files: bytes, label: str = "benign", group: str = "", batch: str = "new", names: list[str] | None = None):
    """Submit image files and return what became of each."""
    names = names or [f"{n}.png" for n in range(len(files))]
    offers = [Offer(name, data, label, group) for name, data in zip(names, files, strict=True)]
    return intake.collect("skin", offers, batch, "a tester", "test")


def new(seed: int) -> bytes:
    """Return an image that is not there yet."""
    return stored(texture(1000 + seed), quality=95)


def kept() -> set[str]:
    """Return the files of the store, but for its lock."""
    files = {
        path.relative_to("data/uploads/skin").as_posix()
        for path in Path("data/uploads/skin").rglob("*")
        if path.is_file()
    }
    return files - {".lock"}
