"""Which bundles answer: loaded, checked and warmed up at the start, and replaced while requests go on.

A new champion is loaded beside the old one. Only when its hashes are those that git's reports vouch for and its answers to
the golden inputs are those that bundle.json states does it take over, between two requests. Otherwise the old one goes on.
"""

import asyncio
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from app.on_disk import SELECTION, found
from app.problems import Problem, busy
from app.recorder import Recorder
from pipeline.core.errors import BundleError
from pipeline.core.paths import TaskPaths
from pipeline.prediction import bundle, self_test
from pipeline.prediction.predictor import Predictor

POLL = 0.5  # s between two looks at the bundles' files: a few stat calls
log = logging.getLogger("assay.api")


class Served:
    """A bundle that answers, warmed up for so many threads. What it is shown is counted."""

    def __init__(self, task: str, threads: int, recorder: Recorder):
        """Load the task's champion; raise BundleError unless it is whole, vouched for and answers as it should."""
        self._predictor, self._recorder = Predictor(TaskPaths(task).best, bundle.expected_sha256(task)), recorder
        self.task, self.id, self.info = task, self._predictor.id, self._predictor.info
        self_test.check(self._predictor)
        self._predictor.warm_up(threads)

    def predict(self, data: Any, name: str, explain: bool = False) -> dict[str, Any]:
        """Return the item for one sample, with its `explanation` if asked for, None where there is no answer."""
        start = time.perf_counter()
        prediction = self._predictor.predict_with_ood(data, name, explain)
        self._recorder.record(self.task, self.id, prediction.item, prediction.ood, time.perf_counter() - start)
        if not explain:
            return prediction.item
        why = prediction.explanation
        return prediction.item | {"explanation": why.to_json() if why else None}


class Models:
    """The bundles by task, and the threads that they answer on."""

    def __init__(self, threads: int):
        self.threads, self.recorder = threads, Recorder()
        self.served: dict[str, Served] = {}
        self.refused: dict[str, str] = {}  # why, by task
        self.looked = False
        self._tried: dict[str, dict] = {}
        self._seen: dict[str, dict] = {}
        self._workers = ThreadPoolExecutor(threads, thread_name_prefix="predict")
        self._loader = ThreadPoolExecutor(1, thread_name_prefix="load")

    async def watch(self) -> None:
        """Take up every new champion, for ever."""
        while True:
            try:
                await self.look()
            except OSError as error:  # a folder that vanishes while it is read
                log.warning("models/ cannot be read (%s); trying again", error.strerror)
            await asyncio.sleep(POLL)

    async def look(self) -> None:
        """Load each bundle whose files have changed, once they have stood still for one look.

        While `dvc repro` chooses a champion there is no selection.json: the old bundle goes on without a word.
        """
        for task, state in found().items():
            settled = state == self._seen.get(task) and SELECTION in state
            self._seen[task] = state
            if (settled or task not in self.served) and state != self._tried.get(task):
                self._tried[task] = state
                await self.take_up(task)
        self.looked = True

    async def take_up(self, task: str) -> None:
        """Replace the task's bundle by the one on disk, or say why not."""
        loop = asyncio.get_running_loop()
        try:
            new = await loop.run_in_executor(self._loader, Served, task, self.threads, self.recorder)
        except Exception as error:  # unpickling and running what may be anything raises whatever it likes
            known = isinstance(error, BundleError)
            self.refused[task] = str(error) if known else f"cannot be loaded ({type(error).__name__}: {error})"
            old = self.served.get(task)
            goes_on = f"{old.id} goes on" if old else "nothing answers for it"
            log.error("%s: new bundle refused, %s: %s", task, goes_on, self.refused[task])
        else:
            self.refused.pop(task, None)
            self.served[task] = new
            log.info("%s: answered by %s", task, new.id)

    def champion(self, task: str | None) -> Served:
        """Return the bundle that answers for `task`, or for the default image task: of several the first by name."""
        if task is None:
            pictures = sorted(name for name, one in self.served.items() if not one.info.is_table)
            if pictures:
                return self.served[pictures[0]]
        elif task in self.served:
            return self.served[task]
        if not self.looked:
            raise busy("The models are being loaded. Ask again after a second.")
        if task in self.refused:
            raise Problem(503, f"The bundle of task {task} was refused: {self.refused[task]}", {"Retry-After": "60"})
        what = "no image task" if task is None else f"no task {task[:80]!r}"
        raise Problem(404, f"There is {what}; there are: {', '.join(sorted(self.served)) or 'none'}. See /v1/tasks.")

    async def predict(
        self, served: Served, samples: list[tuple[str, Any]], explain: bool = False
    ) -> list[dict[str, Any]]:
        """Return an item for every (name, data), in order."""
        loop = asyncio.get_running_loop()
        jobs = [loop.run_in_executor(self._workers, served.predict, data, name, explain) for name, data in samples]
        return await asyncio.gather(*jobs)
