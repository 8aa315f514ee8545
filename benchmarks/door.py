"""How long init_task takes on 10,000 image files, in folders and named by a CSV, on 10,000 rows, and on 2,000 columns."""

import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image

from benchmarks.figures import Figure, save
from benchmarks.scratch import Scratch

N = 10_000
LIMIT = 10  # seconds
WIDE = (40, 2_000)  # rows and columns, as of genes


def draw(folder: Path) -> None:
    """Write N images of 2,500 patients in class folders, a CSV that names them without suffix, and a table."""
    rng = np.random.default_rng(0)
    for k in range(N):
        path = folder / f"images/{'ab'[k % 2]}/p{k // 4:05}_{k % 4}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        tiles = rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)
        Image.fromarray(np.kron(tiles, np.ones((25, 25, 1), np.uint8))).save(path, quality=80)
    rows = "".join(f"p{k // 4:05}_{k % 4},{'ab'[k % 2]}\n" for k in range(N))
    (folder / "labels.csv").write_text("image_id,dx\n" + rows)
    for name, shape in (("rows.csv", (N, 20)), ("wide.csv", WIDE)):
        lines = [",".join(f"{cell:.4f}" for cell in row) + f",{k % 2}" for k, row in enumerate(rng.normal(size=shape))]
        (folder / name).write_text("\n".join([",".join(f"x{k}" for k in range(shape[1])) + ",ill", *lines, ""]))


def main() -> None:
    figures = []
    with Scratch() as project, TemporaryDirectory() as folder:
        draw(Path(folder))
        for what, path in (
            (f"{N:,} files in folders", "images"),
            (f"{N:,} files named by a CSV", "labels.csv"),
            (f"{N:,} rows", "rows.csv"),
            (f"{WIDE[1]:,} columns", "wide.csv"),
        ):
            start = time.perf_counter()
            project.run(sys.executable, "-m", "pipeline.init_task", "door", f"{folder}/{path}", "--dry-run")
            seconds = time.perf_counter() - start
            how = f"wall time of init_task --dry-run, {what}"
            figures.append(Figure(f"init_task on {what}", seconds, how, at_most=LIMIT, unit="s"))
    save("door", "init_task on 10,000 files and rows, and on 2,000 columns", figures)


if __name__ == "__main__":
    main()
