"""Run every benchmark, one after the other, each in a process of its own: make bench."""

import subprocess
import sys
from pathlib import Path

OTHERS = (
    "__init__",
    "__main__",
    "bare_fits",
    "before_after",
    "figures",
    "load",
    "locustfile",
    "planted",
    "recipes",
    "scale",
    "scratch",
    "users",
)


def main() -> None:
    """Run them all; exit 1 if one failed."""
    names = sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem not in OTHERS)
    failed = [name for name in names if subprocess.run([sys.executable, "-m", f"benchmarks.{name}"]).returncode]
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
