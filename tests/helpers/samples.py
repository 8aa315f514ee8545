"""Drawn images, blocks of params.yaml and sample tables that tests of the data side share."""

import io
import os
import struct
import subprocess
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from PIL import Image

from tests.helpers.warm_python import warm_python

ROOT = Path(__file__).parents[2]


def noise(seed: int = 0, width: int = 60, height: int = 40) -> Image.Image:
    """Return an image that no other seed gives."""
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))


def encoded(image: Image.Image, file_format: str = "PNG", **options: object) -> bytes:
    """Return the bytes of an image file."""
    file = io.BytesIO()
    image.save(file, file_format, **options)
    return file.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    """Return a chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_header(
    width: int, height: int, data: bytes = b"", depth: int = 8, colour: int = 2, extra: bytes = b""
) -> bytes:
    """Return a PNG that announces a size, and holds this data after the chunks `extra`."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + extra + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


def put(root: Path, files: dict[str, bytes | str | int]) -> Path:
    """Write files below `root`: bytes or text as they are, for a number the image of that seed. Returns `root`."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        data = encoded(noise(content)) if isinstance(content, int) else content
        path.write_bytes(data.encode() if isinstance(data, str) else data)
    return root


def task(kind: str = "image", raw: str = "raw", **blocks: object) -> dict:
    """Return the smallest block of params.yaml for a task `skin` with one model."""
    stages = {name: {} for name in ("read", "audit", "split", "preprocess")} | {"select": {"metric": "roc_auc"}}
    return {"kind": kind, "raw": raw, **stages, "models": ["skin-dummy"]} | blocks


def content(block: dict) -> dict:
    """Return params.yaml with one task `skin`."""
    features = "embedding" if block["kind"] == "image" else "columns"
    return {
        "seed": 7,
        "workers": 1,
        "demo": {"lesions": 240},
        "backbone": {"source": "random"},
        "tasks": {"skin": block},
        "models": {"skin-dummy": {"task": "skin", "estimator": "dummy", "features": features}},
    }


def write_params(block: dict, **top: object) -> None:
    """Write params.yaml with one task `skin` to the current folder."""
    Path("params.yaml").write_text(yaml.safe_dump(content(block) | top, allow_unicode=True), encoding="utf-8")


def stage(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    """Run `python -m pipeline.<arguments>` in `folder`."""
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [warm_python(), "-m", f"pipeline.{arguments[0]}", *arguments[1:]]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=60)


def table(labels: str, groups: list[str] | None = None, shipped: list[str] | None = None) -> pd.DataFrame:
    """Return samples.csv for one letter of `labels` each, as text; without groups every sample stands alone."""
    n = len(labels)
    return pd.DataFrame(
        {
            "id": [f"{row:016x}" for row in range(n)],
            "path": [f"{label}/{row}.png" for row, label in enumerate(labels)],
            "label": list(labels),
            "group": groups or [""] * n,
            "shipped": shipped or [""] * n,
            "error": [""] * n,
        }
    )
