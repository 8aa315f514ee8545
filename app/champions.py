"""The champions that the app asks: found on disk, kept in memory, replaced when `dvc repro` chooses another."""

import threading
import time
from typing import Any

import streamlit as st

from app.on_disk import SELECTION, found
from pipeline.core.errors import BundleError
from pipeline.core.paths import TaskPaths
from pipeline.prediction import bundle


class Champion:
    """A task's champion. What bundle.json says is there at once; the model is loaded when it is first needed."""

    def __init__(self, task: str, state: dict[str, tuple]):
        """Read and check the bundle's files; raise BundleError unless they are whole and git's reports vouch for them."""
        self.task, self.state = task, state
        self._folder, self._expected_sha256 = TaskPaths(task).best, bundle.expected_sha256(task)
        checked = bundle.read(self._folder, self._expected_sha256)
        self.info, self.id = checked.info, checked.id
        self._loading = threading.Lock()
        self._predictor = None

    def load(self) -> Any:
        """Return the Predictor, loaded once and compared with its golden answers; raise BundleError where it differs."""
        with self._loading:
            if self._predictor is None:
                from pipeline.prediction import self_test
                from pipeline.prediction.predictor import Predictor

                predictor = Predictor(self._folder, self._expected_sha256)
                self_test.check(predictor)
                self._predictor = predictor
            return self._predictor

    def predict(self, data: bytes | dict[str, Any], name: str) -> dict[str, Any]:
        """Return the item for one sample, as the command line gives it; count it. Sessions may ask at the same time."""
        predictor, start = self.load(), time.perf_counter()
        prediction = predictor.predict_with_ood(data, name)
        recorder().record(self.task, self.id, prediction.item, prediction.ood, time.perf_counter() - start)
        return prediction.item

    def explain(self, data: bytes | dict[str, Any], name: str) -> Any:
        """Return what the answer to one sample rests on, None where there is no answer."""
        return self.load().explain(data, name)[1]


@st.cache_resource
def kept() -> dict[str, Champion]:
    """Return the champions by task, for all sessions."""
    return {}


@st.cache_resource(show_spinner=False)
def recorder() -> "Recorder":  # noqa: F821 - it brings numpy, for which the first page does not wait
    """Return what counts the samples of all sessions; app/main.py lets it write the last ones when the app ends."""
    from app.recorder import Recorder

    return Recorder()


def tasks() -> list[str]:
    """Return the tasks that have a champion; networks, which load quickest, come first."""
    return list(found())


def champion(task: str) -> tuple[Champion, str]:
    """Return the task's champion, and a sentence where it is not the one on disk.

    A new one takes over when its files are whole and it answers as it should; until then the old one goes on. Raises
    BundleError where there is no old one.
    """
    state, old = found().get(task, {}), kept().get(task)
    if old and old.state == state:
        return old, ""
    try:
        if SELECTION not in state:
            raise BundleError(
                f"The champion of {task} is being chosen anew; reload the page when 'dvc repro' has finished"
            )
        new = Champion(task, state)
        if old:
            new.load()
    except BundleError as error:
        if old is None:
            raise
        return old, f"{error}. Until then {old.id} answers."
    kept()[task] = new
    return new, ""
