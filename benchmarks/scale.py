"""What a large set of images takes: each stage from scan to evaluate, as a process of its own, on drawn images.

    python -m benchmarks.scale 2000 8000
    python -m benchmarks.scale linked 20000 100000
    python -m benchmarks.scale searches 32000

Of the second kind, `DISTINCT` images are drawn and linked under as many names as it says, and none counts as a copy: `scan` takes
features from the cache, `audit` is left out, and the stages behind it do not notice. So these can be measured where embedding
every image would take hours. Of the third kind, only the audit's two searches, which compare every image with every other, are
measured, on drawn words, frames and embeddings.

Sizes that `results/scale.csv` has are not measured again; `soak/test_scale.py` draws and measures anew. How cost grows is the
slope of log CPU seconds over log images. The same numbers give the page docs/explanation/large-sets.md. At least two sizes of a
stage are needed.
"""

import csv
import os
import shutil
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from PIL import Image

from benchmarks import figures
from benchmarks.figures import Figure
from benchmarks.scratch import ROOT, Scratch
from pipeline.core import artifacts
from pipeline.data.audit_result import AuditResult
from pipeline.duplicates.images.candidates import NEAREST, propose, words_of
from pipeline.duplicates.images.frames import FLIPS
from pipeline.duplicates.images.image_clusters import closures
from pipeline.duplicates.images.keypoints import POINTS, find_points

SEARCHES = {"audit: search for candidates": "search", "audit: search for sets": "sets"}
QUADRATIC = ("train knn", *SEARCHES)  # every image is compared with every other
STAGES = ("scan", "audit", *SEARCHES, "split", "preprocess", "train logreg", "train knn", "evaluate")
MODELS = {
    "many-logreg": {"estimator": "logreg", "features": "embedding", "C": 0.001},
    "many-knn": {"estimator": "knn", "features": "embedding", "n_neighbors": 15, "weights": "distance"},
}
COMMANDS = {"train logreg": "train many-logreg", "train knn": "train many-knn", "evaluate": "evaluate many"}
MEASURED = figures.RESULTS / "scale.csv"
PAGE = ROOT / "docs/explanation/large-sets.md"
ABOUT = """# Large sets of images

What 100,000 images, or a million, would take. Each stage was run as a process of its own on drawn images of 96 px, two of a
patient. For the largest sets 2,000 images were linked under many names: their features come from the cache, and the audit is left
out. A number of hours or GB without "measured" is a straight line through the two largest sets that were measured. How each
stage's cost grows stands in [all figures](../../benchmarks/README.md): a power of 1 is linear. Nearest neighbours and two
searches of the audit compare every image with every other, and grow by the power of 2. The searches are for candidates that may
be copies, and for sets of images that neither names nor copies explain. They are parts of the audit's row for the sets that were
measured, and come on top of the straight line beyond.

"""
DISK = """
Memory is the largest resident set of a process, what it has mapped from disk included: a logistic regression reads features of
more than 8,192 images from disk in blocks: 9 KB an image, most of it mapped. A classifier by nearest neighbours keeps 5 KB
for each image that it learnt from, which a server has to load, and compares every image with every other.

On disk an image takes 17 KB in `data/NAME`, its features as scanned and those of its side of the split, as much in DVC's cache,
and some 60 KB in the feature cache, most of it the audit's. `cache.max_size` bounds it, 10 GB by default: beyond some 150,000
images it should be larger, or images are read again for each pair. With `preprocess.pixels: true` a development image takes
150 KB more, kept once: after `assay run` the file in `data/NAME` is a read-only link into DVC's cache, where the file system has
links. (After a plain `dvc repro` it is a copy until the next `assay run`.) DVC can keep one copy of all outputs, too. It is not
the default, because outputs with the same bytes are one file then: whoever writes into one, as root may, changes them all and the
cached copy, which DVC then takes away.

    dvc config --local cache.type reflink,hardlink,copy
    dvc checkout --relink

Stages replace their outputs and never write into one, so the cache stays whole; do the same in your own scripts.
"""
# Px of a drawn image, and of the coarse field that it is enlarged from: with these it has as much detail as a photo of skin, 150
# keypoints, on which the audit's time and memory depend.
SIDE, CELLS = 96, 24
PER_PATIENT = 2
DISTINCT = 2000  # images that are linked
WITH_WORDS = 1000  # images whose words are drawn from
VECTOR, SPREAD = 1280, 40  # numbers of an embedding, and directions in which most of it varies
MOST_KNN = 20_000  # images
AIMED, MILLION = 100_000, 1_000_000
MOST_MEMORY = 4000  # MB
LINEAR = 1.1  # the slope that still counts as linear: start-up makes it smaller, noise of a shared machine either


def photo(rng: np.random.Generator, label: bool) -> Image.Image:
    """Return a drawn photo: a smooth field with a blob that tells the class more often than not."""
    y, x = (np.mgrid[:CELLS, :CELLS] - (CELLS - 1) / 2) * 12 / CELLS
    blob = np.exp(-((y - rng.normal()) ** 2 + (x - rng.normal()) ** 2) / (4 + 4 * rng.random()))
    field = 150 + 40 * rng.normal(size=(CELLS, CELLS, 3)) - (60 + 30 * label) * blob[..., None] * rng.random(3)
    return Image.fromarray(field.clip(0, 255).astype(np.uint8)).resize((SIDE, SIDE), Image.Resampling.BICUBIC)


def draw(folder: Path, n: int) -> None:
    """Write n drawn photos, no two alike, and labels.csv."""
    rng = np.random.default_rng(n)
    with (folder / "labels.csv").open("w", encoding="utf-8", newline="") as file:
        write = csv.writer(file).writerow
        write(["path", "label", "patient"])
        for number in range(n):
            label = rng.random() < 0.3
            path = f"{number // 1000}/{number}.jpg"
            (folder / path).parent.mkdir(exist_ok=True)
            photo(rng, label).save(folder / path, quality=90)
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
        content = yaml.safe_load((project.folder / "params.yaml").read_text(encoding="utf-8"))
        content["tasks"]["many"]["models"] = ["many-logreg"]  # which is evaluated
        project.set_params(**content)
        for stage in STAGES:
            if stage in SEARCHES or (stage == "train knn" and n > MOST_KNN):
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
    yield from measure_searches(n)


def measure_searches(n: int) -> Iterator[dict[str, float | str]]:
    """Yield the cost of the audit's searches for n images."""
    with Scratch() as project:
        for stage, name in SEARCHES.items():
            cost = project.run(sys.executable, "-m", "benchmarks.scale", name, str(n))
            yield {"images": n, "stage": stage, "cpu": float(cost.out.split()[-1]), "wall": np.nan, "peak": cost.peak}


def search(n: int) -> float:
    """Return the CPU seconds of the audit's search for candidates among n images.

    Their words are drawn from those of some images, with the frequencies that these have.
    """
    rng = np.random.default_rng(0)
    known = np.concatenate(
        [words_of(find_points(np.asarray(photo(rng, False))).descriptors) for _ in range(WITH_WORDS)]
    )
    words = [np.sort(rng.choice(known, POINTS * NEAREST)) for _ in range(n)]
    frames = [rng.normal(size=(n, length)).astype(np.float32) / np.float32(np.sqrt(length)) for length in FLIPS]
    start = time.process_time()
    propose(words, frames[0], frames[1])
    return time.process_time() - start


def sets(n: int) -> float:
    """Return the CPU seconds of the audit's search for sets among n images, whose embeddings are drawn."""
    rng = np.random.default_rng(0)
    axes = rng.standard_normal((SPREAD, VECTOR), dtype=np.float32)
    embeddings = rng.standard_normal((n, SPREAD), dtype=np.float32) @ axes
    embeddings += rng.standard_normal((n, VECTOR), dtype=np.float32) / 3
    start = time.process_time()
    closures(embeddings)
    return time.process_time() - start


def slope(images: np.ndarray, cpu: np.ndarray) -> float:
    """Return by which power of the number of images CPU seconds grow."""
    return float(np.polyfit(np.log(images), np.log(cpu), 1)[0])


def projected(part: pd.DataFrame, n: int) -> tuple[float, float]:
    """Return CPU seconds and MB of a stage for n images: measured, or straight lines through the two largest sets of `part`."""
    if len(measured := part[part["images"] == n]):
        return float(measured.iloc[0]["cpu"]), float(measured.iloc[0]["peak"])
    images = part["images"].to_numpy(float)[-2:]
    values = (part[name].to_numpy(float)[-2:] for name in ("cpu", "peak"))
    cpu, peak = (max(float(np.polyval(np.polyfit(images, of_set, 1), n)), of_set.max()) for of_set in values)
    if part["stage"].iloc[0] in QUADRATIC:
        cpu = part["cpu"].iloc[-1] * (n / images[-1]) ** 2
    return cpu, peak


def judged(table: pd.DataFrame) -> list[Figure]:
    """Return the slope of each stage, and its memory for `AIMED` images."""
    shown = []
    for stage in STAGES:
        part = table[table["stage"] == stage].sort_values("images")
        if len(part) < 2:
            continue
        how = ", ".join(f"{row.images:,}: {row.cpu:.4g} CPU s" for row in part.itertuples())
        growth = slope(part["images"].to_numpy(float), part["cpu"].to_numpy(float))
        aimed_at = stage not in QUADRATIC
        shown.append(Figure(f"{stage}: grows by the power", growth, how, at_most=LINEAR if aimed_at else None))
        last = part.iloc[-1]
        shown.append(
            Figure(
                f"{stage}: memory for {AIMED:,} images",
                projected(part, AIMED)[1],
                f"{last['peak']:,.0f} MB measured with {last['images']:,}",
                at_most=MOST_MEMORY if aimed_at else None,
                unit="MB",
            )
        )
    return shown


def cell(part: pd.DataFrame, n: int) -> str:
    """Return CPU hours and GB of a stage for n images, and whether they were measured."""
    cpu, peak = projected(part, n)
    return f"{cpu / 3600:.2g} CPU h, {peak / 1000:.2g} GB" + (", measured" if n in set(part["images"]) else "")


def markdown(table: pd.DataFrame) -> str:
    """Return what was measured, and what it comes to for `AIMED` and `MILLION` images."""
    lines = [f"| stage | largest set | {AIMED:,} | {MILLION:,} |", "|---|---|---|---|"]
    for stage in STAGES:
        part = table[table["stage"] == stage].sort_values("images")
        if len(part) > 1:
            last = part.iloc[-1]
            cells = [f"{last['images']:,}: {last['cpu']:,.0f} CPU s, {last['peak']:,.0f} MB"]
            lines.append(f"| {stage} | {' | '.join(cells + [cell(part, n) for n in (AIMED, MILLION)])} |")
    return "\n".join(lines) + "\n"


def record(rows: Iterable[dict[str, float | str]]) -> pd.DataFrame:
    """Write each row as it comes, instead of an earlier one of its stage and size; return all rows."""
    table = pd.read_csv(MEASURED) if MEASURED.exists() else pd.DataFrame({"images": [], "stage": []})
    for row in rows:
        is_other = (table["images"] != row["images"]) | (table["stage"] != row["stage"])
        table = pd.concat([table[is_other], pd.DataFrame([row])], ignore_index=True)
        table.astype({"images": int}).round(2).to_csv(MEASURED, index=False)
    publish(table)
    return table


def publish(table: pd.DataFrame) -> None:
    """Write the results and the page."""
    figures.save("scale", "Large sets of images", judged(table), "make soak, or python -m benchmarks.scale 2000 8000")
    PAGE.write_text(ABOUT + markdown(table) + DISK, encoding="utf-8")


def main(*sizes: str) -> None:
    """Measure the sizes that are lacking, or what a search alone costs, which a process of its own has to tell."""
    kind, *rest = sizes
    if kind in SEARCHES.values():
        print({"search": search, "sets": sets}[kind](int(rest[0])))
        return
    if kind == "searches":
        record(row for n in map(int, rest) for row in measure_searches(n))
        return
    known = set(pd.read_csv(MEASURED)["images"]) if MEASURED.exists() else set()
    lacking = [n for n in map(int, rest if kind == "linked" else sizes) if n not in known]
    record(row for n in lacking for row in measure(n, linked=kind == "linked"))


if __name__ == "__main__":
    main(*sys.argv[1:])
