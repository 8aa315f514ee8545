"""Bundles in use: loaded, checked and warmed up at the start, and replaced while requests are served.

A new champion is loaded while the old one serves. It takes over, between two requests, if its SHA-256 is the one in the
reports and it reproduces its golden predictions. Otherwise the old one stays in use.
"""

import asyncio
import itertools
import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypedDict, TypeVar

from app import together
from app.on_disk import SELECTION, FileState, bundles, is_being_selected
from app.problems import Problem, busy
from app.recorder import Recorder
from pipeline.core.errors import BundleError
from pipeline.core.paths import TaskPaths
from pipeline.prediction import bundle, group_answer, self_test
from pipeline.prediction.answer import Item, Prediction
from pipeline.prediction.group_answer import GroupItem
from pipeline.prediction.predictor import Predictor, Sample

POLL = 0.5  # s between two checks of the bundles' files, a few stat calls each
ROWS_AT_ONCE = (
    50  # that a thread predicts before others' turn: one by one, the event loop has more work than the threads
)
GRACE = 3.0  # s for which files may be missing: `dvc checkout` removes them before it links others
T = TypeVar("T")
log = logging.getLogger("assay.api")


class ExplainedItem(Item, total=False):
    """An item with its `explanation`, if one was requested, which is None without a prediction."""

    explanation: dict[str, Any] | None


class Answer(TypedDict):
    """The answer to a request: the id of the bundle, the task, and an item for each sample in order."""

    bundle: str
    task: str
    predictions: list[ExplainedItem]


class Served:
    """A bundle in use, warmed up for a number of threads. Its samples are counted."""

    def __init__(self, task: str, threads: int, recorder: Recorder):
        """Load the task's champion; raise BundleError if it is incomplete, its SHA-256 is wrong or its self test fails."""
        self._predictor, self._recorder = Predictor(TaskPaths(task).best, bundle.expected_sha256(task)), recorder
        self.task, self.id, self.info = task, self._predictor.id, self._predictor.info
        self_test.check(self._predictor)
        self._predictor.warm_up(threads)

    def predict_and_count(self, data: Sample, name: str, explain: bool = False, group: str = "") -> Prediction:
        """Predict one sample, and count it as one of the `group`, an id, "" for an unknown one."""
        start = time.perf_counter()
        prediction = self._predictor.predict_with_ood(data, name, explain)
        self._recorder.record(self.task, self.id, prediction.item, prediction.ood, time.perf_counter() - start, group)
        return prediction

    def predict(self, data: Sample, name: str, explain: bool = False, group: str = "") -> ExplainedItem:
        """Return the item of one sample; see `predict_and_count`."""
        prediction = self.predict_and_count(data, name, explain, group)
        item: ExplainedItem = {**prediction.item}
        if explain:
            item["explanation"] = prediction.explanation.to_json() if prediction.explanation else None
        return item


class Models:
    """The bundles by task, and the threads that predict."""

    def __init__(self, threads: int):
        self.threads, self.recorder = threads, Recorder()
        self.served: dict[str, Served] = {}
        self.refused: dict[str, str] = {}  # reason by task
        self.missing: dict[str, str] = {}  # what a served task no longer has on disk
        self.is_checked = False
        self._missing_since: dict[str, float] = {}
        self._tried: dict[str, dict[str, FileState]] = {}
        self._seen: dict[str, dict[str, FileState]] = {}
        self._workers = ThreadPoolExecutor(threads, thread_name_prefix="predict")
        self._loader = ThreadPoolExecutor(1, thread_name_prefix="load")

    async def watch(self, ready: Callable[[], None]) -> None:
        """Check for new champions until cancelled; call `ready` after the first time."""
        while True:
            was_checked = self.is_checked
            try:
                await self.check()
            except OSError as error:  # a folder that vanishes while it is read
                log.warning("models/ cannot be read (%s); trying again", error.strerror)
            if self.is_checked and not was_checked:
                ready()
            await asyncio.sleep(POLL)

    async def check(self) -> None:
        """Load each bundle whose files have changed, once they are the same in two checks.

        While `dvc repro` selects a champion there is no selection.json: the old bundle stays in use without a message.
        """
        on_disk = bundles()
        self.note_missing(on_disk)
        for task, state in on_disk.items():
            settled = state == self._seen.get(task) and SELECTION in state
            self._seen[task] = state
            if (settled or task not in self.served) and state != self._tried.get(task):
                self._tried[task] = state
                await self.take_up(task)
        self.is_checked = True

    def note_missing(self, on_disk: dict[str, dict[str, FileState]]) -> None:
        """Note which served tasks have lost files, and forget why bundles that are gone were refused."""
        now = time.monotonic()
        for task in self.served.keys() | self.refused.keys():
            state = on_disk.get(task, {})
            lost = TaskPaths(task).selection if state else TaskPaths(task).best
            if SELECTION in state or is_being_selected(task):
                self._missing_since.pop(task, None)
                self.missing.pop(task, None)
            elif now - self._missing_since.setdefault(task, now) >= GRACE:
                if task in self.served:
                    self.missing[task] = f"{lost.as_posix()} is missing; run 'dvc checkout' or 'dvc repro'"
                if not state and self.refused.pop(task, ""):
                    self._tried.pop(task, None)

    async def take_up(self, task: str) -> None:
        """Replace the task's bundle by the one on disk, or log why it is refused."""
        loop = asyncio.get_running_loop()
        try:
            new = await loop.run_in_executor(self._loader, Served, task, self.threads, self.recorder)
        except Exception as error:  # unpickling an arbitrary file may raise anything
            known = isinstance(error, BundleError)
            self.refused[task] = str(error) if known else f"cannot be loaded ({type(error).__name__}: {error})"
            old = self.served.get(task)
            consequence = f"{old.id} stays in use" if old else "no model serves the task"
            log.error("%s: new bundle refused, %s: %s", task, consequence, self.refused[task])
        else:
            self.refused.pop(task, None)
            self.served[task] = new
            log.info("%s: now served by %s", task, new.id)

    def champion(self, task: str | None) -> Served:
        """Return the bundle of `task`, by default of the first image task by name."""
        if task is None:
            image_tasks = sorted(name for name, served in self.served.items() if not served.info.is_table)
            if image_tasks:
                return self.served[image_tasks[0]]
        elif task in self.served:
            return self.served[task]
        if not self.is_checked:
            raise busy("The models are being loaded. Try again after a second.")
        if task in self.refused:
            raise Problem(503, f"The bundle of task {task} was refused: {self.refused[task]}", {"Retry-After": "60"})
        what = "no image task" if task is None else f"no task {task[:80]!r}"
        raise Problem(404, f"There is {what}; there are: {', '.join(sorted(self.served)) or 'none'}. See /v1/tasks.")

    async def predict(
        self, served: Served, samples: Sequence[tuple[str, Sample]], explain: bool = False, groups: Sequence[str] = ()
    ) -> list[ExplainedItem]:
        """Return the prediction of every (name, data), in order; `groups` are the ids of their groups, none where unknown."""
        given = [
            (data, name, explain, group)
            for (name, data), group in zip(samples, groups or [""] * len(samples), strict=True)
        ]
        return await self._in_threads(served.predict, given, served.info.is_table and not explain)

    async def predict_groups(self, served: Served, groups: Sequence[together.Group]) -> list[GroupItem]:
        """Return one answer to the samples of each (name, id, samples), in order."""
        given = [(data, of, False, id_) for _, id_, samples in groups for of, data in samples]
        predictions = iter(await self._in_threads(served.predict_and_count, given, served.info.is_table))
        return [
            group_answer.answer(served.info, name, list(itertools.islice(predictions, len(samples))))
            for name, _, samples in groups
        ]

    async def _in_threads(self, call: Callable[..., T], given: Sequence[tuple], are_rows: bool) -> list[T]:
        """Return the result of `call` for each of the `given` arguments, in order."""
        loop, n = asyncio.get_running_loop(), ROWS_AT_ONCE if are_rows else 1

        def of(part: Sequence[tuple]) -> list[T]:
            return [call(*arguments) for arguments in part]

        parts = [given[start : start + n] for start in range(0, len(given), n)]
        done = await asyncio.gather(*(loop.run_in_executor(self._workers, of, part) for part in parts))
        return list(itertools.chain.from_iterable(done))
