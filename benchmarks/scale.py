"""What a large set of images takes: each stage from scan to evaluate, as a process of its own, on drawn images.

    python -m benchmarks.scale 5000 10000 20000

Sizes that `results/scale.csv` has are not measured again. How cost grows is the slope of log CPU seconds over log images. The
same numbers give the page docs/explanation/large-sets.md. At least two sizes are needed.
"""

import csv
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

STAGES = ("scan", "audit", "split", "preprocess", "train", "evaluate")
MEASURED = figures.RESULTS / "scale.csv"
PAGE = ROOT / "docs/explanation/large-sets.md"
ABOUT = """# Large sets of images

What 100,000 images, or a million, would take. Each stage was run as a process of its own on drawn images of 96 px, two of a
patient, with one logistic regression on embeddings. The columns to the right are not measured: they are straight lines through
the two largest sets that were. How each stage's cost grows stands in [all figures](../../benchmarks/README.md): a power of 1 is
linear.

"""
SIDE, CELLS = 96, 12  # px of a drawn image, and of the coarse field that it is enlarged from
PER_PATIENT = 2
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


def measure(n: int) -> Iterator[dict[str, float | str]]:
    """Yield the cost of each stage for n images: CPU and wall seconds, and the largest memory in MB."""
    with Scratch() as project:
        project.take_backbone()
        raw = project.folder.parent / f"{project.folder.name}-raw"
        raw.mkdir()
        draw(raw, n)
        logreg = {"estimator": "logreg", "features": "embedding", "C": 0.001}
        project.image_task("many", raw, {"many-logreg": logreg}, csv="labels.csv", label="label", group="patient")
        for stage in STAGES:
            name = "many-logreg" if stage in ("train", "evaluate") else "many"
            cost = project.run(sys.executable, "-m", f"pipeline.{stage}", name)
            yield {"images": n, "stage": stage, "cpu": cost.cpu, "wall": cost.seconds, "peak": cost.peak}
        shutil.rmtree(raw)


def slope(images: np.ndarray, cpu: np.ndarray) -> float:
    """Return by which power of the number of images CPU seconds grow."""
    return float(np.polyfit(np.log(images), np.log(cpu), 1)[0])


def judged(table: pd.DataFrame) -> list[Figure]:
    """Return the slope of each stage, and its memory with the largest set."""
    largest, shown = int(table["images"].max()), []
    for stage in STAGES:
        part = table[table["stage"] == stage].sort_values("images")
        how = ", ".join(f"{row.images:,}: {row.cpu:.4g} CPU s" for row in part.itertuples())
        if len(part) > 1:
            growth = slope(part["images"].to_numpy(float), part["cpu"].to_numpy(float))
            shown.append(Figure(f"{stage}: grows by the power", growth, how, at_most=LINEAR))
        peak = float(part["peak"].iloc[-1])
        shown.append(Figure(f"{stage}: memory", peak, f"peak of {largest:,} images", at_most=MOST_MEMORY, unit="MB"))
    return shown


def extrapolated(table: pd.DataFrame, stage: str, n: int) -> tuple[float, float]:
    """Return CPU hours and GB of a stage for n images: straight lines through the two largest sets that were measured."""
    part = table[table["stage"] == stage].sort_values("images").tail(2)
    images = part["images"].to_numpy(float)
    lines = (np.polyfit(images, part[name].to_numpy(float), 1) for name in ("cpu", "peak"))
    cpu, peak = (float(np.polyval(line, n)) for line in lines)
    return cpu / 3600, peak / 1000


def markdown(table: pd.DataFrame) -> str:
    """Return what was measured, and what it comes to for `AIMED` and `MILLION` images."""
    largest = int(table["images"].max())
    lines = [f"| stage | {largest:,} images, measured | {AIMED:,} | {MILLION:,} |", "|---|---|---|---|"]
    for stage in STAGES:
        part = table[(table["stage"] == stage) & (table["images"] == largest)].iloc[0]
        cells = [f"{part['cpu']:,.0f} CPU s, {part['peak']:,.0f} MB"]
        cells += ["{:.2g} CPU h, {:.2g} GB".format(*extrapolated(table, stage, n)) for n in (AIMED, MILLION)]
        lines.append(f"| {stage} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main(*sizes: str) -> None:
    """Measure the sizes that are lacking; write the results and the page."""
    table = pd.read_csv(MEASURED) if MEASURED.exists() else pd.DataFrame({"images": [], "stage": []})
    for n in map(int, sizes):
        if n not in set(table["images"]):
            table = pd.concat([table, pd.DataFrame(measure(n))], ignore_index=True)
            table.astype({"images": int}).round(2).to_csv(MEASURED, index=False)
    figures.save("scale", "Large sets of images", judged(table), f"python -m benchmarks.scale {' '.join(sizes)}")
    PAGE.write_text(ABOUT + markdown(table), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
