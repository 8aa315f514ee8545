"""Set aside what a killed DVC left half written, then go on with 'dvc repro': `python -m pipeline.recover`."""

from pipeline.core import lock_recovery
from pipeline.core.stage import run


def main() -> None:
    for line in lock_recovery.recover():
        print(line)


if __name__ == "__main__":
    run(main)
