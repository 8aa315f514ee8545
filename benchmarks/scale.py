"""What a large set of images takes: each stage from scan to evaluate, as a process of its own, on drawn images.

    python -m benchmarks.scale 2000 5000 10000
    python -m benchmarks.scale linked 20000 100000

Of the second kind, `DISTINCT` images are drawn and linked under as many names as it says, and none counts as a copy: `scan` takes
features from the cache, `audit` is left out, and the stages behind it do not notice. So these can be measured where embedding
every image would take hours.

Sizes that `results/scale.csv` has are not measured again. How cost grows is the slope of log CPU seconds over log images. The
same numbers give the page docs/explanation/large-sets.md. At least two sizes of a stage are needed.
"""

import csv
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from benchmarks import figures
from benchmarks.figures import Figure
from benchmarks.scratch import ROOT, Scratch
from pipeline.core import artifacts
from pipeline.data.audit_result import AuditResult

STAGES = ("scan", "audit", "split", "preprocess", "train logreg", "train knn", "evaluate")
MODELS = {
    "many-logreg": {"estimator": "logreg", "features": "embedding", "C": 0.001},
    "many-knn": {"estimator": "knn", "features": "embedding", "n_neighbors": 15, "weights": "distance"},
}
COMMANDS = {"train logreg": "train many-logreg", "train knn": "train many-knn", "evaluate": "evaluate many-logreg"}
MEASURED = figures.RESULTS / "scale.csv"
PAGE = ROOT / "docs/explanation/large-sets.md"
ABOUT = """# Large sets of images

What 100,000 images, or a million, would take. Each stage was run as a process of its own on drawn images of 96 px, two of a
patient. For the largest sets 2,000 images were linked under many names: their features come from the cache, and the audit is left
out. A number of hours or GB without "measured" is a straight line through the two largest sets that were measured. How each
stage's cost grows stands in [all figures](../../benchmarks/README.md): a power of 1 is linear. The audit also compares what it
keeps of every image with every other, which costs little next to reading them up to some 50,000 images, and more beyond.

"""
DISK = """
Memory is the largest resident set of a process, what it has mapped from disk included: a logistic regression reads features of
more than 8,192 images from disk in blocks: 9 KB an image, most of it mapped. A classifier by nearest neighbours keeps 10 KB
for each image that it learnt from, which a server has to load, and compares every image with every other.

On disk an image takes 17 KB in `data/NAME`, its features as scanned and those of its side of the split, as much in DVC's cache,
and 28 KB in the feature cache, which `cache.max_size` bounds. With `preprocess.pixels: true` a development image takes 150 KB
more, and as much again in DVC's cache. DVC can keep one copy of both, which is read-only then:

    dvc config --local cache.type reflink,hardlink,copy
    dvc checkout --relink

Stages replace their outputs and never write into one, so the cache stays whole; do the same in your own scripts.
"""
SIDE, CELLS = 96, 12  # px of a drawn image, and of the coarse field that it is enlarged from
PER_PATIENT = 2
DISTINCT = 2000  # images that are linked
MOST_KNN = 10_000  # images: every image is compared with every other, which grows by the power of 2
AIMED, MILLION = 100_000, 1_000_000
MOST_MEMORY = 4000  # MB
LINEAR = 1.1  # the slope that still counts as linear: start-up makes it smaller, noise of a shared machine either


def draw(folder: Path, n: int) -> None:
    """Write n drawn photos and labels.csv: smooth fields, no two alike, with a blob that tells the class more often than not."""
    rng = np.random.default_rng(n)
    y, x = np.mgrid[:CELLS, :CELLS] - (CELLS - 1) / 2
    with (folder / "labels.csv").open("w", encoding="utf-8", newline="") as file:
        write = csv.writer(file).writerow
        write(["path", "label", "patient"])
        for number in range(n):
            label = rng.random() < 0.3
            blob = np.exp(-((y - rng.normal()) ** 2 + (x - rng.normal()) ** 2) / (4 + 4 * rng.random()))
            field = 150 + 40 * rng.normal(size=(CELLS, CELLS, 3)) - (60 + 30 * label) * blob[..., None] * rng.random(3)
            image = Image.fromarray(field.clip(0, 255).astype(np.uint8)).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
            path = f"{number // 1000}/{number}.jpg"
            (folder / path).parent.mkdir(exist_ok=True)
            image.save(folder / path, quality=90)
            write([path, "positive" if label else "negative", f"P{number // PER_PATIENT}"])


def link(folder: Path, n: int) -> None:
    """Write `DISTINCT` drawn photos, and links to them, so that there are n files; and labels.csv of them all."""
    draw(folder, DISTINCT)
    first = list(csv.DictReader((folder / "labels.csv").open(encoding="utf-8")))
    with (folder / "labels.csv").open("a", encoding="utf-8", newline="") as file:
        write = csv.writer(file).writerow
        for number in range(DISTINCT, n):
            row = first[number % DISTINCT]
            path = f"{number // 1000}/{number}.jpg"
            (folder / path).parent.mkdir(exist_ok=True)
            os.link(folder / row["path"], folder / path)
            write([path, row["label"], f"P{number // PER_PATIENT}"])


def measure(n: int, linked: bool) -> Iterator[dict[str, float | str]]:
    """Yield the cost of each stage for n images: CPU and wall seconds, and the largest memory in MB."""
    with Scratch() as project:
        project.take_backbone()
        raw = project.folder.parent / f"{project.folder.name}-raw"
        raw.mkdir()
        (link if linked else draw)(raw, n)
        project.image_task("many", raw, MODELS, csv="labels.csv", label="label", group="patient")
        for stage in STAGES:
            if stage == "train knn" and n > MOST_KNN:
                continue
            if stage == "audit" and linked:
                artifacts.write_json(project.folder / "data/many/audit.json", AuditResult())
                continue
            name, key = COMMANDS.get(stage, f"{stage} many").split()
            cost = project.run(sys.executable, "-m", f"pipeline.{name}", key)
            if stage == "scan" and linked:
                continue
            yield {"images": n, "stage": stage, "cpu": cost.cpu, "wall": cost.seconds, "peak": cost.peak}
        shutil.rmtree(raw)


def slope(images: np.ndarray, cpu: np.ndarray) -> float:
    """Return by which power of the number of images CPU seconds grow."""
    return float(np.polyfit(np.log(images), np.log(cpu), 1)[0])


def judged(table: pd.DataFrame) -> list[Figure]:
    """Return the slope of each stage, and its memory with the largest set."""
    shown = []
    for stage in STAGES:
        part = table[table["stage"] == stage].sort_values("images")
        how = ", ".join(f"{row.images:,}: {row.cpu:.4g} CPU s" for row in part.itertuples())
        if len(part) > 1:
            growth = slope(part["images"].to_numpy(float), part["cpu"].to_numpy(float))
            bar = None if stage == "train knn" else LINEAR
            shown.append(Figure(f"{stage}: grows by the power", growth, how, at_most=bar))
        for row in part.tail(1).itertuples():
            shown.append(
                Figure(f"{stage}: memory", row.peak, f"peak of {row.images:,} images", at_most=MOST_MEMORY, unit="MB")
            )
    return shown


def extrapolated(part: pd.DataFrame, n: int) -> str:
    """Return CPU hours and GB of a stage for n images: measured, or straight lines through the two largest sets of `part`."""
    if len(measured := part[part["images"] == n]):
        row = measured.iloc[0]
        return f"{row['cpu'] / 3600:.2g} CPU h, {row['peak'] / 1000:.2g} GB, measured"
    images = part["images"].to_numpy(float)[-2:]
    values = (part[name].to_numpy(float)[-2:] for name in ("cpu", "peak"))
    cpu, peak = (max(float(np.polyval(np.polyfit(images, of_set, 1), n)), of_set.max()) for of_set in values)
    return f"{cpu / 3600:.2g} CPU h, {peak / 1000:.2g} GB"


def markdown(table: pd.DataFrame) -> str:
    """Return what was measured, and what it comes to for `AIMED` and `MILLION` images."""
    lines = [f"| stage | largest set | {AIMED:,} | {MILLION:,} |", "|---|---|---|---|"]
    for stage in STAGES:
        part = table[table["stage"] == stage].sort_values("images")
        if len(part) > 1:
            last = part.iloc[-1]
            cells = [f"{last['images']:,}: {last['cpu']:,.0f} CPU s, {last['peak']:,.0f} MB"]
            lines.append(f"| {stage} | {' | '.join(cells + [extrapolated(part, n) for n in (AIMED, MILLION)])} |")
    return "\n".join(lines) + "\n"


def main(*sizes: str) -> None:
    """Measure the sizes that are lacking; write the results and the page."""
    table = pd.read_csv(MEASURED) if MEASURED.exists() else pd.DataFrame({"images": [], "stage": []})
    linked = sizes[:1] == ("linked",)
    for n in map(int, sizes[linked:]):
        if n not in set(table.loc[table["stage"] == STAGES[-1], "images"]):
            table = table[table["images"] != n]  # of a run that was interrupted
            for row in measure(n, linked):
                table = pd.concat([table, pd.DataFrame([row])], ignore_index=True)
                table.astype({"images": int}).round(2).to_csv(MEASURED, index=False)
    figures.save("scale", "Large sets of images", judged(table), "python -m benchmarks.scale 2000 5000 10000")
    PAGE.write_text(ABOUT + markdown(table) + DISK, encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
