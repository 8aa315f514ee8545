"""Count the samples that champions receive, by task, bundle and day (UTC), in files; see `monitoring.histograms`.

`data/monitor/<task>/<day>.json` holds {format, bundles: {id: counts}}. Counts are collected in memory and added to the day's file
every 10 s, under a lock and atomically: several processes may count at once, and a killed one loses its last 10 s.
"""

import json
import logging
import threading
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from app.group_sizes import GroupSizes
from pipeline.core import artifacts, paths
from pipeline.data.dicom import patient_hash
from pipeline.monitoring.histograms import Tally
from pipeline.monitoring.outcomes import Outcome
from pipeline.prediction.answer import Item, OodScore

FORMAT = 1
EVERY = 10  # s between writes
KEPT = 400  # days: a year and a month
WAIT = 10  # s to wait for another process that holds the lock
log = logging.getLogger("assay.monitor")


class Recorder:
    """Counts of one process. Counts that cannot be written, as on a full disk, stay in memory and are tried again."""

    def __init__(self) -> None:
        self.folder = paths.MONITOR.absolute()
        self._counting, self._writing = threading.Lock(), threading.Lock()
        self._new: dict[tuple[str, str, str], Tally] = {}  # by task, day and bundle
        self._groups = GroupSizes()
        self._timer: threading.Timer | None = None
        self._failed = False

    def record(self, task: str, bundle: str, item: Item, ood: OodScore | None, seconds: float, group: str = "") -> None:
        """Count a sample that `bundle` has predicted; see `Tally.add`. The name and reason in `item` are not kept.

        `group`: the id of what the sample shares with others, such as a patient; a hash of it stays in memory.
        """
        with self._counting:
            is_readable = bool(item["class"]) or ood is not None
            before = self._groups.count(task, bundle, group) if group and is_readable else None
            self._counts(task, bundle).add(item, ood, seconds, before)
            self._start_timer()

    def add_to_group(self, task: str, bundle: str, group: str) -> None:
        """Count a readable sample, which was recorded without a group, as one of `group`."""
        with self._counting:
            self._counts(task, bundle).add_to_group(self._groups.count(task, bundle, group))
            self._start_timer()

    def _counts(self, task: str, bundle: str) -> Tally:
        """Return the counts of today that are not written yet."""
        return self._new.setdefault((task, today().isoformat(), bundle), Tally())

    def _start_timer(self) -> None:
        """Write in `EVERY` seconds, unless that is due already."""
        if self._timer is None:
            self._timer = threading.Timer(EVERY, self.flush)
            self._timer.daemon = True
            self._timer.start()

    def flush(self) -> None:
        """Add the new counts to the files."""
        with self._writing:
            with self._counting:
                new, self._new = self._new, {}
                if self._timer:
                    self._timer.cancel()
                self._timer = None
            failed: dict[tuple[str, str, str], Tally] = {}
            for task, day in sorted({key[:2] for key in new}):
                of_day = {key: counts for key, counts in new.items() if key[:2] == (task, day)}
                try:
                    self._add(task, day, {bundle: counts for (_, _, bundle), counts in of_day.items()})
                except (
                    Exception
                ) as error:  # whatever it is, as a full disk or the lock's Timeout: no count may get lost
                    failed |= of_day
                    if not self._failed:
                        reason = getattr(error, "strerror", None) or f"{type(error).__name__}: {error}"
                        log.warning("data/monitor cannot be written (%s): counts stay in memory", reason)
            self._failed = bool(failed)
            with self._counting:
                for key, counts in failed.items():
                    self._new[key] = counts + self._new.get(key, Tally())
                if failed:
                    self._start_timer()  # also where no further sample comes

    def _add(self, task: str, day: str, new: dict[str, Tally]) -> None:
        """Add counts by bundle to a day's file."""
        from filelock import FileLock  # imported here so that the first page need not wait for it

        folder = self.folder / task
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / ".lock", timeout=WAIT):
            path = folder / f"{day}.json"
            if not path.exists():
                forget(folder)
            bundles = read(path)
            for bundle, counts in new.items():
                bundles[bundle] = bundles.get(bundle, Tally()) + counts
            content = {"format": FORMAT, "bundles": {name: counts.to_json() for name, counts in bundles.items()}}
            artifacts.write_bytes(path, json.dumps(content, separators=(",", ":")).encode())

    def add_outcomes(self, task: str, outcomes: Sequence[Outcome]) -> int:
        """Add classes that became known later to the files, and return how many of them are new; raises OSError.

        They count on the day of the answer. Of their ids only keyed hashes are kept, in `<day>.json.ids`, by which one that is
        sent again is known.
        """
        n_new = 0
        for day in sorted({outcome.day for outcome in outcomes}):
            of_day = [outcome for outcome in outcomes if outcome.day == day]
            n_new += self._add_of_day(task, day.isoformat(), of_day)
        return n_new

    def _add_of_day(self, task: str, day: str, outcomes: Sequence[Outcome]) -> int:
        from filelock import FileLock

        folder = self.folder / task
        folder.mkdir(parents=True, exist_ok=True)
        path, n_new = folder / f"{day}.json.ids", 0
        with FileLock(folder / ".outcomes.lock", timeout=WAIT):
            known = set(path.read_text(encoding="ascii").split()) if path.exists() else set()
            tallies: dict[str, Tally] = {}
            for outcome in outcomes:
                hashed = patient_hash.hashed("outcome", outcome.id)
                if hashed not in known:
                    known.add(hashed)
                    tally = tallies.setdefault(outcome.bundle, Tally())
                    tally.add_outcome(outcome.label, outcome.answer, outcome.probability)
                    n_new += 1
            if tallies:
                self._add(task, day, tallies)
                artifacts.write_bytes(path, "\n".join(sorted(known)).encode())
        return n_new

    def days(self, task: str, bundle: str, n: int) -> dict[str, Tally]:
        """Return the counts of the last `n` days including today, oldest first, with counts that are not written yet."""
        last, by_day = today(), {}
        with self._writing:
            for day in (str(last - timedelta(days=back)) for back in reversed(range(n))):
                by_day[day] = Tally()
                with suppress(OSError):  # an unreadable file is not shown; it is set aside at the next write
                    by_day[day] += read(self.folder / task / f"{day}.json", set_aside=False).get(bundle, Tally())
            with self._counting:
                for day, counts in by_day.items():
                    if (task, day, bundle) in self._new:
                        by_day[day] = counts + self._new[task, day, bundle]
        return by_day


def today() -> date:
    """Return the day, in UTC."""
    return datetime.now(UTC).date()


def read(path: Path, set_aside: bool = True) -> dict[str, Tally]:
    """Return a day's counts by bundle, {} if there is no file or it is damaged; `set_aside` renames a damaged file."""
    try:
        content = json.loads(path.read_bytes())
        if content["format"] == FORMAT:
            return {bundle: Tally.from_json(counts) for bundle, counts in content["bundles"].items()}
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError, AttributeError):
        pass
    if set_aside:
        log.warning(
            "%s is damaged; it was renamed to %s.damaged, and the counts of the day start again", path, path.name
        )
        path.replace(path.with_name(f"{path.name}.damaged"))
    return {}


def forget(folder: Path) -> None:
    """Delete a task's files that are more than `KEPT` days old."""
    first = str(today() - timedelta(days=KEPT))
    for path in folder.glob("????-??-??.json*"):
        if path.name < first:
            path.unlink(missing_ok=True)
