"""How many samples of each group were counted in the last days: hashes with a key that nobody else has, in memory only."""

import hashlib
import secrets
from collections import OrderedDict
from datetime import UTC, date, datetime, timedelta

from pipeline.data.columns.words import spelling
from pipeline.monitoring.drift import DAYS

MOST = 100_000  # groups that are remembered, in 20 MB; the one that was seen longest ago is forgotten first


class GroupSizes:
    """The number of samples by group, over the days that `monitoring.drift` compares together."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._seen: OrderedDict[bytes, tuple[int, date]] = OrderedDict()  # samples, and the day of the first

    def count(self, task: str, bundle: str, group: str) -> int:
        """Count one more sample of a group, in whatever spelling; return how many there were before."""
        text = "\x1f".join((task, bundle, spelling(group))).encode("utf-8", "replace")
        key = hashlib.blake2b(text, key=self._key, digest_size=16).digest()
        today = datetime.now(UTC).date()
        before, first = self._seen.pop(key, (0, today))
        if first <= today - timedelta(days=DAYS):
            before, first = 0, today
        self._seen[key] = before + 1, first
        if len(self._seen) > MOST:
            self._seen.popitem(last=False)
        return before
