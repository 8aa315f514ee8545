"""The scan against the bare loop of the same decode and the same LiteRT call; its time and memory as the data grow."""

import shutil
import sys
from pathlib import Path

from benchmarks.figures import DATA, Figure, ratio, save
from benchmarks.scratch import Cost, Scratch

BARE = """
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from pipeline.data import litert
from pipeline.data.images import decoding, squares
program = Path("models/backbone/embedder.tflite").read_bytes()
files = sorted(Path(sys.argv[1]).rglob("*.jpg"))
def loop(some):
    embed = litert.Embedder(program)
    for file in some:
        embed(squares.resize(decoding.decode(file.read_bytes()).pixels))
with ThreadPoolExecutor(2) as pool:
    list(pool.map(loop, [files[::2], files[1::2]]))
"""
LINKS = 100_000


def scan(project: Scratch, task: str) -> Cost:
    """Return what a scan of the task costs, as a process."""
    return project.run(sys.executable, "-m", "pipeline.scan", task)


def link(files: list[Path], folder: Path, n: int) -> None:
    """Fill two class folders with `n` links to `files`, over and over."""
    for label in ("a", "b"):
        (folder / label).mkdir(parents=True)
    for i in range(n):
        (folder / "ab"[i % 2] / f"{i:06}.jpg").symlink_to(files[i % len(files)])


def main() -> None:
    skin, ham = DATA / "skin_binary", DATA / "ham10000"
    if not ham.is_dir():
        sys.exit(f"benchmarks.scan needs the public data sets; there is no {ham} (set ASSAY_DATA)")
    with Scratch() as project:
        project.take_backbone()
        files = sorted(ham.rglob("*.jpg"))
        grown = project.folder / "grown"
        link(files, grown, len(files))
        link(files, project.folder / "many", LINKS)
        project.image_task("small", skin, {}, csv="labels.csv", group="group")
        project.image_task("large", ham, {}, csv="labels.csv", group="group")
        project.image_task("grown", grown, {})
        project.image_task("many", project.folder / "many", {})
        bare = project.run(sys.executable, "-c", BARE, str(ham))
        large = scan(project, "large")
        project.forget(".cache")
        small = scan(project, "small")
        project.forget(".cache")
        first = scan(project, "grown")
        for i, file in enumerate(sorted(skin.rglob("*.jpg"))[:10]):
            shutil.copy(file, grown / "a" / f"new{i}.jpg")
        again = scan(project, "grown")
        project.forget(".cache")
        many = scan(project, "many")
    n_small, n_large = len(list(skin.rglob("*.jpg"))), len(files)
    rate = n_large / large.seconds, n_large / bare.seconds
    per_image = large.seconds / n_large * 1000, small.seconds / n_small * 1000
    figures = [
        ratio("images/s of the scan against the bare loop, both on two cores", *rate, "images/s", at_least=0.85),
        ratio("processor time of the scan against the bare loop", large.cpu, bare.cpu),
        ratio(f"peak memory at {n_large} images against {n_small}", large.peak, small.peak, "MB", at_most=1.3),
        ratio(
            f"peak memory at {LINKS} links to these images against {n_small}", many.peak, small.peak, "MB", at_most=1.3
        ),
        ratio(f"time for an image at {n_large} against {n_small}", *per_image, "ms", at_most=1.3),
        ratio(
            f"10 images added to {n_large}: the scan against the first scan", again.seconds, first.seconds, at_most=0.15
        ),
        Figure(f"{LINKS} links to {n_large} images new to the store", many.seconds, "the whole process", unit="s"),
    ]
    save("scan", "Scan", figures)


if __name__ == "__main__":
    main()
