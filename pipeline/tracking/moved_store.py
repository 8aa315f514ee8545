"""Keep the project's MLflow store usable after the project was moved or copied: MLflow records absolute paths of artifacts.

`made_for.txt` next to the database names the folder that the store was made in.
"""

import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

from pipeline.core import artifacts

MADE_FOR = "made_for.txt"
DATABASE = "mlflow.db"
PARTS = (DATABASE, f"{DATABASE}-journal", f"{DATABASE}-wal", f"{DATABASE}-shm", "artifacts")
# Where MLflow 3 keeps paths of artifacts: (table, column, of which rows). Anything else may be a person's text.
PATHS = (
    ("experiments", "artifact_location", "1"),
    ("runs", "artifact_uri", "1"),
    ("logged_models", "artifact_location", "1"),
    ("model_versions", "source", "1"),
    ("model_versions", "storage_location", "1"),
    ("trace_tags", "value", "key = 'mlflow.artifactLocation'"),
)


def note(store: Path) -> None:
    """Note that the store is complete and belongs to its present folder."""
    artifacts.write_bytes(store / MADE_FOR, str(store).encode())


def follow(store: Path) -> None:
    """Make a store that was moved or copied lead to its present folder; set one aside that never became complete."""
    if not (store / DATABASE).exists():
        return
    made_for = store / MADE_FOR
    if not made_for.exists():
        set_aside(store)
        return
    before = Path(made_for.read_text(encoding="utf-8"))
    if before != store:
        n_paths = rewrite(store / DATABASE, before.parent, store.parent)
        note(store)
        print(
            f"track: the project was in {before.parent} and is now in {store.parent}: {n_paths} paths in its MLflow store "
            "were rewritten, and nothing else in it",
            file=sys.stderr,
        )


def rewrite(database: Path, before: Path, now: Path) -> int:
    """Replace the folder `before` by `now` in every path of artifacts, in one transaction; return how many there were."""
    n_paths = 0
    with closing(sqlite3.connect(database)) as connection, connection:
        for table, column, rows in PATHS:
            for old, new in ((before.as_uri(), now.as_uri()), (before.as_posix(), now.as_posix())):
                update = f"UPDATE {table} SET {column} = ? || substr({column}, ?)"
                query = f"{update} WHERE {rows} AND substr({column}, 1, ?) = ?"
                changed = connection.execute(query, (new, len(old) + 1, len(old) + 1, f"{old}/"))
                n_paths += changed.rowcount
    return n_paths


def set_aside(store: Path) -> None:
    """Move an incomplete store to a folder of its own, and say where it is."""
    number = 1
    while (store / f"set-aside-{number}").exists():
        number += 1
    target = store / f"set-aside-{number}"
    target.mkdir()
    for name in PARTS:
        if (store / name).exists():
            os.replace(store / name, target / name)
    print(
        f"track: {store} does not say which folder its MLflow store was made in, as after a process that was killed while "
        f"it made it. The store is kept in {target}, and a new one is made",
        file=sys.stderr,
    )
