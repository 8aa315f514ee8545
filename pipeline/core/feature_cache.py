"""Cache values computed from a file by the file's bytes: a file seen before costs reading and a lookup.

There is one SQLite file per name in the project's `.cache/features/`, outside every stage's outputs: DVC and git ignore it, and
it may be deleted at any time. A `recipe` (the code, network and library versions that compute the value) is part of
every key, so a change of any of them misses the cache. Keys are of the file's bytes rather than its pixels, so a cached file
is not decoded: 0.16 ms for an image, reading included, instead of 1 ms. All files together stay below `cache.max_size` of
params.yaml: what was put first goes first.
"""

import hashlib
import math
import sqlite3
import threading
import zlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

from pipeline.core import copies, params
from pipeline.core.code_hashes import without_prose
from pipeline.core.params_models import CacheParams
from pipeline.core.paths import FEATURES

T = TypeVar("T")
WAIT = 60  # seconds for another process that writes
LEVEL = 1  # of compression: a quarter less room for 0.2 ms an image; float16 would take half, and change the last bits of outputs
LEFT = 0.9  # of the allowed size, after entries had to go: room for some hundred more


def make_recipe(*parts: str | bytes | Path, packages: tuple[str, ...] = ()) -> str:
    """Return 16 hex digits of everything that determines a value: texts, bytes, contents of files, versions of packages.

    Only the code of Python files counts: a rewritten docstring or comment keeps the cache.
    """
    digest = hashlib.sha256()
    for part in (*parts, *(f"{package} {version(package)}" for package in packages)):
        data = _content(part) if isinstance(part, Path) else part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8) + data)
    return digest.hexdigest()[:16]


def _content(file: Path) -> bytes:
    data = file.read_bytes()
    return _code(data.decode()) if file.suffix == ".py" else data


@lru_cache(maxsize=64)  # 10 ms a file; retraining opens a store for each file that it compares
def _code(source: str) -> bytes:
    return without_prose(source).encode()


def max_bytes() -> int:
    """Return the size that params.yaml allows the cache; without a project's params.yaml the default."""
    given = params.load().get("cache") if params.PARAMS.exists() else None
    return params.parse(CacheParams, given or {}, "cache").max_bytes


def used_bytes(connection: sqlite3.Connection) -> int:
    """Return the size of a store without the pages that are free: SQLite fills these first, so a file does not grow on."""
    n_pages, n_free, size = (
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
    )
    return (n_pages - n_free) * size


def shrink(folder: Path, limit: int) -> None:
    """Delete the oldest entries of the largest store, then of the next, until all together take no more than `limit` bytes."""
    paths = sorted(folder.glob("*.sqlite"))
    if sum(path.stat().st_size for path in paths) <= limit:
        return
    with ExitStack() as stack:
        stores = [stack.enter_context(closing(sqlite3.connect(path, timeout=WAIT))) for path in paths]
        used = {store: used_bytes(store) for store in stores}
        total = sum(used.values())
        for store in sorted(used, key=lambda store: -used[store]):
            if total <= limit:
                return
            (n_rows,) = store.execute("SELECT count(*) FROM kept").fetchone()
            share = min(1, (total - limit * LEFT) / used[store])  # entries of a store have much the same size
            oldest = "SELECT rowid FROM kept ORDER BY rowid LIMIT ?"
            with store:
                store.execute(f"DELETE FROM kept WHERE rowid IN ({oldest})", (math.ceil(n_rows * share),))
            # The room is for other stores, too; `execute` would stop after one page.
            store.executescript("PRAGMA incremental_vacuum")
            total -= used[store] - used_bytes(store)


class FeatureStore:
    """Values (bytes) by key (text) for one recipe. Threads and processes may share it; each thread has its own connection.

    It only saves time: if it cannot be read or written (locked, full disk) the work goes on without it, and a damaged file is
    replaced.
    """

    def __init__(self, name: str, recipe: str):
        # Copies in which DVC runs experiments share the project's cache.
        folder = copies.home() / FEATURES
        self.name, self.recipe = name, recipe
        self.path, self._of_thread = folder / f"{name}.sqlite", threading.local()

    def __reduce__(self) -> tuple[type["FeatureStore"], tuple[Any, ...]]:
        return FeatureStore, (self.name, self.recipe)  # another process opens the file itself

    def get(self, key: str) -> bytes | None:
        """Return the cached value of `key`, or None."""
        with self._optional():
            row = self._connection().execute("SELECT value FROM kept WHERE key = ?", (self._key(key),)).fetchone()
            return zlib.decompress(row[0]) if row else None

    def put(self, items: Iterable[tuple[str, bytes]]) -> None:
        """Cache these values, all or none of them."""
        rows = [(self._key(key), zlib.compress(value, LEVEL)) for key, value in items]
        with self._optional(), self._connection() as connection:
            connection.executemany("INSERT OR REPLACE INTO kept VALUES (?, ?)", rows)
        with suppress(sqlite3.Error, OSError):  # also of another store, which its own process replaces
            shrink(self.path.parent, max_bytes())

    def put_all(self, results: Iterable[tuple[T, list[tuple[str, bytes]]]], at_once: int) -> Iterator[T]:
        """Yield what was computed, and cache the new entries that came with it, so many at once: each time costs a commit."""
        new: list[tuple[str, bytes]] = []
        for result, entries in results:
            new += entries
            if len(new) >= at_once:
                self.put(new)
                new.clear()
            yield result
        self.put(new)

    def _key(self, key: str) -> bytes:
        return hashlib.sha256(f"zlib:{self.recipe}:{key}".encode()).digest()

    def _connection(self) -> sqlite3.Connection:
        if not hasattr(self._of_thread, "connection"):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(self.path, timeout=WAIT)
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # of a new file
            connection.execute("CREATE TABLE IF NOT EXISTS kept (key BLOB PRIMARY KEY, value BLOB)")
            self._of_thread.connection = connection
        return self._of_thread.connection

    @contextmanager
    def _optional(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.OperationalError, OSError, zlib.error):
            pass
        except sqlite3.DatabaseError:  # "file is not a database", "database disk image is malformed"
            self._of_thread.__dict__.pop("connection", None)
            self.path.unlink(missing_ok=True)
