"""The leak audit beside imagededup and fastdup: copies of dermoscopic photographs, altered in 24 ways.

The peers are installed into an environment of their own, `assay-peers` in the system's temporary folder, some 6 GB with what they
ask for. It is made by the first run and used again; remove it by hand. A peer that cannot be installed is left out, and named.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from benchmarks import altered, figures
from benchmarks.audit import audit
from benchmarks.figures import DATA, Figure
from benchmarks.planted import jpeg
from pipeline.core import artifacts
from pipeline.stats.components import joined_sets

ORIGINALS, SEED = 36, 23
ENVIRONMENT = Path(tempfile.gettempdir()) / "assay-peers"
REQUIRED = {
    **dict.fromkeys(("blur 3 px", "blur 6 px", "JPEG 10", "noise 25", "noise 50"), 0.97),
    **dict.fromkeys(("elastic 2 px", "cutouts 5 %", "cutouts 15 %"), 0.95),
    "elastic 4 px": 0.8,
}
PEERS = """
import json, sys
name, folder, work, limit = sys.argv[1:]
if name == "imagededup":
    from imagededup.methods import PHash
    copies_of = PHash(verbose=False).find_duplicates(image_dir=folder, max_distance_threshold=int(limit))
    pairs = sorted({tuple(sorted((a, b))) for a, others in copies_of.items() for b in others})
else:
    import fastdup
    run = fastdup.create(input_dir=folder, work_dir=work)
    run.run(threshold=float(limit), overwrite=True, print_summary=False)
    similar = run.similarity()
    names = [[path.rsplit("/", 1)[-1] for path in similar[column]] for column in ("filename_from", "filename_to")]
    pairs = sorted({tuple(sorted(pair)) for pair, much in zip(zip(*names), similar["distance"]) if much >= float(limit)})
print("PAIRS", json.dumps(pairs))
"""
RUNS = (("imagededup", "10"), ("imagededup", "16"), ("fastdup", "0.9"))


def plant(folder: Path) -> tuple[dict[str, tuple[int, str]], list[str]]:
    """Write the originals and a copy of each in each kind; return of each file its original and kind, and the lesions."""
    labels = pd.read_csv(DATA / "ham10000" / "labels.csv", dtype=str)
    rng = np.random.default_rng(SEED)
    chosen = labels.iloc[rng.permutation(len(labels))].drop_duplicates("group")[:ORIGINALS]
    made = {}
    for number, path in enumerate(chosen["path"]):
        image = Image.open(DATA / "ham10000" / path).convert("RGB")
        for kind, alter in {"": lambda image, rng: image, **altered.KINDS}.items():
            name = f"{number:02}_{kind.replace(' ', '-').replace('%', 'pc')}.jpg"
            (folder / name).write_bytes(jpeg(alter(image, rng)))
            made[name] = (number, kind)
    return made, chosen["group"].tolist()


def install(name: str) -> str:
    """Install a peer, unless it is there; return "" or why it cannot be had."""
    python = ENVIRONMENT / "bin" / "python"
    commands = [
        [sys.executable, "-m", "venv", "--without-pip", ENVIRONMENT],
        [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", name],
    ]
    for command in commands[python.exists() :]:
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            return (done.stderr.strip().splitlines() or ["without a message"])[-1]
    return ""


def ask_peer(name: str, limit: str, folder: Path) -> list[tuple[str, str]] | str:
    """Return the pairs that a peer finds, or why it could not be asked."""
    if reason := install(name):
        return reason
    with tempfile.TemporaryDirectory() as work:
        command = [ENVIRONMENT / "bin" / "python", "-c", PEERS, name, str(folder), work, limit]
        done = subprocess.run(command, capture_output=True, text=True, timeout=900)
    lines = [line for line in done.stdout.splitlines() if line.startswith("PAIRS ")]
    if not lines:
        return (done.stderr.strip().splitlines() or ["without a message"])[-1]
    return [(a, b) for a, b in json.loads(lines[-1].removeprefix("PAIRS "))]


def recall(pairs: list[tuple[str, str]], made: dict[str, tuple[int, str]]) -> tuple[dict[str, float], int]:
    """Return the share of copies joined to their original, by kind, and the number of pairs of different photographs."""
    names = {name: i for i, name in enumerate(made)}
    right = [(names[a], names[b]) for a, b in pairs if made[a][0] == made[b][0]]
    sets = {i: number for number, items in enumerate(joined_sets(len(names), right)) for i in items}
    hits: dict[str, list[bool]] = {kind: [] for kind in altered.KINDS}
    for name, (number, kind) in made.items():
        if kind:
            hits[kind].append(sets.get(names[name], -1) == sets.get(names[f"{number:02}_.jpg"], -2))
    return {kind: float(np.mean(shares)) for kind, shares in hits.items()}, len(pairs) - len(right)


def table() -> str:
    """Return the committed figures as the table in docs/audit.md: a line per kind, a column per peer."""
    rows = [Figure(**figure) for figure in artifacts.read_json(figures.RESULTS / "audit_peers.json")["figures"]]
    peers = [part.rsplit(" ", 1)[0] for part in rows[0].how.split(", ")]
    lines = ["| | this audit | " + " | ".join(peers) + " |", "|---|" + "---|" * (len(peers) + 1)]
    for row in rows:
        shares = [part.rsplit(" ", 1)[1] for part in row.how.split(", ")]
        if "CPU" not in row.what:
            lines.append(f"| {row.what.removeprefix('copies found: ')} | {row.value:.3g} | {' | '.join(shares)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure: some five minutes on two cores, and the installation of the peers."""
    if not DATA.is_dir():
        sys.exit(f"{DATA} is not there; set ASSAY_DATA to the folder with the public sets")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "images"
        folder.mkdir()
        made, _ = plant(folder)
        run = audit(folder, Path(temporary) / "store")
        ours, false = recall([(pair["a"], pair["b"]) for pair in run.result["pairs"]], made)
        peers, reasons = {}, []
        for name, limit in RUNS:
            pairs = ask_peer(name, limit, folder)
            if isinstance(pairs, str):
                reasons.append(f"{name}: {pairs}")
            else:
                peers[f"{name} {limit}"] = recall(pairs, made)
    for reason in reasons:
        print(f"left out: {reason}", file=sys.stderr)
    beside = {name: f"{np.mean(list(by_kind.values())):.2f}" for name, (by_kind, _) in peers.items()}
    measured = [
        Figure(
            "copies found, all kinds",
            float(np.mean(list(ours.values()))),
            ", ".join(f"{name} {share}" for name, share in beside.items()) or "; ".join(reasons),
        ),
        Figure(
            "pairs of different photographs",
            false,
            ", ".join(f"{name} {count}" for name, (_, count) in peers.items()),
            at_most=0,
        ),
        Figure(
            "CPU seconds per 1,000 images", 1000 * run.cpu / run.result["n_files"], "25 versions of each", at_most=60
        ),
    ]
    for kind, share in ours.items():
        how = ", ".join(f"{name} {by_kind[kind]:.2f}" for name, (by_kind, _) in peers.items())
        best = max((by_kind[kind] for by_kind, _ in peers.values()), default=0.0)
        measured.append(Figure(f"copies found: {kind}", share, how, at_least=max(REQUIRED.get(kind, 0.0), best)))
    figures.save("audit_peers", "The leak audit beside its peers", measured)
    print(table())


if __name__ == "__main__":
    main()
