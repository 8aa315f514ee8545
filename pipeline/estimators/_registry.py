"""Find estimators by name, with defaults for the hooks that their files leave out."""

import importlib
import pkgutil
from pathlib import Path
from typing import Any

from pipeline.core.errors import ParamsError
from pipeline.estimators._protocol import ClassifierModel, Estimator, Model

REQUIRED = ("FEATURES", "Params", "build")
OPTIONAL = ("check", "check_size", "use_workers")


class RegisteredEstimator(Estimator):
    """The estimator of this name with every hook; raises ParamsError where its file lacks what is required."""

    def __init__(self, name: str):
        defined = vars(importlib.import_module(f"{__package__}.{name}"))
        if lacking := [key for key in REQUIRED if key not in defined]:
            raise ParamsError(
                f"pipeline/estimators/{name}.py lacks {', '.join(lacking)}: see docs/how-to/add-an-estimator.md"
            )
        vars(self).update({key: defined[key] for key in (*REQUIRED, *OPTIONAL) if key in defined})

    def make_model(self, params: Any, seed: int, workers: int) -> Model:
        """Return an unfitted model. Call it in the process that fits, which it prepares for `workers` threads."""
        self.use_workers(workers)
        built = self.build(params, seed)
        return built if isinstance(built, Model) else ClassifierModel(built)


def estimator_names() -> list[str]:
    """Return the names of the estimators, sorted: the files of this folder without a leading underscore."""
    return sorted(module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)]) if module.name[0] != "_")


def get_estimator(name: str) -> RegisteredEstimator:
    """Return the estimator `name`, one of `estimator_names`."""
    return RegisteredEstimator(name)  # type: ignore[abstract] # what is required is set from the file
