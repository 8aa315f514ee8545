"""A bundle: a folder with all that a prediction needs, which is the model, the embedder if it needs one, and bundle.json.

bundle.json carries the SHA-256 of every other file and is written last: a folder without it, or with files that do not
match it, is not a bundle.
"""

import json
from pathlib import Path
from typing import Any

from pipeline import artifacts
from pipeline.stage import BundleError

FORMAT = 1
EMBEDDER = Path("models/backbone/embedder.tflite")


def write(folder: Path, candidate: Path, decision: dict[str, Any], metrics: dict[str, Any], golden: Any = None) -> None:
    """Copy a candidate's files into `folder`, file by file and bundle.json last.

    `decision` are the numbers that turn probabilities into an answer, `metrics` what is known of how well it does, `golden`
    what it answers to known inputs. Files that are not the new bundle's are removed at the end.
    """
    content = artifacts.read_json(candidate / "candidate.json")
    files = {name: (candidate / name).read_bytes() for name in content["files"]}
    if content["features"] == "embedding":
        files["embedder.tflite"] = EMBEDDER.read_bytes()
    content |= {"format": FORMAT, "decision": decision, "metrics": metrics, "golden": golden}
    content["files"] = {name: artifacts.sha256(data) for name, data in files.items()}
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        artifacts.write_bytes(folder / name, data)
    artifacts.write_json(folder / "bundle.json", content)
    for path in folder.iterdir():
        if path.name not in content["files"] and path.name != "bundle.json":
            path.unlink()


def read(folder: Path) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return bundle.json and the bytes of the files it names, after checking every hash on the bytes that are returned.

    Raises BundleError where anything is missing, not JSON, of another format, or does not match.
    """
    where = folder.as_posix()
    try:
        content = json.loads((folder / "bundle.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BundleError(
            f"{where} has no bundle.json: run 'dvc repro', or restore it with 'dvc checkout {where}'"
        ) from None
    except ValueError:
        raise BundleError(f"{where}/bundle.json is not JSON: restore it with 'dvc checkout {where}'") from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise BundleError(f"{where}/bundle.json is not of format {FORMAT}: run 'dvc repro' with this version of Assay")
    return content, {name: read_file(folder, name, expected) for name, expected in content["files"].items()}


def read_file(folder: Path, name: str, expected: str) -> bytes:
    """Return a file's bytes; raise BundleError unless it lies in the folder itself and has the expected SHA-256."""
    where = folder.as_posix()
    if Path(name).name != name:
        raise BundleError(f"{where}/bundle.json names {name!r}, which is not a file of its own folder: do not use it")
    try:
        data = (folder / name).read_bytes()
    except FileNotFoundError:
        raise BundleError(f"{where}/{name} is missing: restore it with 'dvc checkout {where}'") from None
    if artifacts.sha256(data) != expected:
        raise BundleError(
            f"{where}/{name} does not match bundle.json (sha256 differs): restore it with 'dvc checkout {where}'"
        )
    return data
