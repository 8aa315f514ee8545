"""The champions that the app uses: read from disk, kept in memory, replaced when `dvc repro` selects another."""

import threading
import time
from typing import TYPE_CHECKING

import streamlit as st

from app.on_disk import SELECTION, FileState, bundles
from pipeline.core.errors import BundleError
from pipeline.core.paths import TaskPaths
from pipeline.prediction import bundle

if TYPE_CHECKING:  # these import numpy, for which the first page does not wait
    from app.recorder import Recorder
    from pipeline.prediction.answer import Explanation, Item, Prediction
    from pipeline.prediction.predictor import Predictor, Sample


class Champion:
    """A task's champion. The content of bundle.json is read at once, the model when it is first needed."""

    def __init__(self, task: str, state: dict[str, FileState]):
        """Read the bundle; raise BundleError if it is incomplete or its SHA-256 is not the one in the reports."""
        self.task, self.state = task, state
        self._folder, self._expected_sha256 = TaskPaths(task).best, bundle.expected_sha256(task)
        checked = bundle.read(self._folder, self._expected_sha256)
        self.info, self.id = checked.info, checked.id
        self._loading = threading.Lock()
        self._predictor: Predictor | None = None

    def load(self) -> "Predictor":
        """Return the Predictor, loaded once and checked against its golden predictions; raise BundleError if they differ."""
        with self._loading:
            if self._predictor is None:
                from pipeline.prediction import self_test
                from pipeline.prediction.predictor import Predictor

                predictor = Predictor(self._folder, self._expected_sha256)
                self_test.check(predictor)
                self._predictor = predictor
            return self._predictor

    def predict_and_count(self, data: "Sample", name: str, group: str = "") -> "Prediction":
        """Predict one sample, as on the command line, and count it as one of `group`, an id, "" where that is unknown.

        Safe to call from several sessions at once.
        """
        predictor, start = self.load(), time.perf_counter()
        prediction = predictor.predict_with_ood(data, name)
        recorder().record(self.task, self.id, prediction.item, prediction.ood, time.perf_counter() - start, group)
        return prediction

    def predict(self, data: "Sample", name: str) -> "Item":
        """Return the item of one sample; see `predict_and_count`."""
        return self.predict_and_count(data, name).item

    def explain(self, data: "Sample", name: str) -> "Explanation | None":
        """Return the explanation of one prediction, None if there is no prediction."""
        return self.load().explain(data, name)[1]


@st.cache_resource
def kept() -> dict[str, Champion]:
    """Return the champions by task, for all sessions."""
    return {}


@st.cache_resource(show_spinner=False)
def recorder() -> "Recorder":
    """Return the recorder of all sessions; app/main.py flushes it when the app ends."""
    from app.recorder import Recorder

    return Recorder()


def tasks() -> list[str]:
    """Return the tasks that have a champion; networks, which load quickest, come first."""
    return list(bundles())


def champion(task: str) -> tuple[Champion, str]:
    """Return the task's champion, and a warning if it is not the one on disk.

    A new champion is used once its files are complete and it reproduces its golden predictions; until then the old one stays
    in use. Raises BundleError if there is no old one.
    """
    state, old = bundles().get(task, {}), kept().get(task)
    if old and old.state == state:
        return old, ""
    try:
        if SELECTION not in state:
            raise BundleError(
                f"The champion of {task} is being selected again; reload the page when 'dvc repro' has finished"
            )
        new = Champion(task, state)
        if old:
            new.load()
    except BundleError as error:
        if old is None:
            raise
        return old, f"{error}. {old.id} stays in use until then."
    kept()[task] = new
    return new, ""
