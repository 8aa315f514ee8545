"""How long init_task takes on 10,000 image files, in folders and named by a CSV, and on a table of 10,000 rows."""

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
    cells = rng.normal(size=(N, 20))
    lines = [",".join(f"{cell:.4f}" for cell in row) + f",{k % 2}" for k, row in enumerate(cells)]
    (folder / "rows.csv").write_text("\n".join([",".join(f"x{k}" for k in range(20)) + ",ill", *lines, ""]))


def main() -> None:
    figures = []
    with Scratch() as project, TemporaryDirectory() as folder:
        draw(Path(folder))
        for what, path in (
            ("files in folders", "images"),
            ("files named by a CSV", "labels.csv"),
            ("rows", "rows.csv"),
        ):
            start = time.perf_counter()
            project.run(sys.executable, "-m", "pipeline.init_task", "door", f"{folder}/{path}", "--dry-run")
            seconds = time.perf_counter() - start
            how = f"wall time of init_task --dry-run, {N:,} {what}"
            figures.append(Figure(f"init_task on {N:,} {what}", seconds, how, at_most=LIMIT, unit="s"))
    save("door", "init_task on 10,000 files and rows", figures)


if __name__ == "__main__":
    main()
