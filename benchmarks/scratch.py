"""A copy of the project in which a benchmark may do what it likes, and the cost of a process."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import yaml

from pipeline.core.stage import require

ROOT = Path(__file__).resolve().parents[1]
COPIED = ("pipeline", "benchmarks", ".dvc/config", ".dvcignore", "dvc.yaml", "params.yaml")


@dataclass(frozen=True)
class Cost:
    """What a process and its children took: wall and processor time in s, the largest resident memory in MB, its output."""

    seconds: float
    cpu: float
    peak: float
    out: str


class Scratch:
    """A copy of the project without outputs, in a temporary folder that goes at the end of the `with` block.

    Without tasks, or, with `demo`, with those of the shipped params.yaml.
    """

    def __init__(self, demo: bool = False):
        self.demo = demo

    def __enter__(self) -> "Scratch":
        self._temporary = tempfile.TemporaryDirectory()
        self.folder = Path(self._temporary.name)
        for name in COPIED:
            source, target = ROOT / name, self.folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copytree(source, target) if source.is_dir() else shutil.copy(source, target)
        if not self.demo:
            self.set_params(tasks={}, models={})
        self.run("dvc", "config", "--local", "core.no_scm", "true")
        return self

    def __exit__(self, *_: object) -> None:
        self._temporary.cleanup()

    def run(self, *command: str) -> Cost:
        """Run a command there, with this Python's programs first on the path; raise RuntimeError if it fails."""
        env = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
        env.pop("PYTHONDONTWRITEBYTECODE", None)  # a user's Python keeps what it compiles: .1 s less at each start
        start = time.perf_counter()
        with tempfile.TemporaryFile("w+") as log:
            process = subprocess.Popen(command, cwd=self.folder, env=env, stdout=log, stderr=subprocess.STDOUT)
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            log.seek(0)
            out = log.read()
        if process.returncode:
            raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}:\n{out}")
        seconds = time.perf_counter() - start
        print(f"{seconds:7.1f} s  {' '.join(part for part in command if len(part) < 80)}", file=sys.stderr, flush=True)
        return Cost(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, out)

    def set_params(self, **sections: object) -> None:
        """Replace sections of params.yaml."""
        path = self.folder / "params.yaml"
        content = yaml.safe_load(path.read_text(encoding="utf-8")) | sections
        path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")

    def image_task(self, name: str, raw: Path, models: dict[str, dict], **read: str) -> None:
        """Add an image task whose data lie in `raw`; `models` holds each model's block but for its task."""
        content = yaml.safe_load((self.folder / "params.yaml").read_text(encoding="utf-8"))
        task = {"kind": "image", "raw": str(raw), "read": read, "audit": {}, "split": {}}
        content["tasks"][name] = task | {"preprocess": {}, "select": {"metric": "roc_auc"}, "models": list(models)}
        content["models"] |= {model: {"task": name} | block for model, block in models.items()}
        self.set_params(**content)

    def change(self, model: str, **values: object) -> Cost:
        """Change a model's values in params.yaml and return what `dvc repro` costs then."""
        content = yaml.safe_load((self.folder / "params.yaml").read_text(encoding="utf-8"))
        content["models"][model] |= values
        self.set_params(**content)
        return self.run("dvc", "repro")

    def take_backbone(self) -> None:
        """Copy the backbone that the project has made."""
        shutil.copytree(require(ROOT / "models/backbone", "backbone"), self.folder / "models/backbone")

    def forget(self, path: str) -> None:
        """Delete a file or folder, so that it is made anew."""
        target = self.folder / path
        shutil.rmtree(target) if target.is_dir() else target.unlink(missing_ok=True)
